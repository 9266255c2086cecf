// The phone's side of docs/device-protocol.md: keys, signed byte strings, seals. Nothing here reaches the network, the
// storage or the clock; randomness comes from WebCrypto alone, inside the functions that make keys and seals.

import { b64, concat, textOf, unb64, utf8, type Bytes } from './bytes.ts';

const subtle = globalThis.crypto.subtle;
const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Public P-256 key, RFC 7518 §6.2.1: these four members and no other. */
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string };

// ---- §1 notation ---------------------------------------------------------------------------------------------------

/** L(x): the length in 4 bytes, most significant first, and x. */
export function prefixed(x: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, x.length);
  return concat(length, x);
}

/** S(d, x1, …, xn). Text goes in as UTF-8, a number as decimal digits. */
export function signedString(domain: string, ...fields: (Uint8Array | string | number)[]): Bytes {
  return concat(prefixed(utf8(domain)), ...fields.map((field) => prefixed(fieldBytes(field))));
}

/** list(x1, …, xn) as the content of one field. */
export function list(items: readonly string[]): Bytes {
  return concat(...items.map((item) => prefixed(utf8(item))));
}

/** The same of byte strings. */
export function byteList(...items: readonly Uint8Array[]): Bytes {
  return concat(...items.map(prefixed));
}

export async function sha256(x: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.digest('SHA-256', x));
}

function fieldBytes(field: Uint8Array | string | number): Uint8Array {
  return typeof field === 'object' ? field : utf8(String(field));
}

// ---- §2 keys -------------------------------------------------------------------------------------------------------

/** The keys that live on the phone. CryptoKeys that can't be exported; IndexedDB keeps them as they are. */
export type DeviceKeys = { did: string; publicJwk: PublicJwk; signing: CryptoKey; codeSecret: CryptoKey };

