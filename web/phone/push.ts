// Notifications: what the browser has, what the server has, and what the holder wants, brought into agreement each time the
// app is opened (docs/device-protocol.md §5). Without them everything works: what waits is there when the app opens.

import { b64, unb64, utf8, type Bytes } from '../shared/bytes.ts';
import { sha256 } from '../shared/device-protocol.ts';
import type { Language } from '../shared/language.ts';
import { canNotify } from './notified.ts';
import type { Server } from './server.ts';
import { load, save } from './store.ts';

/** What the server says of this phone's notifications. */
export type PushKept = {
  state: 'on' | 'off' | 'ended';
  /** SHA-256 of the endpoint that it has; empty if none. */
  endpoint_hash: string;
  language: string;
  /** What to subscribe with: our P-256 point (RFC 8292 §4). */
  public_key: string;
};

/** A browser's subscription, as the server takes it. */
export type PushGiven = { endpoint: string; p256dh: string; auth: string; language: Language };

/** Where notifications stand on this phone. */
export type PushState =
  | 'looking'
  /** This browser can't. */
  | 'unsupported'
  | 'off'
  | 'on'
  /** The holder has forbidden them in the browser. */
  | 'denied'
  /** They should be on, but the browser's push service or our server did not take part. */
  | 'broken';

const patienceSeconds = 20;

/** Whether the holder was not asked yet and has seen what it is good for. */
export async function isTimeToAsk(): Promise<boolean> {
  const kept = await load('push');
  return canNotify() && Notification.permission === 'default' && !!kept?.approved && kept.wanted === undefined;
}

export async function decide(wanted: boolean): Promise<void> {
  await save({ push: { ...(await load('push')), wanted } });
}

/** Brings browser and server into agreement with what the holder wants; subscribes anew where a subscription has ended. */
export async function agree(server: Server, language: Language): Promise<PushState> {
  if (!canNotify()) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  if (!(await load('push'))?.wanted || Notification.permission !== 'granted') return 'off';
  const kept = await server.push();
  if (!kept.ok) return kept.failure.outcome === 'unreachable' && (await ownSubscription()) ? 'on' : 'broken';
  const worker = await inTime(navigator.serviceWorker.ready);
  const subscription = await inTime(subscribed(worker.pushManager, kept.value));
  const { state, endpoint_hash: hash, language: spoken } = kept.value;
  if (state === 'on' && spoken === language && hash === b64(await sha256(utf8(subscription.endpoint)))) return 'on';
  const given = await server.pushOn(givenBy(subscription, language));
  if (given.ok) return 'on';
  if (given.failure.outcome !== 'push_endpoint_refused') return 'broken';
  await subscription.unsubscribe();
  return 'unsupported';
}

/** Off here and at the server. The server's word counts: without it the phone would go on being told. */
export async function turnOff(server: Server): Promise<boolean> {
  const off = await server.pushOff();
  if (!off.ok) return false;
  await decide(false);
  await (await ownSubscription())?.unsubscribe();
  return true;
}

/** This phone is linked anew: the next account begins without what this one had. */
export async function forget(): Promise<void> {
  await save({ push: null });
  if (canNotify()) await (await ownSubscription())?.unsubscribe();
}

async function ownSubscription(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration('/app/');
  return (await worker?.pushManager.getSubscription()) ?? null;
}

/** The browser's subscription under the server's key; a new one where there is none, or where it has ended. */
async function subscribed(manager: PushManager, kept: PushKept): Promise<PushSubscription> {
  const key = unb64(kept.public_key) as Bytes;
  const before = await manager.getSubscription();
  const own = before?.options.applicationServerKey;
  const fits = own instanceof ArrayBuffer && b64(new Uint8Array(own)) === kept.public_key;
  if (before && fits && kept.state !== 'ended') return before;
  await before?.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

export function givenBy(subscription: PushSubscription, language: Language): PushGiven {
  const key = (name: PushEncryptionKeyName) => b64(new Uint8Array(subscription.getKey(name)!));
  return { endpoint: subscription.endpoint, p256dh: key('p256dh'), auth: key('auth'), language };
}

/** A browser whose push service is not reached never answers. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no answer')), patienceSeconds * 1000)),
  ]);
}
