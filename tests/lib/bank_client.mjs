// A client of the demo's banks that we did not write: the npm package openid-client, with keys of its own.
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { banks, claimNames } from '../../web/demo/bank/banks.mjs';

const publicKey = async (pair, more) => ({ ...(await jose.exportJWK(pair.publicKey)), ...more });
/** What the client signs and decrypts with, and `jwks`, the public half for the bank. */
export async function makeKeys(encryption = 'RSA-OAEP-256') {
  const sign = await jose.generateKeyPair('ES256', { extractable: true });
  const decrypt = await jose.generateKeyPair(encryption, { extractable: true });
  return { sign, decrypt, encryption, jwks: { keys: [await publicKey(sign, { kid: 'sig-1', use: 'sig', alg: 'ES256' }), await publicKey(decrypt, { kid: 'enc-1', use: 'enc', alg: encryption })] } };
}

const bankOf = (id) => banks.find((one) => one.id === id);

/** Gives {configurationFor, begin}; `configurationFor`'s options are other keys than `keys`. */
export function clientOf(bank, { keys, redirectUri }) {
  async function configurationFor(id, { key = keys.sign.privateKey, decrypt = keys.decrypt.privateKey, encryption = keys.encryption } = {}) {
    const config = await oidc.discovery(new URL(bank.issuer(id)), 'symbolon', { id_token_signed_response_alg: bankOf(id).sign }, oidc.PrivateKeyJwt({ key, kid: 'sig-1' }),
      { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] });
    if (bankOf(id).encrypt) oidc.enableDecryptingResponses(config, [bankOf(id).encrypt.enc], { key: decrypt, alg: encryption, kid: 'enc-1' });
    return config;
  }

  /** A request pushed to a bank. Gives {url} for the browser, and {config, kept} to redeem the answer. */
  async function begin(id, { config, parameters = {}, claims = [...claimNames.map((name) => bankOf(id).claims?.[name] ?? name), 'acr'] } = {}) {
    config ??= await configurationFor(id);
    const kept = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true };
    const url = await oidc.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: redirectUri, scope: 'openid', state: kept.expectedState, nonce: kept.expectedNonce, ui_locales: 'nl',
      code_challenge: await oidc.calculatePKCECodeChallenge(kept.pkceCodeVerifier), code_challenge_method: 'S256',
      claims: JSON.stringify({ id_token: Object.fromEntries(claims.map((name) => [name, null])) }), ...parameters,
    });
    return { config, kept, url };
  }

  return { configurationFor, begin };
}

export const redeem = ({ config, kept }, back) => oidc.authorizationCodeGrant(config, back, kept);
