// The npm package oauth4webapi, step by step: what a careful client checks, and what a hostile one tries. G3.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import { startTestStack } from '../../web/demo/stack.mjs';
import { makeHolder, signIn } from '../lib/holder.mjs';

let stack, holder, server, client, pair;
const redirectUri = 'http://localhost:9/cb';
const http = { [oauth.allowInsecureRequests]: true };

before(async () => {
  stack = await startTestStack({ persona: 'lotte' });
  holder = await makeHolder(stack);
  pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwks = join(stack.folder, 'oauth.jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k1', use: 'sig' }] }));
  const added = await stack.addPartner({ name: 'Careful', 'redirect-uri': redirectUri, auth: 'private_key_jwt', jwks });
  client = { client_id: added.client_id };
  const issuer = new URL(stack.idUrl);
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
});
after(async () => {
  await holder?.stop();
  await stack?.stop();
});

const authentication = () => oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' });

async function code({ nonce = oauth.generateRandomNonce(), scope = 'openid profile' } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
  const back = await signIn(stack, holder, url);
  return { parameters: oauth.validateAuthResponse(server, client, back, state), verifier, nonce };
}

const redeem = ({ parameters, verifier }, options = {}) => oauth.authorizationCodeGrantRequest(server, client, options.authentication ?? authentication(),
  parameters, options.redirectUri ?? redirectUri, options.verifier ?? verifier, http);

test('G3_every_step_of_the_code_flow_satisfies_a_strict_client', async () => {
  const got = await code();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem(got), { expectedNonce: got.nonce, requireIdToken: true });
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, http));
  assert.ok(info.name);
});

test('G3_a_second_use_of_a_code_is_refused_and_takes_back_what_the_first_got', async () => {
  const got = await code();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem(got), { expectedNonce: got.nonce });
  const again = await redeem(got);
  assert.equal(again.status, 400);
  assert.equal((await again.json()).error, 'invalid_grant');
  const info = await oauth.userInfoRequest(server, client, tokens.access_token, http);
  assert.equal(info.status, 401);
  assert.match(info.headers.get('www-authenticate'), /^Bearer .*invalid_token/);
});

test('G3_of_many_redemptions_at_once_at_most_one_succeeds', async () => {
  const got = await code();
  const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(got)));
  assert.ok(answers.filter((answer) => answer.status === 200).length <= 1);
  assert.ok(answers.every((answer) => [200, 400].includes(answer.status)), answers.map((a) => a.status).join());
});

for (const [name, options, error, status] of [
  ['a_wrong_verifier', { verifier: 'x'.repeat(43) }, 'invalid_grant', 400],
  ['another_redirect_uri', { redirectUri: `${redirectUri}/` }, 'invalid_grant', 400],
]) {
  test(`G3_a_code_with_${name}_is_refused_as_${error}`, async () => {
    const answer = await redeem(await code(), options);
    assert.equal(answer.status, status);
    assert.equal((await answer.json()).error, error);
  });
}

test('G3_an_assertion_by_another_key_and_a_replayed_one_are_refused_as_invalid_client', async () => {
  const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const got = await code();
  const forged = await redeem(got, { authentication: oauth.PrivateKeyJwt({ key: other.privateKey, kid: 'k1' }) });
  assert.equal(forged.status, 401);
  assert.equal((await forged.json()).error, 'invalid_client');

  let kept;
  const keep = async (as, c, body, headers) => {
    await authentication()(as, c, body, headers);
    kept = body.get('client_assertion');
  };
  assert.equal((await redeem(got, { authentication: keep })).status, 200);
  const replay = (as, c, body) => {
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', kept);
  };
  const replayed = await redeem(got, { authentication: replay });
  assert.equal(replayed.status, 401);
});

test('H1_what_was_acknowledged_survives_kill_9_of_the_server_and_of_the_vault', async () => {
  const got = await code();
  await stack.restartServer('SIGKILL');
  await stack.restartVault('SIGKILL');
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem(got), { expectedNonce: got.nonce });
  assert.ok(tokens.access_token);
  const more = await code();
  assert.equal((await redeem(more)).status, 200, 'the phone can approve again after both came back');
});
