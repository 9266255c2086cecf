// Against the vectors that the C++ side passes too (docs/device-protocol-vectors.json).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { b64, concat, equal, textOf, unb64, utf8, type Bytes } from './bytes.ts';
import { refusalOfCode, type CodeRules } from './code-rules.ts';
import * as device from './device-protocol.ts';

const vectors = JSON.parse(readFileSync(new URL('../../docs/device-protocol-vectors.json', import.meta.url), 'utf8'));
const { subtle } = crypto;
const bytes = (text: string): Bytes => unb64(text)!;
const empty = new Uint8Array();
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };

/** The phone of the vectors; its keys come from the file. */
async function phone(): Promise<device.DeviceKeys> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
  const signing = await subtle.importKey('pkcs8', bytes(vectors.device_key.pkcs8), p256, false, ['sign']);
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const codeSecret = await subtle.importKey('raw', bytes(vectors.code_key.kh), hmac, false, ['sign']);
  return { did: vectors.did, publicJwk: vectors.device_key.public, signing, codeSecret };
}

async function deviceSigned(signature: Bytes, message: Bytes): Promise<boolean> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await subtle.importKey('jwk', vectors.device_key.public, p256, true, ['verify']);
  return subtle.verify(ecdsa, key, signature, message);
}

async function codeSigned(signature: Bytes, message: Bytes): Promise<boolean> {
  const key = await subtle.importKey('raw', bytes(vectors.code_key.pk), 'Ed25519', true, ['verify']);
  return subtle.verify('Ed25519', key, signature, message);
}

/** What the vault does: §2 Seal from the recipient's side. */
async function open(sealed: Bytes, aad: Bytes): Promise<Bytes> {
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
  const own = await subtle.importKey('pkcs8', bytes(vectors.vault_key.pkcs8), ecdh, false, ['deriveBits']);
  const { x, y } = vectors.vault_key.public;
  const from = sealed.slice(0, 65);
  const sender = await subtle.importKey('raw', from, ecdh, true, []);
  const z = await subtle.deriveBits({ name: 'ECDH', public: sender }, own, 256);
  const ikm = await subtle.importKey('raw', z, 'HKDF', false, ['deriveBits']);
  const salt = concat(from, new Uint8Array([4]), bytes(x), bytes(y));
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8('symbolon-seal-v1') };
  const okm = new Uint8Array(await subtle.deriveBits(hkdf, ikm, 352));
  const key = await subtle.importKey('raw', okm.slice(0, 32), 'AES-GCM', false, ['decrypt']);
  const gcm = { name: 'AES-GCM', iv: okm.slice(32), additionalData: aad };
  return new Uint8Array(await subtle.decrypt(gcm, key, sealed.slice(65)));
}

test('signed_strings_are_those_of_the_vectors', () => {
  const { statement, list } = vectors;
  assert.equal(b64(device.signedString(statement.domain, ...statement.fields.map(bytes))), statement.bytes);
  assert.equal(b64(device.list(list.items)), list.bytes);
});

test('the_name_of_the_phone_is_the_thumbprint_of_its_key', async () => {
  assert.equal(await device.thumbprint(vectors.device_key.public), vectors.did);
});

test('the_code_key_comes_from_the_code_and_the_secret_of_the_phone', async () => {
  const { codeSecret, did } = await phone();
  const seed = await device.codeSeed(codeSecret, did, vectors.code_key.ver, vectors.code_key.code);
  assert.equal(b64(seed), vectors.code_key.seed);
  assert.equal(b64(await device.codePublicKey(seed)), vectors.code_key.pk);
  const signature = await device.codeSignature(seed, bytes(vectors.approve.m));
  assert.equal(b64(signature), vectors.approve.code_signature);
});

test('a_seal_is_opened_by_the_vault_alone', async () => {
  const { seal } = vectors;
  assert.equal(b64(await open(bytes(seal.sealed), bytes(seal.aad))), seal.plain);
  const sealed = await device.seal(vectors.vault_key.public, bytes(seal.plain), bytes(seal.aad));
  assert.equal(sealed.length, bytes(seal.plain).length + 81);
  assert.equal(b64(await open(sealed, bytes(seal.aad))), seal.plain);
  await assert.rejects(open(sealed, utf8('another binding')));
});

test('a_signed_request_is_that_of_the_vectors', async () => {
  const { method, path, nonce, body, statement, authorization } = vectors.request;
  assert.equal(b64(await device.requestString(method, path, nonce, utf8(body))), statement);
  const made = await device.authorization(await phone(), method, path, nonce, utf8(body));
  const [before, signature] = made.split(', signature=');
  assert.equal(before, authorization.split(', signature=')[0]);
  assert.ok(await deviceSigned(bytes(signature!), bytes(statement)));
});

