import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { b64, hex, unhex, utf8, type Bytes } from './bytes.ts';
import type { PublicJwk } from './device-protocol.ts';
import {
  checkHistory,
  leafHash,
  provesConsistency,
  provesInclusion,
  readHead,
  type HistoryAnswer,
  type LogEntry,
} from './log-proof.ts';

const { subtle } = globalThis.crypto;
const h = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest()) as Bytes;
};
const node = (left: Bytes, right: Bytes) => h(new Uint8Array([1]), left, right);
const leafOf = (entry: Bytes) => h(new Uint8Array([0]), entry);

// RFC 9162 §2.1 as it is worded, over leaf hashes.
const split = (n: number) => 2 ** Math.floor(Math.log2(n - 1));
function mth(d: Bytes[]): Bytes {
  if (d.length === 1) return d[0]!;
  const k = split(d.length);
  return node(mth(d.slice(0, k)), mth(d.slice(k)));
}
function path(m: number, d: Bytes[]): Bytes[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k ? [...path(m, d.slice(0, k)), mth(d.slice(k))] : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}
function proof(m: number, d: Bytes[], whole = true): Bytes[] {
  if (m === d.length) return whole ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...proof(m, d.slice(0, k), whole), mth(d.slice(k))]
    : [...proof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

const known = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (text) => leafOf(unhex(text)!),
);

test('the_known_entries_have_the_known_roots', () => {
  assert.equal(hex(mth(known)), '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  assert.equal(hex(mth(known.slice(0, 7))), 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c');
});

test('every_entry_of_every_size_is_proven_and_nothing_else', async () => {
  const leaves = Array.from({ length: 20 }, (_, i) => leafOf(utf8(String(i))));
  for (let size = 1; size <= 20; size++) {
    const tree = leaves.slice(0, size);
    const head = { size, root: mth(tree) };
    for (let index = 0; index < size; index++) {
      const right = path(index, tree);
      assert.ok(await provesInclusion(leaves[index]!, index, head, right), `${index} of ${size}`);
      assert.ok(!(await provesInclusion(leafOf(utf8('x')), index, head, right)));
      assert.ok(!(await provesInclusion(leaves[index]!, size, head, right)));
      assert.ok(!(await provesInclusion(leaves[index]!, index, head, [...right, head.root])));
      if (size > 1) assert.ok(!(await provesInclusion(leaves[index]!, index, head, right.slice(1))));
    }
  }
});

test('a_log_that_grew_is_told_from_one_that_was_written_anew', async () => {
  const leaves = Array.from({ length: 20 }, (_, i) => leafOf(utf8(String(i))));
  const other = [leafOf(utf8('other')), ...leaves.slice(1)];
  for (let second = 1; second <= 20; second++) {
    const after = { size: second, root: mth(leaves.slice(0, second)) };
    for (let first = 1; first <= second; first++) {
      const right = proof(first, leaves.slice(0, second));
      const before = { size: first, root: mth(leaves.slice(0, first)) };
      assert.ok(await provesConsistency(before, after, right), `${first} in ${second}`);
      assert.ok(!(await provesConsistency({ size: first, root: mth(other.slice(0, first)) }, after, right)));
      assert.ok(!(await provesConsistency(before, after, [...right, after.root])));
    }
    assert.ok(!(await provesConsistency({ size: second + 1, root: after.root }, after, [])), 'cut off');
  }
});

/** A log of one holder, as the server would send it. */
async function history(events: string[]): Promise<{ answer: HistoryAnswer; sign: (size: number, root: Bytes) => Promise<string> }> {
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { x, y } = await subtle.exportKey('jwk', pair.publicKey);
  const key: PublicJwk = { kty: 'EC', crv: 'P-256', x: x!, y: y! };
  const sign = async (size: number, root: Bytes) => {
    const part = (value: object) => b64(utf8(JSON.stringify(value)));
    const signed = `${part({ alg: 'ES256', typ: 'symbolon-log-head+jws' })}.${part({ v: 1, size, root: b64(root), at: 1 })}`;
    const signature = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, utf8(signed));
    return `${signed}.${b64(new Uint8Array(signature))}`;
  };
  const entries: LogEntry[] = [];
  const leaves: Bytes[] = [];
  for (const [i, event] of events.entries()) {
    const body = utf8(JSON.stringify({ event, detail: JSON.stringify({ browser: 'Firefox' }), salt: 'x' }));
    const entry = {
      sequence: i + 1,
      at: 1_790_000_000 + i,
      kind: event,
      id: `id${i}`,
      account: b64(h(utf8('account'))),
      content: b64(h(body)),
      previous: b64(leaves.at(-1) ?? new Uint8Array(32)),
      body: b64(body),
      path: [] as string[],
    };
    const { unb64 } = await import('./bytes.ts');
    leaves.push(unb64(await leafHash(entry))!);
    entries.push(entry);
  }
  entries.forEach((entry, i) => (entry.path = path(i, leaves).map(b64)));
  const head = await sign(leaves.length, mth(leaves));
  return { answer: { entries: entries.reverse(), head, key, consistency: [], more: false }, sign };
}

test('F3_a_history_is_believed_as_it_was_logged_and_in_no_other_form', async () => {
  const { answer, sign } = await history(['enrolled', 'refused', 'approved']);
  const good = await checkHistory(answer, null);
  assert.ok(typeof good === 'object');
  assert.deepEqual(
    good.entries.map((entry) => entry.kind),
    ['approved', 'refused', 'enrolled'],
  );
  assert.equal(good.entries[0]!.detail.browser, 'Firefox');

  const spoiled = async (change: (it: HistoryAnswer) => void) => {
    const copy = structuredClone(answer);
    change(copy);
    return checkHistory(copy, null);
  };
  assert.equal(await spoiled((it) => (it.entries[0]!.at += 1)), 'entry');
  assert.equal(await spoiled((it) => (it.entries[0]!.kind = 'refused')), 'entry');
  assert.equal(await spoiled((it) => (it.entries[0]!.sequence = 2)), 'entry');
  assert.equal(await spoiled((it) => (it.entries[0]!.body = b64(utf8('{"event":"approved"}')))), 'entry');
  assert.equal(await spoiled((it) => it.entries[0]!.path.pop()), 'entry');
  assert.equal(await spoiled((it) => (it.head = it.head.slice(0, -8) + 'AAAAAAAA')), 'head');
  assert.equal(await spoiled((it) => (it.key = { ...it.key, x: it.key.y })), 'head');

  const other = await sign(2, h(utf8('another tree')));
  assert.equal(await checkHistory(answer, { key: answer.key, head: other }), 'other_log');
  assert.equal(await checkHistory(answer, { key: answer.key, head: await sign(9, h(utf8('x'))) }), 'other_log', 'cut off');
  const stranger = await history(['enrolled']);
  assert.equal(await checkHistory(answer, { key: stranger.answer.key, head: stranger.answer.head }), 'head');
});

test('a_signature_for_another_purpose_is_no_head', async () => {
  const { answer } = await history(['enrolled']);
  assert.ok(await readHead(answer.head, answer.key));
  const [, payload, signature] = answer.head.split('.');
  const record = b64(utf8(JSON.stringify({ alg: 'ES256', typ: 'symbolon-record+jws' })));
  for (const text of ['', 'a.b', `${record}.${payload}.${signature}`, `${answer.head}.x`])
    assert.equal(await readHead(text, answer.key), null);
});