/** RFC 7638 thumbprint with SHA-256, b64. */
export async function thumbprint(jwk: PublicJwk): Promise<string> {
  return b64(await sha256(utf8(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`)));
}

export async function makeDeviceKeys(): Promise<DeviceKeys> {
  const pair = await subtle.generateKey(p256, false, ['sign', 'verify']);
  const exported = await subtle.exportKey('jwk', pair.publicKey);
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x: exported.x!, y: exported.y! };
  const codeSecret = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']);
  return { did: await thumbprint(publicJwk), publicJwk, signing: pair.privateKey, codeSecret };
}

const pkcs8OfEd25519 = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

/** seed = HMAC-SHA-256(KH, "pin-v1" ‖ 00 ‖ did ‖ 00 ‖ ver ‖ 00 ‖ code) */
export async function codeSeed(codeSecret: CryptoKey, did: string, version: number, code: string): Promise<Bytes> {
  const text = utf8(['pin-v1', did, String(version), code].join('\0'));
  return new Uint8Array(await subtle.sign('HMAC', codeSecret, text));
}

async function codeKey(seed: Bytes): Promise<CryptoKey> {
  return subtle.importKey('pkcs8', concat(pkcs8OfEd25519, seed), 'Ed25519', false, ['sign']);
}

/** pk, 32 bytes: what only the vault may see. */
export async function codePublicKey(seed: Bytes): Promise<Bytes> {
  const key = await subtle.importKey('pkcs8', concat(pkcs8OfEd25519, seed), 'Ed25519', true, ['sign']);
  const jwk = await subtle.exportKey('jwk', key);
  return unb64(jwk.x!)!;
}

export async function codeSignature(seed: Bytes, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.sign('Ed25519', await codeKey(seed), message));
}

export async function deviceSignature(keys: DeviceKeys, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.sign(ecdsa, keys.signing, message));
}

// ---- §2 seal -------------------------------------------------------------------------------------------------------

/**
 * E ‖ AES-256-GCM(x), 81 bytes more than x; only the holder of the private key of `recipient` opens it.
 * `ephemeral` is given by the tests with vectors alone.
 */
export async function seal(recipient: PublicJwk, x: Bytes, aad: Bytes, ephemeral?: CryptoKeyPair): Promise<Bytes> {
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' } as const;
  const { kty, crv, x: px, y: py } = recipient;
  const pair = ephemeral ?? (await subtle.generateKey(ecdh, false, ['deriveBits']));
  const to = await subtle.importKey('jwk', { kty, crv, x: px, y: py }, ecdh, true, []);
  const from = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  const salt = concat(from, new Uint8Array(await subtle.exportKey('raw', to)));
  const z = await subtle.deriveBits({ name: 'ECDH', public: to }, pair.privateKey, 256);
  const ikm = await subtle.importKey('raw', z, 'HKDF', false, ['deriveBits']);
  const info = utf8('symbolon-seal-v1');
  const okm = new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, ikm, 44 * 8));
  const key = await subtle.importKey('raw', okm.slice(0, 32), 'AES-GCM', false, ['encrypt']);
  const box = await subtle.encrypt({ name: 'AES-GCM', iv: okm.slice(32), additionalData: aad }, key, x);
  return concat(from, new Uint8Array(box));
}

// ---- §3 signed requests --------------------------------------------------------------------------------------------

export async function requestString(method: string, path: string, nonce: string, body: Bytes): Promise<Bytes> {
  return signedString('symbolon-request-v1', method, path, nonce, await sha256(body));
}

/** The value of the header Authorization. `body`: the exact bytes, empty for nothing. */
export async function authorization(
  keys: DeviceKeys,
  method: string,
  path: string,
  nonce: string,
  body: Bytes,
): Promise<string> {
  const signature = await deviceSignature(keys, await requestString(method, path, nonce, body));
  return `Symbolon-Device did=${keys.did}, nonce=${nonce}, signature=${b64(signature)}`;
}

// ---- §4 enrolment --------------------------------------------------------------------------------------------------

export type EnrolmentFinish = {
  device_key: PublicJwk;
  code_key: string;
  name: string;
  passkey: string;
  signature: string;
};

/** What a new passkey signs. `nonce`: of the enrolment or from /d/passkey/challenge, 32 bytes. */
export async function passkeyChallenge(nonce: Bytes, did: string): Promise<Bytes> {
  return sha256(signedString('symbolon-passkey-v1', nonce, did));
}

export function codeKeyString(nonce: Bytes, did: string, version: number): Bytes {
  return signedString('symbolon-code-key-v1', nonce, did, version);
}

export async function enrolString(
  nonce: Bytes,
  did: string,
  version: number,
  sealed: Bytes,
  name: string,
  passkey: Uint8Array,
): Promise<Bytes> {
  return signedString('symbolon-enrol-v1', nonce, did, version, await sha256(sealed), name, passkey);
}

/**
 * What POST /d/enrol/finish carries beside the session. `nonce`: 32 bytes from the server; `passkey`: empty where the
 * fingerprint stays off.
 */
export async function finishEnrolment(
  keys: DeviceKeys,
  code: string,
  name: string,
  nonce: Bytes,
  vaultKey: PublicJwk,
  passkey: Bytes,
): Promise<EnrolmentFinish> {
  const version = 1;
  const seed = await codeSeed(keys.codeSecret, keys.did, version, code);
  const e = codeKeyString(nonce, keys.did, version);
  const sealed = await seal(vaultKey, concat(await codePublicKey(seed), await codeSignature(seed, e)), e);
  seed.fill(0);
  const x = await enrolString(nonce, keys.did, version, sealed, name, passkey);
  return {
    device_key: keys.publicJwk,
    code_key: b64(sealed),
    name,
    passkey: b64(passkey),
    signature: b64(await deviceSignature(keys, x)),
  };
}

// ---- §5 actions ----------------------------------------------------------------------------------------------------

export const symbols = (
  'airplane anchor bicycle bird boat book cactus car cherries cow dog fish ' +
  'glasses guitar hammer ladder moon pizza scissors sun tent train tree umbrella'
).split(' ');

/** `before`: what the holder said of it on an earlier visit. */
export type Claim = { name: string; required: boolean; before?: 'shared' | 'kept_back' };

/** What the server asks, drawn from the exact bytes and nothing else. */
export type Transaction = {
  action: string;
  partner: { name: Record<string, string>; domain: string };
  verb: 'log_in';
  claims: Claim[];
  from: { browser: string; place?: string };
  createdAt: number;
  expiresAt: number;
  entry: Entry;
  /** Six, or none where the camera saw the page. */
  symbols: string[];
  /** The code is not enough for this partner. */
  needsPasskey: boolean;
};

/** How the request reached this phone. */
const entries = ['number', 'code', 'qr', 'link'] as const;
export type Entry = (typeof entries)[number];

/** Whether one of the symbols is part of an approval. A link is approved without, and may need it afterwards. */
export function wantsSymbol(tx: Transaction): boolean {
  return tx.entry !== 'link' && tx.symbols.length > 0;
}

export type TransactionRefusal = 'malformed' | 'unknown_kind' | 'not_for_this_phone';

type Json = { [key: string]: unknown };
const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x);
const isText = (x: unknown): x is string => typeof x === 'string';

/**
 * Reads the bytes of `tx`. Refuses, first match wins: what is no such JSON (`malformed`), a version, verb or entry that
 * this app doesn't know (`unknown_kind`: the holder is told to update), another action or phone (`not_for_this_phone`).
 */
export function readTransaction(bytes: Bytes, action: string, did: string): Transaction | TransactionRefusal {
  let tx: unknown;
  try {
    tx = JSON.parse(textOf(bytes));
  } catch {
    return 'malformed';
  }
  if (!isObject(tx)) return 'malformed';
  const entry = entries.find((known) => known === tx.entry);
  if (tx.v !== 1 || tx.verb !== 'log_in' || !entry) return 'unknown_kind';
  if (tx.action !== action || tx.did !== did) return 'not_for_this_phone';

  const { partner, claims, from, symbols: drawn } = tx;
  if (!isObject(partner) || !isObject(partner.name) || !isText(partner.domain)) return 'malformed';
  const names = Object.entries(partner.name);
  if (names.length === 0 || !names.every((entry): entry is [string, string] => isText(entry[1]))) return 'malformed';
  if (!Array.isArray(claims)) return 'malformed';
  const asked: Claim[] = [];
  for (const claim of claims as unknown[]) {
    if (!isObject(claim) || !isText(claim.name) || typeof claim.required !== 'boolean') return 'malformed';
    const { name, required, before } = claim;
    asked.push(before === 'shared' || before === 'kept_back' ? { name, required, before } : { name, required });
  }
  if (!isObject(from) || !isText(from.browser) || !(from.place === undefined || isText(from.place))) return 'malformed';
  if (!Number.isSafeInteger(tx.created_at) || !Number.isSafeInteger(tx.expires_at)) return 'malformed';
  if (!Array.isArray(drawn) || new Set(drawn).size !== drawn.length) return 'malformed';
  if (drawn.length !== 6 && !(drawn.length === 0 && entry === 'qr')) return 'malformed';
  if (!drawn.every((id): id is string => isText(id) && symbols.includes(id))) return 'malformed';
  return {
    action,
    partner: { name: Object.fromEntries(names), domain: partner.domain },
    verb: 'log_in',
    claims: asked,
    from: from.place === undefined ? { browser: from.browser } : { browser: from.browser, place: from.place },
    createdAt: tx.created_at as number,
    expiresAt: tx.expires_at as number,
    entry,
    symbols: drawn,
    needsPasskey: tx.needs_passkey === true,
  };
}

export type Choice =
  | { answer: 'approve'; symbol: string; claims: string[]; code: string }
  /** `assert` gives p: the passkey's assertion over the challenge. */
  | { answer: 'approve'; symbol: string; claims: string[]; assert: (challenge: Bytes) => Promise<Bytes> }
  | { answer: 'refuse'; reason: '' | 'not_me' | 'changed_mind' };

export type Answer = {
  did: string;
  shown: string;
  answer: 'approve' | 'refuse';
  symbol: string;
  method: '' | 'code' | 'passkey';
  ratchet: string;
  claims: string[];
  reason: '' | 'not_me' | 'changed_mind';
  proof: string;
  signature: string;
};

export type AnswerFields = Omit<Answer, 'did' | 'shown' | 'ratchet' | 'proof' | 'signature'>;

/** m: what the holder's answer says. `shown` = H(tx), `ratchet` 16 bytes. */
export function answerString(shown: Bytes, did: string, fields: AnswerFields, ratchet: Bytes): Bytes {
  const { answer, symbol, method, claims, reason } = fields;
  return signedString('symbolon-answer-v1', shown, did, answer, symbol, method, ratchet, list(claims), reason);
}

export function proofString(action: string, did: string, version: number): Bytes {
  return signedString('symbolon-code-proof-v1', action, did, version);
}

export async function answerSignatureString(m: Bytes, proof: Bytes): Promise<Bytes> {
  return signedString('symbolon-answer-signature-v1', m, await sha256(proof));
}

/** The body of POST /d/actions/ID/answer. `tx`: the exact bytes that were shown. */
export async function makeAnswer(
  keys: DeviceKeys,
  codeVersion: number,
  vaultKey: PublicJwk,
  action: string,
  tx: Bytes,
  ratchet: Bytes,
  choice: Choice,
): Promise<Answer> {
  const fields: AnswerFields =
    choice.answer === 'approve'
      ? {
          answer: 'approve',
          symbol: choice.symbol,
          method: 'code' in choice ? 'code' : 'passkey',
          claims: choice.claims,
          reason: '',
        }
      : { answer: 'refuse', symbol: '', method: '', claims: [], reason: choice.reason };
  const shown = await sha256(tx);
  const m = answerString(shown, keys.did, fields, ratchet);
  let proof: Bytes = new Uint8Array();
  if (choice.answer === 'approve' && 'assert' in choice) {
    proof = await choice.assert(await sha256(m));
  } else if (choice.answer === 'approve') {
    const seed = await codeSeed(keys.codeSecret, keys.did, codeVersion, choice.code);
    proof = await seal(vaultKey, await codeSignature(seed, m), proofString(action, keys.did, codeVersion));
    seed.fill(0);
  }
  const signature = await deviceSignature(keys, await answerSignatureString(m, proof));
  return {
    did: keys.did,
    shown: b64(shown),
    ...fields,
    ratchet: b64(ratchet),
    proof: b64(proof),
    signature: b64(signature),
  };
}

// ---- §5 the fingerprint --------------------------------------------------------------------------------------------

export type PasskeyOn = {
  did: string;
  challenge: string;
  ratchet: string;
  passkey: string;
  proof: string;
  signature: string;
};

/** m of turning the fingerprint on. */
export async function passkeyOnString(challenge: Bytes, did: string, ratchet: Bytes, passkey: Bytes): Promise<Bytes> {
  return signedString('symbolon-passkey-on-v1', challenge, did, ratchet, await sha256(passkey));
}

/** The body of POST /d/passkey/on. */
export async function makePasskeyOn(
  keys: DeviceKeys,
  codeVersion: number,
  vaultKey: PublicJwk,
  challenge: Bytes,
  ratchet: Bytes,
  passkey: Bytes,
  code: string,
): Promise<PasskeyOn> {
  const m = await passkeyOnString(challenge, keys.did, ratchet, passkey);
  const seed = await codeSeed(keys.codeSecret, keys.did, codeVersion, code);
  const place = proofString(`passkey-on.${b64(challenge)}`, keys.did, codeVersion);
  const proof = await seal(vaultKey, await codeSignature(seed, m), place);
  seed.fill(0);
  const signed = signedString('symbolon-passkey-on-signature-v1', m, await sha256(proof));
  return {
    did: keys.did,
    challenge: b64(challenge),
    ratchet: b64(ratchet),
    passkey: b64(passkey),
    proof: b64(proof),
    signature: b64(await deviceSignature(keys, signed)),
  };
}

export type Match = { did: string; shown: string; symbol: string; signature: string };

/** What the device key signs when the symbol is picked after the approval of a link. `shown` = H(tx). */
export function matchString(shown: Bytes, did: string, symbol: string): Bytes {
  return signedString('symbolon-match-v1', shown, did, symbol);
}

/** The body of POST /d/actions/ID/match. */
export async function makeMatch(keys: DeviceKeys, tx: Bytes, symbol: string): Promise<Match> {
  const shown = await sha256(tx);
  const signature = await deviceSignature(keys, matchString(shown, keys.did, symbol));
  return { did: keys.did, shown: b64(shown), symbol, signature: b64(signature) };
}

// ---- §5 claims ---------------------------------------------------------------------------------------------------------

export type PageClaim = { by: 'scan' | 'address' | 'link' | 'code'; value: string };

/**
 * What an address says that the camera saw or that opened the app: `…/app/#qr=VALUE` or `…/app/#link=VALUE`, on this
 * app's own origin. Nothing else is one of ours.
 */
export function claimOfAddress(address: string, origin: string, seenBy: 'scan' | 'address'): PageClaim | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const match = /^#(qr|link)=([\w.-]{1,200})$/.exec(url.hash);
  if (url.origin !== origin || !match) return null;
  return { by: match[1] === 'qr' ? seenBy : 'link', value: match[2]! };
}
