// What a phone checks of the history that it is given (docs/device-protocol.md §5 "POST /d/history", docs/log.md): heads,
// and proofs of RFC 9162 §2.1. Nothing here reaches the network, the storage or the clock.

import { b64, concat, equal, textOf, unb64, utf8, type Bytes } from './bytes.ts';
import { sha256, signedString, type PublicJwk } from './device-protocol.ts';

const subtle = globalThis.crypto.subtle;

export type LogEntry = {
  sequence: number;
  at: number;
  kind: string;
  id: string;
  account: string;
  content: string;
  previous: string;
  body: string;
  path: string[];
};
export type HistoryAnswer = {
  entries: LogEntry[];
  head: string;
  key: PublicJwk;
  consistency: string[];
  more: boolean;
};
export type Head = { size: number; root: Bytes };
/** What the phone keeps of the log: the key that it saw first, and the last head. */
export type KnownLog = { key: PublicJwk; head: string };

export type Detail = {
  partner?: { name: Record<string, string>; domain: string };
  browser?: string;
  entry?: string;
  claims?: string[];
  outcome?: string;
  reason?: string;
  name?: string;
  muted_until?: number;
};
export type HistoryEntry = { sequence: number; at: number; kind: string; detail: Detail };

/** Why a history is not believed. */
export type Doubt = 'head' | 'other_log' | 'entry';

const leaf = new Uint8Array([0]);
const inner = new Uint8Array([1]);

const nodeHash = (left: Bytes, right: Bytes) => sha256(concat(inner, left, right));

/** Sizes go beyond 32 bits, so halves are taken by division. */
const half = (n: number) => Math.floor(n / 2);
const odd = (n: number) => n % 2 === 1;

/** RFC 9162 §2.1.3.2. `index` counts from 0. */
export async function provesInclusion(hash: Bytes, index: number, head: Head, path: Bytes[]): Promise<boolean> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= head.size) return false;
  let [fn, sn, r] = [index, head.size - 1, hash];
  for (const p of path) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      r = await nodeHash(p, r);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else r = await nodeHash(r, p);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(r, head.root);
}

/** RFC 9162 §2.1.4.2: the second tree begins with the first. */
export async function provesConsistency(first: Head, second: Head, path: Bytes[]): Promise<boolean> {
  if (first.size === 0) return true;
  if (first.size > second.size) return false;
  if (first.size === second.size) return path.length === 0 && equal(first.root, second.root);
  if (path.length === 0) return false;
  let [fn, sn] = [first.size - 1, second.size - 1];
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  // The first tree is a power of two: its root begins the proof.
  const whole = fn === 0 ? [first.root, ...path] : path;
  let [fr, sr] = [whole[0]!, whole[0]!];
  for (const c of whole.slice(1)) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      fr = await nodeHash(c, fr);
      sr = await nodeHash(c, sr);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = await nodeHash(sr, c);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(fr, first.root) && equal(sr, second.root);
}

/** A head of the log, where its signature is by `key`. */
export async function readHead(jws: string, key: PublicJwk): Promise<Head | null> {
  try {
    const [header, payload, signature, ...more] = jws.split('.');
    const signed = unb64(signature ?? '');
    const said = JSON.parse(textOf(unb64(header ?? '')!)) as { alg?: unknown; typ?: unknown };
    if (!signed || more.length > 0 || said.alg !== 'ES256' || said.typ !== 'symbolon-log-head+jws') return null;
    const { kty, crv, x, y } = key;
    const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
    const verifier = await subtle.importKey('jwk', { kty, crv, x, y }, p256, false, ['verify']);
    const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
    if (!(await subtle.verify(ecdsa, verifier, signed, utf8(`${header}.${payload}`)))) return null;
    const { size, root } = JSON.parse(textOf(unb64(payload!)!)) as { size: unknown; root: unknown };
    const bytes = typeof root === 'string' ? unb64(root) : null;
    return Number.isSafeInteger(size) && (size as number) >= 0 && bytes?.length === 32
      ? { size: size as number, root: bytes }
      : null;
  } catch {
    return null;
  }
}

function hashes(texts: string[]): Bytes[] | null {
  const all = texts.map(unb64);
  return all.every((hash): hash is Bytes => hash?.length === 32) ? all : null;
}

/** The entry, where it is in the tree of that head and its body is what was logged. */
async function readEntry(entry: LogEntry, head: Head): Promise<HistoryEntry | null> {
  const [account, content, previous, body] = [entry.account, entry.content, entry.previous, entry.body].map(unb64);
  const path = hashes(entry.path);
  if (!account || !content || !previous || !body || !path) return null;
  const { sequence, at, kind, id } = entry;
  const logged = signedString('symbolon-log-v1', sequence, at, kind, id, account, content, previous);
  if (!(await provesInclusion(await sha256(concat(leaf, logged)), sequence - 1, head, path))) return null;
  if (!equal(await sha256(body), content)) return null;
  try {
    const { event, detail } = JSON.parse(textOf(body)) as { event: unknown; detail?: string };
    if (event !== kind) return null;
    return { sequence, at, kind, detail: JSON.parse(detail || '{}') as Detail };
  } catch {
    return null;
  }
}

/** Every check of the protocol, in its order. Gives the entries and what is to be kept, or why they are not believed. */
export async function checkHistory(
  answer: HistoryAnswer,
  known: KnownLog | null,
): Promise<{ entries: HistoryEntry[]; known: KnownLog; size: number } | Doubt> {
  const key = known?.key ?? answer.key;
  const head = await readHead(answer.head, key);
  if (!head) return 'head';
  if (known) {
    const before = await readHead(known.head, key);
    const path = hashes(answer.consistency);
    if (!before || !path || !(await provesConsistency(before, head, path))) return 'other_log';
  }
  const entries = await Promise.all(answer.entries.map((entry) => readEntry(entry, head)));
  if (!entries.every((entry): entry is HistoryEntry => entry !== null)) return 'entry';
  const { kty, crv, x, y } = key;
  return { entries, known: { key: { kty, crv, x, y }, head: answer.head }, size: head.size };
}

/** For tests and the stand-in server: the leaf hash of an entry. */
export async function leafHash(entry: Omit<LogEntry, 'path' | 'body'>): Promise<string> {
  const [account, content, previous] = [entry.account, entry.content, entry.previous].map((text) => unb64(text)!);
  const { sequence, at, kind, id } = entry;
  const logged = signedString('symbolon-log-v1', sequence, at, kind, id, account!, content!, previous!);
  return b64(await sha256(concat(leaf, logged)));
}
