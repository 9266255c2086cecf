// What a bank must never do, for tests of who believes it. Nothing here can be reached over HTTP: a test sets it on the object that startBank() gives.
import { CompactEncrypt, CompactSign, importJWK } from 'jose';
import { makeKey } from './keys.mjs';
import { claimsOf, subject } from './people.mjs';

/**
 * A conduct is an object with any of
 *   token: (claims) => claims      what the ID token says, after all else
 *   otherPerson: 'bruno'           the claims of somebody else (the subject too)
 *   acr: 'http://…/low'            in the ID token
 *   sign: 'other_key' | 'none' | 'tampered' | 'without_kid'
 *   encrypt: false | 'other_key'   the ID token in the clear, or to a key that is not the client's
 *   answer: (parameters) => void   changes the redirect's URLSearchParams
 *   metadata: (metadata) => metadata        what discovery says
 *   tokenResponse: (body) => body  what the token endpoint says: an object, or text
 * Some that tests often want, ready made:
 */
export const conducts = {
  wrong_issuer: { token: (claims) => ({ ...claims, iss: 'https://elsewhere.example' }) },
  wrong_issuer_in_answer: { answer: (parameters) => parameters.set('iss', 'https://elsewhere.example') },
  no_issuer_in_answer: { answer: (parameters) => parameters.delete('iss') },
  wrong_state: { answer: (parameters) => parameters.set('state', 'A'.repeat(43)) },
  other_issuer_in_metadata: { metadata: (metadata) => ({ ...metadata, issuer: 'https://elsewhere.example' }) },
  other_audience: { token: (claims) => ({ ...claims, aud: 'somebody-else' }) },
  audience_shared: { token: (claims) => ({ ...claims, aud: [claims.aud, 'somebody-else'], azp: 'somebody-else' }) },
  other_nonce: { token: (claims) => ({ ...claims, nonce: 'A'.repeat(43) }) },
  no_nonce: { token: ({ nonce: _, ...claims }) => claims },
  stale: { token: (claims) => ({ ...claims, iat: claims.iat - 86_400, exp: claims.exp - 86_400, auth_time: claims.auth_time - 86_400 }) },
  from_the_future: { token: (claims) => ({ ...claims, iat: claims.iat + 86_400, exp: claims.exp + 86_400 }) },
  no_subject: { token: ({ sub: _, ...claims }) => claims },
  other_key: { sign: 'other_key' },
  unsigned: { sign: 'none' },
  tampered: { sign: 'tampered' },
  without_kid: { sign: 'without_kid' },
  in_the_clear: { encrypt: false },
  encrypted_to_another: { encrypt: 'other_key' },
  low_assurance: { acr: 'http://eidas.europa.eu/LoA/low' },
  no_assurance: { token: ({ acr: _, ...claims }) => claims },
  long_names: { token: (claims) => ({ ...claims, family_name: 'Ee'.repeat(150), given_name: 'Aa'.repeat(150) }) },
  turned_names: { token: (claims) => ({ ...claims, family_name: '\u202egnoL', given_name: 'Jan\u0000Piet' }) },
  names_not_text: { token: (claims) => ({ ...claims, family_name: ['Peeters'], given_name: { first: 'Jan' } }) },
  no_data: { token: ({ iss, sub, aud, iat, exp, nonce, acr, auth_time }) => ({ iss, sub, aud, iat, exp, nonce, acr, auth_time }) },
  wrong_national_number: { token: (claims) => withNationalNumber(claims, (number) => number.slice(0, 9) + (number.endsWith('01') ? '02' : '01')) },
  other_birth_in_national_number: { token: (claims) => ({ ...claims, birthdate: '1990-01-01' }) },
  no_national_number: { token: (claims) => withNationalNumber(claims, () => undefined) },
  no_phone_number: { token: ({ phone_number: _, ...claims }) => claims },
  error_in_answer: { answer: withError },
  no_id_token: { tokenResponse: ({ id_token: _, ...body }) => body },
  garbled: { tokenResponse: () => '<html>Sorry, maintenance' },
  endless: { tokenResponse: (body) => ({ ...body, padding: 'x'.repeat(4 << 20) }) },
};

function withError(parameters) {
  parameters.delete('code');
  parameters.set('error', 'temporarily_unavailable');
}

function withNationalNumber(claims, change) {
  const name = Object.keys(claims).find((key) => key === 'national_number' || key.endsWith('/register_number'));
  if (!name) return claims;
  const { [name]: number, ...rest } = claims;
  const changed = change(number);
  return changed === undefined ? rest : { ...rest, [name]: changed };
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function signed(claims, key, how) {
  if (how === 'none') return `${base64url({ alg: 'none' })}.${base64url(claims)}.`;
  const used = how === 'other_key' ? { ...(await makeKey(key.alg)), kid: key.kid } : key;
  const jwt = await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: key.alg, ...(how === 'without_kid' ? {} : { kid: key.kid }) })
    .sign(await importJWK(used, key.alg));
  if (how !== 'tampered') return jwt;
  const [header, , signature] = jwt.split('.');
  return [header, base64url({ ...claims, family_name: 'Nobody' }), signature].join('.');
}

async function encrypted(jwt, { alg, enc }, clientJwks, how) {
  const fits = (key) => key.use !== 'sig' && (key.alg ? key.alg === alg : alg.startsWith('RSA') === (key.kty === 'RSA'));
  const own = clientJwks.keys.find(fits);
  const key = how === 'other_key' ? (await (alg.startsWith('RSA') ? crypto.subtle.generateKey({ name: 'RSA-OAEP', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['encrypt', 'decrypt'])
    : crypto.subtle.generateKey({ name: 'ECDH', namedCurve: own.crv }, true, ['deriveBits']))).publicKey : await importJWK(own, alg);
  return new CompactEncrypt(Buffer.from(jwt)).setProtectedHeader({ alg, enc, kid: own.kid, cty: 'JWT' }).encrypt(key);
}

/** Lets a provider misbehave as `conduct()` says at that moment. An empty conduct changes nothing. */
export function misbehaving({ provider, bank, encryption, clientJwks, people, redirectUri, conduct, signingKey }) {
  const honest = provider.IdToken.prototype.issue;
  provider.IdToken.prototype.issue = async function issue(options) {
    const { token, otherPerson, acr, sign, encrypt } = conduct();
    if (options.use !== 'idtoken' || [token, otherPerson, acr, sign, encrypt].every((one) => one === undefined)) return honest.call(this, options);
    const now = Math.floor(Date.now() / 1000);
    let claims = { ...(await this.payload()), iss: provider.issuer, aud: this.client.clientId, iat: now, exp: now + 300 };
    if (otherPerson) {
      const other = people.find(({ id }) => id === otherPerson);
      claims = { ...claims, ...claimsOf(bank, other), sub: subject(bank, other) };
    }
    if (acr) claims.acr = acr;
    if (token) claims = token(claims);
    const jwt = await signed(claims, signingKey(), sign);
    return encryption && encrypt !== false ? encrypted(jwt, encryption, clientJwks, encrypt) : jwt;
  };

  provider.use(async (ctx, next) => {
    await next();
    const { answer, metadata, tokenResponse } = conduct();
    const to = ctx.response.get('location');
    if (answer && to?.startsWith(`${redirectUri}?`)) {
      const changed = new URL(to);
      answer(changed.searchParams);
      ctx.set('location', changed.href);
    }
    if (metadata && ctx.oidc?.route === 'discovery') ctx.body = metadata(ctx.body);
    if (tokenResponse && ctx.oidc?.route === 'token' && ctx.status === 200) ctx.body = tokenResponse(ctx.body);
  });
}
