// The npm package openid-client, strict by default, against the whole server: D1, G3.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as oidc from 'openid-client';
import { startTestStack } from '../../web/demo/stack.mjs';
import { makeHolder, signIn } from '../lib/holder.mjs';

let stack, holder;
const redirectUri = 'http://localhost:9/callback';

before(async () => {
  stack = await startTestStack({ persona: 'lotte' });
  holder = await makeHolder(stack);
});
after(async () => {
  await holder?.stop();
  await stack?.stop();
});

async function login(config, { scope = 'openid profile', parameters = {}, answer, pkce = true } = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope, state, nonce,
    ...(pkce ? { code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' } : {}), ...parameters,
  });
  const back = await signIn(stack, holder, url, { answer });
  return oidc.authorizationCodeGrant(config, back, { ...(pkce ? { pkceCodeVerifier: verifier } : {}), expectedState: state, expectedNonce: nonce, idTokenExpected: true });
}

const insecure = { execute: [oidc.allowInsecureRequests] };

test('D1_G3_a_client_with_private_key_jwt_gets_an_ES256_id_token_and_the_name_from_the_card', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwks = join(stack.folder, 'one.jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k1', use: 'sig' }] }));
  const added = await stack.addPartner({ name: 'One', 'redirect-uri': redirectUri, auth: 'private_key_jwt', jwks });
  const config = await oidc.discovery(new URL(stack.idUrl), added.client_id, { id_token_signed_response_alg: 'ES256' },
    oidc.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' }), insecure);
  const tokens = await login(config, { scope: 'openid profile email phone address' });
  const claims = tokens.claims();
  assert.equal(claims.iss, stack.idUrl);
  assert.ok(claims.acr);
  assert.ok(claims.auth_time <= claims.iat);
  assert.equal(claims.exp - claims.iat, 300);
  assert.match(claims.sub, /^[a-z0-9]{36}$/);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.match(info.name, /\S+ \S+/);
  assert.match(info.birthdate, /^\d{4}-\d{2}-\d{2}$/);
  assert.match(info.phone_number, /^\+32/);
  assert.equal(info.email, 'holder@example.be');
  assert.equal(typeof info.address, 'object');
});

test('D1_G3_a_client_with_client_secret_basic_gets_an_RS256_id_token', async () => {
  const added = await stack.addPartner({ name: 'Two', 'redirect-uri': redirectUri, auth: 'client_secret_basic', 'id-token-alg': 'RS256' });
  const config = await oidc.discovery(new URL(stack.idUrl), added.client_id, { id_token_signed_response_alg: 'RS256' },
    oidc.ClientSecretBasic(added.client_secret), insecure);
  const tokens = await login(config);
  assert.ok(tokens.claims().sub);
});

test('G3_two_partners_learn_different_subjects_of_one_holder_and_one_partner_the_same_twice', async () => {
  const subjects = [];
  for (const host of ['a.example', 'b.example']) {
    const added = await stack.addPartner({ name: host, 'redirect-uri': `https://${host}/cb`, auth: 'client_secret_basic' });
    const config = await oidc.discovery(new URL(stack.idUrl), added.client_id, {}, oidc.ClientSecretBasic(added.client_secret), insecure);
    for (let i = 0; i < 2; ++i) {
      const verifier = oidc.randomPKCECodeVerifier();
      const state = oidc.randomState();
      const url = oidc.buildAuthorizationUrl(config, { redirect_uri: `https://${host}/cb`, scope: 'openid', state, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
      const back = await signIn(stack, holder, url);
      const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true });
      subjects.push(tokens.claims().sub);
    }
  }
  assert.equal(subjects[0], subjects[1]);
  assert.equal(subjects[2], subjects[3]);
  assert.notEqual(subjects[0], subjects[2]);
});

test('D5_a_refusal_on_the_phone_reaches_the_client_as_access_denied', async () => {
  const added = await stack.addPartner({ name: 'Three', 'redirect-uri': redirectUri, auth: 'client_secret_basic' });
  const config = await oidc.discovery(new URL(stack.idUrl), added.client_id, {}, oidc.ClientSecretBasic(added.client_secret), insecure);
  await assert.rejects(login(config, { answer: 'refuse' }), (error) => error.error === 'access_denied');
});