test('A4_the_end_of_an_enrolment_is_that_of_the_vectors', async () => {
  const { nonce, e, opened, statement, body } = vectors.enrol;
  assert.equal(b64(device.codeKeyString(bytes(nonce), vectors.did, 1)), e);
  assert.equal(b64(await device.enrolString(bytes(nonce), vectors.did, 1, bytes(body.code_key), body.name, empty)), statement);
  assert.equal(b64(await open(bytes(body.code_key), bytes(e))), opened);

  const keys = await phone();
  const made = await device.finishEnrolment(
    keys,
    vectors.code_key.code,
    body.name,
    bytes(nonce),
    vectors.vault_key.public,
    empty,
  );
  assert.deepEqual(
    { ...made, session: body.session, code_key: '', signature: '' },
    { ...body, code_key: '', signature: '' },
  );
  assert.equal(b64(await open(bytes(made.code_key), bytes(e))), opened);
  const signed = await device.enrolString(bytes(nonce), vectors.did, 1, bytes(made.code_key), body.name, empty);
  assert.ok(await deviceSigned(bytes(made.signature), signed));
});

for (const answer of ['approve', 'refuse'] as const) {
  test(`D1_the_answer_${answer}_is_that_of_the_vectors`, async () => {
    const { body, m, proof_context, signed } = vectors[answer];
    const tx = bytes(vectors.tx.bytes);
    const action = JSON.parse(textOf(tx)).action as string;
    assert.equal(b64(await device.sha256(tx)), vectors.tx.h);
    assert.equal(b64(device.answerString(bytes(vectors.tx.h), vectors.did, body, bytes(body.ratchet))), m);
    assert.equal(b64(device.proofString(action, vectors.did, 1)), proof_context);
    assert.equal(b64(await device.answerSignatureString(bytes(m), bytes(body.proof))), signed);
    assert.ok(await deviceSigned(bytes(body.signature), bytes(signed)));

    const choice: device.Choice =
      answer === 'approve'
        ? { answer, symbol: body.symbol, claims: body.claims, code: vectors.code_key.code }
        : { answer, reason: body.reason };
    const made = await device.makeAnswer(
      await phone(),
      1,
      vectors.vault_key.public,
      action,
      tx,
      bytes(body.ratchet),
      choice,
    );
    assert.deepEqual({ ...made, proof: '', signature: '' }, { ...body, proof: '', signature: '' });
    if (answer === 'approve')
      assert.ok(await codeSigned(await open(bytes(made.proof), bytes(proof_context)), bytes(m)));
    else assert.equal(made.proof, '');
    const text = await device.answerSignatureString(bytes(m), bytes(made.proof));
    assert.ok(await deviceSigned(bytes(made.signature), text));
  });
}

test('D1_the_fingerprint_is_turned_on_and_approves_as_in_the_vectors', async () => {
  const { nonce, challenge, registration, on, approve } = vectors.passkey;
  assert.equal(b64(await device.passkeyChallenge(bytes(nonce), vectors.did)), challenge);
  const made = await device.makePasskeyOn(
    await phone(),
    1,
    vectors.vault_key.public,
    bytes(nonce),
    bytes(on.body.ratchet),
    bytes(registration),
    vectors.code_key.code,
  );
  assert.deepEqual({ ...made, proof: '', signature: '' }, { ...on.body, proof: '', signature: '' });
  const m = await device.passkeyOnString(bytes(nonce), vectors.did, bytes(on.body.ratchet), bytes(registration));
  assert.equal(b64(m), on.m);
  assert.equal(b64(device.proofString(`passkey-on.${nonce}`, vectors.did, 1)), on.proof_context);
  assert.ok(await codeSigned(await open(bytes(made.proof), bytes(on.proof_context)), m));
  assert.ok(await deviceSigned(bytes(on.body.signature), bytes(on.signed)));

  const action = JSON.parse(vectors.tx.text).action as string;
  const { symbol, claims, proof, ratchet } = approve.body;
  let asked = empty;
  const sign = async (given: Bytes) => ((asked = given), bytes(proof));
  const answer = await device.makeAnswer(
    await phone(),
    1,
    vectors.vault_key.public,
    action,
    bytes(vectors.tx.bytes),
    bytes(ratchet),
    { answer: 'approve', symbol, claims, assert: sign },
  );
  assert.deepEqual({ ...answer, signature: '' }, { ...approve.body, signature: '' });
  assert.equal(b64(asked), approve.challenge);
  assert.ok(await deviceSigned(bytes(answer.signature), bytes(approve.signed)));
});

test('A6_codes_are_refused_as_in_the_vectors', () => {
  const { code_rules, cases } = vectors.codes as { code_rules: CodeRules; cases: { code: string; refused: string }[] };
  for (const { code, refused } of cases) {
    const reason = refusalOfCode(code, code_rules);
    assert.equal(reason ?? '', refused ?? '', code);
  }
});

