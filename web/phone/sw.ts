// The service worker by hand: keeps the shell of its version, so that the app opens without a network, and shows notifications.
// It never touches what the app asks of /d/: no request or answer of the device protocol is read, kept or repeated here. The
// one request that it makes itself says that the browser has changed its push subscription.

import { isLanguage, type Language } from '../shared/language.ts';
import { unb64, type Bytes } from '../shared/bytes.ts';
import { givenBy } from './push.ts';
import { Server } from './server.ts';
import { load } from './store.ts';

declare const __SHELL__: string[];
declare const __VERSION__: string;

type Waits = Event & { waitUntil(work: Promise<unknown>): void };
type Fetches = Waits & { request: Request; respondWith(answer: Promise<Response>): void };
type Pushed = Waits & { data: { text(): string } | null };
type Clicked = Waits & { notification: Notification };
type Changed = Waits & { newSubscription?: PushSubscription | null };
type Window = { url: string; focus(): Promise<unknown>; postMessage(message: unknown): void };
type Scope = {
  addEventListener(name: 'install' | 'activate', on: (event: Waits) => void): void;
  addEventListener(name: 'fetch', on: (event: Fetches) => void): void;
  addEventListener(name: 'message', on: (event: MessageEvent) => void): void;
  addEventListener(name: 'push', on: (event: Pushed) => void): void;
  addEventListener(name: 'notificationclick', on: (event: Clicked) => void): void;
  addEventListener(name: 'pushsubscriptionchange', on: (event: Changed) => void): void;
  skipWaiting(): Promise<void>;
  registration: ServiceWorkerRegistration;
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<Window[]>;
    openWindow(address: string): Promise<unknown>;
  };
};

const worker = self as unknown as Scope;
const cacheName = `symbolon-${__VERSION__}`;

worker.addEventListener('install', (event) => {
  const fresh = __SHELL__.map((path) => new Request(path, { cache: 'reload' }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(fresh)));
});

worker.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys())
      if (name.startsWith('symbolon-') && name !== cacheName) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener('message', (event) => {
  if (event.data === 'take over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/d/')) return;
  const page = event.request.mode === 'navigate' && url.pathname.startsWith('/app/');
  const path = page ? '/app/' : url.pathname;
  if (!__SHELL__.includes(path)) return;
  event.respondWith(caches.open(cacheName).then(async (cache) => (await cache.match(path)) ?? fetch(event.request)));
});

// ---- notifications -----------------------------------------------------------------------------------------------------

type Told = { title: string; body: string; language: string; action: string };

const tag = 'action';

/** How long a request usually waits. By this phone's own clock: the message says when it ends by the server's. */
const waits = 180_000;
const title = 'Symbolon';

/** Where a message can't be read: the same sentence as texts/push.*.json. */
const bodies: Record<Language, string> = {
  fr: 'Une demande vous attend. Ouvrez Symbolon pour la voir.',
  nl: 'Er wacht een verzoek op u. Open Symbolon om het te bekijken.',
  de: 'Eine Anfrage wartet. Öffnen Sie Symbolon, um sie anzusehen.',
  en: 'A request is waiting. Open Symbolon to look at it.',
};

function read(text: string | undefined): Told | null {
  try {
    const { notification, action } = JSON.parse(text ?? '') as Record<string, unknown>;
    const { title, body, lang } = notification as Record<string, unknown>;
    if (typeof title !== 'string' || typeof body !== 'string' || typeof lang !== 'string') return null;
    if (typeof action !== 'string' || !/^[\w-]{1,64}$/.test(action)) return null;
    return { title, body, language: lang, action };
  } catch {
    return null;
  }
}

async function spoken(): Promise<Language> {
  const kept = await load('language').catch(() => null);
  return isLanguage(kept ?? undefined) ? (kept as Language) : 'fr';
}

/** Every message shows something: browsers take the permission away from who is called for nothing. */
async function show(text: string | undefined): Promise<void> {
  const told = read(text);
  const language = await spoken();
  // One notification for all that waits. It rings again only where the one before is of something that is over.
  const shown = await worker.registration.getNotifications({ tag });
  const isOpen = (one: Notification) => {
    const age = Date.now() - ((one.data as { shownAt?: number } | null)?.shownAt ?? 0);
    return age >= 0 && age < waits;
  };
  const rings = !shown.some(isOpen);
  await worker.registration.showNotification(told?.title ?? title, {
    body: told?.body ?? bodies[language],
    lang: told?.language ?? language,
    tag,
    icon: '/app/icons/icon-192.png',
    data: { action: told?.action ?? '', shownAt: told ? Date.now() : 0 },
    ...({ renotify: rings, silent: !rings } as NotificationOptions),
  });
}

/** To the request, in the window that is open already, if there is one. */
async function open(action: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const app = windows.find(({ url }) => new URL(url).pathname.startsWith('/app/'));
  if (!app) return void (await worker.clients.openWindow(action ? `/app/#action=${action}` : '/app/'));
  app.postMessage({ open: action || undefined });
  await app.focus();
}

/** The browser has changed or lost its subscription (Push API, pushsubscriptionchange): the server gets the new one. */
async function renew(given: PushSubscription | null | undefined): Promise<void> {
  const device = await load('device');
  if (!device || !(await load('push'))?.wanted) return;
  const language = await spoken();
  const server = new Server(device.keys, language);
  const kept = await server.push();
  if (!kept.ok) return;
  const key = unb64(kept.value.public_key) as Bytes;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = given ?? (await worker.registration.pushManager.subscribe(options));
  await server.pushOn(givenBy(subscription, language));
}

worker.addEventListener('push', (event) => event.waitUntil(show(event.data?.text())));
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open((event.notification.data as { action?: string } | null)?.action ?? ''));
});
worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event.newSubscription)));
