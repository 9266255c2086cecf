// The check that a person is there: ALTCHA v2, PBKDF2/SHA-256. The browser looks for the counter whose derived key begins
// with the prefix; WebCrypto derives off the main thread, so the page stays free while it does.

import { hex, unhex, type Bytes } from './bytes.ts';

export type Challenge = {
  parameters: {
    algorithm: string;
    nonce: string;
    salt: string;
    cost: number;
    keyLength?: number;
    keyPrefix: string;
    expiresAt?: number;
  };
  signature: string;
};

/** What goes back: the challenge as it came, and what was found. */
export type Solution = { challenge: Challenge; solution: { counter: number; derivedKey: string } };

/** Bounds within which this page is ready to work: a challenge outside them is not ours. */
const most = { cost: 1_000_000, counter: 1_000_000, keyLength: 64 };

/** null: the challenge can't be read, `abandoned` was raised, or nothing was found within the bounds. */
export async function solve(challenge: Challenge, abandoned?: AbortSignal): Promise<Solution | null> {
  const { algorithm, nonce, salt, cost, keyLength = 32, keyPrefix } = challenge.parameters;
  const start = unhex(nonce);
  const saltBytes = unhex(salt);
  if (algorithm !== 'PBKDF2/SHA-256' || !start || !saltBytes) return null;
  if (!(Number.isInteger(cost) && cost > 0 && cost <= most.cost)) return null;
  if (!(Number.isInteger(keyLength) && keyLength > 0 && keyLength <= most.keyLength)) return null;
  if (!/^[0-9a-f]+$/i.test(keyPrefix) || keyPrefix.length > 2 * keyLength) return null;
  const prefix = keyPrefix.toLowerCase();

  // A few derivations at once keep the browser's threads busy.
  const together = 8;
  for (let first = 0; first < most.counter; first += together) {
    if (abandoned?.aborted) return null;
    const keys = await Promise.all(
      Array.from({ length: together }, (_, i) => derive(start, first + i, saltBytes, cost, keyLength)),
    );
    const found = keys.findIndex((key) => key.startsWith(prefix));
    if (found >= 0) return { challenge, solution: { counter: first + found, derivedKey: keys[found]! } };
  }
  return null;
}

/** Password: nonce ‖ counter in 4 bytes, most significant first. */
async function derive(nonce: Bytes, counter: number, salt: Bytes, cost: number, keyLength: number): Promise<string> {
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  new DataView(password.buffer).setUint32(nonce.length, counter);
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
  const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: cost };
  return hex(new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, keyLength * 8)));
}
