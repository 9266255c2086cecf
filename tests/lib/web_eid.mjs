// A Web eID extension with its application and a card, for tests: it answers the messages of a page as the real one does
// (web-eid:status, web-eid:authenticate), and signs with the authentication key of a virtual card.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The authentication certificate and key of a persona's card that was in the reader of `pki` once. */
export async function cardOf(pki, persona) {
  const folder = join(pki, 'cards', persona);
  const padded = await readFile(join(folder, 'DF00-5038.bin'));
  return {
    certificate: padded.subarray(0, 4 + padded.readUInt16BE(2)),
    key: createPrivateKey(await readFile(join(folder, 'authentication.key.pem'))),
  };
}

const hashOf = (algorithm, text) => createHash(algorithm).update(text).digest();

/** What the application gives for a card: RS256 with a RSA key, ES384 with one of P-384. */
export function tokenOf({ certificate, key }, { origin, nonce }) {
  const ec = key.asymmetricKeyType === 'ec';
  const hash = ec ? 'sha384' : 'sha256';
  const message = Buffer.concat([hashOf(hash, origin), hashOf(hash, nonce)]);
  const signature = sign(hash, message, ec ? { key, dsaEncoding: 'ieee-p1363' } : key);
  return {
    unverifiedCertificate: certificate.toString('base64'),
    algorithm: ec ? 'ES384' : 'RS256',
    signature: signature.toString('base64'),
    format: 'web-eid:1.0',
    appVersion: 'https://web-eid.eu/web-eid-app/releases/2.7.0+0',
  };
}

export const nameIn = ({ certificate }) => new X509Certificate(certificate).subject;

/**
 * Installs the extension into a page before it loads. `answer(question)` says what comes back for a message: what it gives
 * is posted to the page, one or several messages after the acknowledgement; null: it stays silent after that.
 */
export async function installExtension(page, answer) {
  await page.exposeFunction('webEidApplication', answer);
  await page.addInitScript(() => {
    const known = ['web-eid:status', 'web-eid:authenticate'];
    window.addEventListener('message', async ({ source, data }) => {
      if (source !== window || !known.includes(data?.action)) return;
      window.postMessage({ action: `${data.action}-ack` }, location.origin);
      const answered = await window.webEidApplication(data, location.origin);
      if (answered) window.postMessage(answered, location.origin);
    });
  });
}

export const versions = { extension: '2.3.1', nativeApp: '2.7.0+0' };
export const ready = { action: 'web-eid:status-success', library: '2.1.0', ...versions };
export const failure = (action, code, more = {}) => ({
  action: `${action}-failure`,
  error: { name: 'WebEidError', code: `ERR_WEBEID_${code}`, message: 'as told by the test', ...more },
});

/** The extension of somebody whose card is `card`. `change`: the token as it is handed to the page. */
export const holderOf = (card, change = (token) => token) => async (question, origin) => {
  if (question.action === 'web-eid:status') return ready;
  assert.deepEqual(Object.keys(question).sort(), ['action', 'challengeNonce', 'libraryVersion', 'options'], 'as its library asks');
  assert.deepEqual(Object.keys(question.options).sort(), ['lang', 'userInteractionTimeout']);
  const token = await change(tokenOf(card, { origin, nonce: question.challengeNonce }), { question, origin });
  return { action: 'web-eid:authenticate-success', ...token };
};
