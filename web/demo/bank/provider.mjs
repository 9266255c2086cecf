// One bank as an OpenID Provider: the npm package oidc-provider, set as strictly as a bank sets it.
import { randomBytes } from 'node:crypto';
import { Provider, interactionPolicy } from 'oidc-provider';
import { claimNames, loa } from './banks.mjs';
import { makeKey } from './keys.mjs';
import { misbehaving } from './misbehaviour.mjs';
import { claimsOf, subject } from './people.mjs';
import { makeAdapter } from './store.mjs';

const encryptsFor = (key) => (key.use === 'sig' ? [] : key.alg ? [key.alg] : key.kty === 'RSA' ? ['RSA-OAEP-256'] : ['ECDH-ES', 'ECDH-ES+A256KW']);

/** How the bank encrypts its ID tokens to this client; undefined: it does not. */
export function encryptionFor(bank, clientJwks) {
  if (!bank.encrypt) return undefined;
  const possible = clientJwks.keys.flatMap(encryptsFor);
  const alg = bank.encrypt.alg.find((one) => possible.includes(one));
  if (!alg) throw new Error(`${bank.name} encrypts its ID tokens, and the client's keys have none for ${bank.encrypt.alg.join(', ')}`);
  return { alg, enc: bank.encrypt.enc };
}

/**
 * @param {{bank: object, issuer: string, clientId: string, clientJwks: {keys: object[]}, redirectUri: string, people: object[], renderError: Function, conduct: () => object, log: (line: string) => void}} options
 *   conduct: how the bank misbehaves just now (misbehaviour.mjs)
 * Gives {provider(), handle(request, response), rotateKeys({keepOld}), useClientKeys(jwks), subjectOf(person)}: `provider()` is another one after a rotation; what it remembers stays.
 */
export async function makeBankProvider({ bank, issuer, clientId, clientJwks, redirectUri, people, renderError, conduct, log }) {
  const adapter = makeAdapter();
  const cookieKey = randomBytes(32).toString('base64url');
  const bySubject = new Map(people.map((person) => [subject(bank, person), person]));
  const names = claimNames.map((name) => bank.claims?.[name] ?? name);
  const minutes = (count) => () => count * 60;

  const configuration = (keys, encryption) => ({
    adapter,
    jwks: { keys },
    clients: [{
      client_id: clientId,
      client_name: 'Symbolon',
      redirect_uris: [redirectUri],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: clientJwks,
      id_token_signed_response_alg: bank.sign,
      ...(encryption ? { id_token_encrypted_response_alg: encryption.alg, id_token_encrypted_response_enc: encryption.enc } : {}),
      require_auth_time: true,
      require_pushed_authorization_requests: true,
    }],
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: [bank.sign],
      ...(encryption ? { idTokenEncryptionAlgValues: [encryption.alg], idTokenEncryptionEncValues: [encryption.enc] } : {}),
    },
    responseTypes: ['code'],
    scopes: ['openid'],
    acrValues: [loa('substantial'), loa('high')],
    claims: { acr: null, auth_time: null, iss: null, openid: ['sub'], ...Object.fromEntries(names.map((name) => [name, null])) },
    pkce: { required: () => true },
    features: {
      claimsParameter: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      encryption: { enabled: encryption !== undefined },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    discovery: { ui_locales_supported: ['en', 'fr', 'nl', 'de'] },
    routes: { authorization: '/authorize', jwks: '/jwks', pushed_authorization_request: '/par', token: '/token' },
    cookies: {
      keys: [cookieKey],
      names: { session: `bank_${bank.id}`, interaction: `bank_${bank.id}_visit`, resume: `bank_${bank.id}_return` },
      long: { httpOnly: true, sameSite: 'lax', path: `/${bank.id}` },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    ttl: {
      AccessToken: minutes(1), AuthorizationCode: minutes(1), Grant: minutes(15), IdToken: minutes(5), Interaction: minutes(10),
      PushedAuthorizationRequest: minutes(1), Session: minutes(15), ClientCredentials: minutes(1), RefreshToken: minutes(1),
    },
    // A bank asks who you are at each visit, and remembers nobody between two.
    expiresWithSession: () => false,
    interactions: {
      policy: [new interactionPolicy.Prompt({ name: 'login', requestable: true },
        new interactionPolicy.Check('identify', 'the customer identifies at each visit', 'login_required',
          (ctx) => (ctx.oidc.result?.login ? interactionPolicy.Check.NO_NEED_TO_PROMPT : interactionPolicy.Check.REQUEST_PROMPT)))],
      url: (ctx, interaction) => `/${bank.id}/visit/${interaction.uid}`,
    },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.account.accountId, clientId: ctx.oidc.client.clientId });
      grant.addOIDCScope('openid');
      grant.addOIDCClaims(names);
      await grant.save();
      return grant;
    },
    findAccount: async (ctx, sub) => {
      const person = bySubject.get(sub);
      return person && { accountId: sub, claims: async () => ({ sub, ...claimsOf(bank, person) }) };
    },
    clientBasedCORS: () => false,
    renderError,
  });

  let provider;
  let callback;
  let keys = [];
  const build = (fresh) => {
    keys = fresh;
    const encryption = encryptionFor(bank, clientJwks);
    provider = new Provider(issuer, configuration(keys, encryption));
    provider.on('server_error', (ctx, error) => log(`bank: ${bank.id}: ${error.stack}`));
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.oidc?.route === 'resume') await ctx.oidc.session?.destroy();
    });
    misbehaving({ provider, bank, encryption, clientJwks, people, redirectUri, conduct, signingKey: () => keys[0] });
    callback = provider.callback();
  };
  build([await makeKey(bank.sign)]);

  return {
    provider: () => provider,
    subjectOf: (person) => subject(bank, person),
    /** `request.url` is what follows the issuer; `request.originalUrl` the whole path. */
    handle: (request, response) => callback(request, response),
    useClientKeys(jwks) {
      clientJwks = jwks;
      build(keys);
    },
    /** Signs with a new key from now on. `keepOld`: the one before is still published. */
    async rotateKeys({ keepOld = false } = {}) {
      build([await makeKey(bank.sign), ...(keepOld ? keys.slice(0, 1) : [])]);
    },
  };
}
