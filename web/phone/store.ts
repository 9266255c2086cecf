// What the phone keeps: in IndexedDB, each write on disk before it counts as done (docs/device-protocol.md §5).

import type { CodeRules } from '../shared/code-rules.ts';
import type { Bytes } from '../shared/bytes.ts';
import type { DeviceKeys, PublicJwk } from '../shared/device-protocol.ts';
import type { KnownLog } from '../shared/log-proof.ts';

/** A phone that is bound to an account. */
export type Device = {
  keys: DeviceKeys;
  codeVersion: number;
  vaultKey: PublicJwk;
  ratchet: Bytes;
  /** The one before, until the next success. */
  previousRatchet: Bytes | null;
  /** Id of the passkey, while the fingerprint is on. Absent on phones linked before there was one. */
  passkey?: string | null;
  phoneNumber: string;
  name: string;
  /** What said who the holder is: the name of a bank, or '' for the card. Absent on phones linked before there were banks. */
  bank?: string;
};

/** An enrolment under way; it survives a reload. */
export type Enrolment = {
  session: string;
  /** '' and null until the SMS is sent. */
  nonce: string;
  vaultKey: PublicJwk | null;
  region: string;
  number: string;
  smsAgainAt: number;
  step: 'bank' | 'landed' | 'sms' | 'code';
  /** Through a bank: the one that was chosen last. Absent with the card. */
  bank?: { id: string; name: string } | null;
  /** A bank said that the holder is under 18. */
  minor?: boolean;
  /** An account comes to this phone. */
  moves?: boolean;
  /** Another account has the number, and loses it when this phone is linked. Known once the SMS code was typed. */
  takesNumber?: boolean;
  codeRules: CodeRules | null;
  /** Made before they are sent. */
  keys: DeviceKeys | null;
  /** The request under way, so that the very same is sent again when its answer was lost; gone once it is answered. */
  finish: string | null;
  /** Id of the passkey in that request. */
  passkey?: string | null;
};

/** What the holder wants of notifications. */
export type PushWish = {
  /** A login was approved on this phone. */
  approved?: boolean;
  /** Turned on, or not (for now); absent: not asked yet. */
  wanted?: boolean;
};

type Kept = { device: Device; enrolment: Enrolment; language: string; log: KnownLog; push: PushWish };
type Name = keyof Kept;

const storeName = 'phone';
let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((done, fail) => {
    const request = indexedDB.open('symbolon', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onsuccess = () => {
      request.result.onclose = () => (opened = null);
      done(request.result);
    };
    request.onerror = () => fail(request.error);
    request.onblocked = () => fail(new Error('blocked'));
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** How a connection shows that the browser has ended it: its process died, or the data were deleted. */
const lost = ['InvalidStateError', 'UnknownError', 'AbortError'];

/** With a new connection, once, where the one at hand was lost. */
async function connected<T>(work: (db: IDBDatabase) => Promise<T>): Promise<T> {
  const connection = database();
  try {
    return await work(await connection);
  } catch (error) {
    if (!lost.includes((error as DOMException | null)?.name ?? '')) throw error;
    if (opened === connection) opened = null;
    return work(await database());
  }
}

export function load<N extends Name>(name: N): Promise<Kept[N] | null> {
  return connected(
    (db) =>
      new Promise((done, fail) => {
        const request = db.transaction(storeName).objectStore(storeName).get(name);
        request.onsuccess = () => done((request.result as Kept[N] | undefined) ?? null);
        request.onerror = () => fail(request.error);
      }),
  );
}

/** All changes or none; `null` removes. */
export function save(changes: { [N in Name]?: Kept[N] | null }): Promise<void> {
  return connected(
    (db) =>
      new Promise((done, fail) => {
        const transaction = db.transaction(storeName, 'readwrite', { durability: 'strict' });
        const store = transaction.objectStore(storeName);
        for (const [name, value] of Object.entries(changes))
          value === null ? store.delete(name) : store.put(value, name);
        transaction.oncomplete = () => done();
        transaction.onerror = transaction.onabort = () => fail(transaction.error);
      }),
  );
}