const shown = (change: (tx: Record<string, unknown>) => void): Bytes => {
  const tx = JSON.parse(vectors.tx.text);
  change(tx);
  return utf8(JSON.stringify(tx));
};

test('D1_a_request_is_shown_only_if_this_app_understands_all_of_it', () => {
  const action = JSON.parse(vectors.tx.text).action;
  const read = (tx: Bytes) => device.readTransaction(tx, action, vectors.did);
  const good = read(bytes(vectors.tx.bytes));
  assert.ok(typeof good === 'object');
  assert.equal(good.partner.domain, 'bank.example');
  assert.equal(good.symbols.length, 6);

  assert.equal(read(shown((tx) => (tx.v = 2))), 'unknown_kind');
  assert.equal(read(shown((tx) => (tx.verb = 'pay'))), 'unknown_kind');
  assert.equal(read(shown((tx) => (tx.entry = 'smoke'))), 'unknown_kind');
  assert.equal(read(shown((tx) => (tx.symbols = []))), 'malformed');
  assert.equal(read(shown((tx) => (tx.did = 'x'))), 'not_for_this_phone');
  assert.equal(read(shown((tx) => (tx.action = 'x'))), 'not_for_this_phone');
  assert.equal(read(utf8('{"v":1')), 'malformed');
  assert.equal(read(new Uint8Array([0xff])), 'malformed');
  assert.equal(read(shown((tx) => (tx.symbols = ['boat', 'boat', 'sun', 'tree', 'dog', 'tent']))), 'malformed');
  assert.equal(read(shown((tx) => (tx.symbols = ['boat', 'key', 'sun', 'tree', 'dog', 'tent']))), 'malformed');
  assert.equal(read(shown((tx) => (tx.claims = [{ name: 'email' }]))), 'malformed');
  assert.equal(read(shown((tx) => (tx.partner = { name: {}, domain: 'x' }))), 'malformed');
});

test('a_key_pair_of_this_phone_cannot_be_exported', async () => {
  const keys = await device.makeDeviceKeys();
  assert.equal(keys.did.length, 43);
  await assert.rejects(subtle.exportKey('pkcs8', keys.signing));
  await assert.rejects(subtle.exportKey('raw', keys.codeSecret));
});

test('base64url_is_read_strictly', () => {
  for (const text of ['A', 'AA=', 'AA==', 'A+', 'A/', 'AB', ' AA', 'AAAAB']) assert.equal(unb64(text), null, text);
  assert.ok(equal(bytes('_-8'), new Uint8Array([0xff, 0xef])));
  assert.equal(b64(new Uint8Array()), '');
});

test('D3_a_request_that_the_camera_saw_has_no_symbol_and_one_of_a_link_needs_it_later', () => {
  const action = JSON.parse(vectors.tx.text).action;
  const read = (text: string) => device.readTransaction(utf8(text), action, vectors.did) as device.Transaction;
  const [seen, linked, typed] = [read(vectors.tx_qr.text), read(vectors.tx_link.text), read(vectors.tx.text)];
  assert.deepEqual(seen.symbols, []);
  assert.equal(linked.symbols.length, 6);
  assert.deepEqual([seen, linked, typed].map(device.wantsSymbol), [false, false, true]);
});

test('D2_a_match_is_that_of_the_vectors', async () => {
  const { statement, body } = vectors.match;
  const tx = utf8(vectors.tx_link.text);
  assert.equal(b64(device.matchString(await device.sha256(tx), vectors.did, body.symbol)), statement);
  const made = await device.makeMatch(await phone(), tx, body.symbol);
  assert.deepEqual({ ...made, signature: '' }, { ...body, signature: '' });
  assert.ok(await deviceSigned(bytes(made.signature), bytes(statement)));
  assert.ok(await deviceSigned(bytes(body.signature), bytes(statement)));
});

test('D3_an_address_is_a_claim_only_on_the_origin_of_the_app_and_in_its_one_form', () => {
  const origin = 'https://phone.example';
  const read = (address: string) => device.claimOfAddress(address, origin, 'scan');
  assert.deepEqual(read(`${origin}/app/#qr=a_b.41.c-d`), { by: 'scan', value: 'a_b.41.c-d' });
  assert.deepEqual(device.claimOfAddress(`${origin}/app/#qr=a.1.b`, origin, 'address'), { by: 'address', value: 'a.1.b' });
  assert.deepEqual(read(`${origin}/app/#link=a.b`), { by: 'link', value: 'a.b' }, 'a picture of a link is a link');
  for (const other of ['', 'hello', 'https://evil.example/app/#qr=a.1.b', `${origin}/app/#qr=`, `${origin}/app/#qr=a b`, `${origin}/app/#token=a.b`])
    assert.equal(read(other), null, other);
});
