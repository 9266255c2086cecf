// The demo's partner site: a shop that lets people log in with Symbolon through the npm package openid-client.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';

const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);

const page = (title, body) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
body{font:1rem/1.6 Georgia,serif;margin:0;color:#23301f;background:#f7f5ee}
header{background:#2f5d3a;color:#fff;padding:1rem 2rem}main{max-width:38rem;margin:2rem auto;padding:0 1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;background:#fff;border:1px solid #ddd8c8;border-radius:.5rem;padding:1rem}
dt{color:#666}dd{margin:0;overflow-wrap:anywhere}a.symbolon img{height:3rem;display:block}h1{font-size:1.6rem}
</style><header>Boekhandel De Linde · a demo partner of Symbolon</header><main>${body}</main></html>`;

/**
 * @param {{port: number, issuer: string, clientId: string, privateKey: CryptoKey, keyId: string, buttonUrl: string}} options
 */
export async function startPartner({ port, issuer, clientId, privateKey, keyId, buttonUrl }) {
  const sessions = new Map(); // cookie → {verifier, state, nonce} before, {claims, userinfo} after
  let configuration;
  const configure = async () => (configuration ??= await oidc.discovery(
    new URL(issuer), clientId, { id_token_signed_response_alg: 'ES256' },
    oidc.PrivateKeyJwt({ key: privateKey, kid: keyId }),
    new URL(issuer).protocol === 'http:' ? { execute: [oidc.allowInsecureRequests] } : undefined));

  const server = createServer(async (request, response) => {
    const here = `http://localhost:${server.address().port}`;
    const url = new URL(request.url, here);
    const cookie = /(?:^|;\s*)linde_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
    const session = cookie === undefined ? undefined : sessions.get(cookie);
    try {
      if (url.pathname === '/') {
        const who = session?.claims;
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page('De Linde', who
          ? `<h1>Welcome, <span id="name">${escape(session.userinfo.name)}</span></h1>
<p>This is what the shop learned from Symbolon, after you agreed on your phone:</p>
<dl>${Object.entries({ ...session.userinfo, ...who }).map(([k, v]) => `<dt>${escape(k)}</dt><dd>${escape(typeof v === 'object' ? JSON.stringify(v) : v)}</dd>`).join('')}</dl>
<p><a href="/logout" id="logout">Log out of the shop</a></p>`
          : `<h1>Your orders</h1><p>Please log in to see your orders.</p>
<p><a class="symbolon" id="login" href="/login"><img src="${escape(buttonUrl)}" alt="Log in with Symbolon"></a></p>`));
      } else if (url.pathname === '/login') {
        const config = await configure();
        const fresh = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState(), nonce: oidc.randomNonce() };
        const id = randomBytes(24).toString('base64url');
        sessions.set(id, fresh);
        const to = oidc.buildAuthorizationUrl(config, {
          redirect_uri: `${here}/callback`, scope: 'openid profile email address', state: fresh.state, nonce: fresh.nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(fresh.verifier), code_challenge_method: 'S256',
          ...(url.searchParams.has('lang') ? { ui_locales: url.searchParams.get('lang') } : {}),
        });
        response.writeHead(303, { location: to.href, 'set-cookie': `linde_session=${id}; Path=/; HttpOnly; SameSite=Lax` }).end();
      } else if (url.pathname === '/callback' && session?.verifier) {
        const config = await configure();
        const tokens = await oidc.authorizationCodeGrant(config, url, {
          pkceCodeVerifier: session.verifier, expectedState: session.state, expectedNonce: session.nonce, idTokenExpected: true,
        });
        const claims = tokens.claims();
        const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
        sessions.set(cookie, { claims, userinfo });
        response.writeHead(303, { location: '/' }).end();
      } else if (url.pathname === '/logout') {
        sessions.delete(cookie);
        response.writeHead(303, { location: '/' }).end();
      } else {
        response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(page('Not here', '<h1>Not here</h1><p><a href="/">Back to the shop</a></p>'));
      }
    } catch (error) {
      const code = error.error ?? error.code ?? 'error';
      response.writeHead(error.error === 'access_denied' ? 200 : 502, { 'content-type': 'text/html; charset=utf-8' })
        .end(page('Not logged in', `<h1>You are not logged in</h1><p>The answer was <code id="error">${escape(code)}</code>: ${escape(error.error_description ?? error.message)}</p><p><a href="/login" id="again">Try again</a></p>`));
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
