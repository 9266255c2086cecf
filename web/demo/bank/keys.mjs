// The keys that banks sign with: made at the start, kept in memory.
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const keyPair = promisify(generateKeyPair);

export async function makeKey(algorithm) {
  const { privateKey } = await {
    RS256: () => keyPair('rsa', { modulusLength: 2048 }),
    PS256: () => keyPair('rsa', { modulusLength: 2048 }),
    ES256: () => keyPair('ec', { namedCurve: 'P-256' }),
    EdDSA: () => keyPair('ed25519'),
  }[algorithm]();
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg: algorithm };
}
