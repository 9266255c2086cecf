// The demo's bank: one process that plays the seven banks of B2, each an OpenID Provider at URL/ID.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { banks } from './banks.mjs';
import { conducts } from './misbehaviour.mjs';
import { plainPage, startPage } from './pages.mjs';
import { peopleAt } from './people.mjs';
import { makeBankProvider } from './provider.mjs';
import { makeCards } from './reader.mjs';
import { languageOf } from './texts.mjs';
import { makeVisits } from './visit.mjs';

const asset = (name) => readFile(new URL(name, import.meta.url));

const html = { 'content-type': 'text/html; charset=utf-8' };
const counted = { '/.well-known/openid-configuration': 'discovery', '/jwks': 'jwks', '/par': 'par', '/token': 'token' };

function readForm(request) {
  return new Promise((resolve, reject) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part) => {
      body += part;
      if (body.length > 4096) reject(Object.assign(new Error('too much'), { status: 413 }));
    });
    request.on('end', () => resolve(new URLSearchParams(body)));
    request.on('error', reject);
  });
}

/**
 * Starts the banks on 127.0.0.1:`port` (0: any). Their client is one alone: `clientId` with the public keys `clientJwks`, answered at `redirectUri`.
 * `back`: where a page that cannot go on leads; `now`: the day on which the customers' ages and dates count; `log`: takes a line for what went wrong.
 *
 * What tests get besides, and HTTP does not: misbehave(), behave(), goDown(), comeBack(), rotateKeys(), useClientKeys(), asked().
 */
export async function startBank({ port, clientJwks, redirectUri, clientId = 'symbolon', back = new URL('/app/', redirectUri).href, now = new Date(), log = () => {} }) {
  const assets = { '/assets/bank.css': ['text/css; charset=utf-8', await asset('bank.css')], '/assets/reader.js': ['text/javascript; charset=utf-8', await asset('reader.js')] };
  const people = peopleAt(now);
  const returnsTo = new URL(redirectUri).origin;
  const houses = new Map();
  let url;

  const safe = {
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self' ${returnsTo}; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  };

  const sorry = (bank, request) => plainPage({ bank, language: languageOf('', request.headers['accept-language']), title: 'error_title', text: 'error', back, test: 'error' });

  async function visit(house, uid, request, response) {
    const { bank } = house;
    let form;
    if (request.method === 'POST') {
      // Lax cookies keep other sites' forms out; this keeps out what else runs on this machine.
      if (request.headers.origin !== undefined && request.headers.origin !== url) return response.writeHead(403, safe).end();
      form = await readForm(request);
    } else if (request.method !== 'GET') return response.writeHead(405, { ...safe, allow: 'GET, POST' }).end();
    const next = await house.visits.step(request, response, uid, form);
    if (!next) return response.writeHead(400, { ...safe, ...html }).end(sorry(bank, request));
    if (next.html) return response.writeHead(200, { ...safe, ...html }).end(next.html);
    if (next.json) return response.writeHead(200, { ...safe, 'content-type': 'application/json' }).end(JSON.stringify(next.json));
    if (next.again) return response.writeHead(303, { ...safe, location: request.originalUrl }).end();
    for (const [name, value] of Object.entries(safe)) response.setHeader(name, value);
    return house.provider().interactionFinished(request, response, next.finish, { mergeWithLastSubmission: false });
  }

  async function answer(request, response) {
    const { pathname, search } = new URL(request.url, url);
    if (pathname === '/') return response.writeHead(200, { ...safe, ...html }).end(startPage({ banks, people, phone: back }));
    if (assets[pathname]) return response.writeHead(200, { ...safe, 'content-type': assets[pathname][0] }).end(assets[pathname][1]);
    const [, id, rest] = /^\/([a-z]+)(\/.*)?$/.exec(pathname) ?? [];
    const house = houses.get(id);
    if (!house || !rest) return response.writeHead(404, { 'content-type': 'text/plain' }).end('Not here\n');

    if (house.down === 'silent') return undefined;
    if (house.down === 'closed') return request.destroy();
    if (house.down) return response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '60' }).end('Out of service\n');

    const { bank } = house;
    if (counted[rest]) house.asked[counted[rest]] += 1;
    if (rest === '/colours.css') {
      return response.writeHead(200, { ...safe, 'content-type': 'text/css; charset=utf-8' }).end(`:root{--bank:light-dark(${bank.colour.join(',')})}\n`);
    }
    if (rest === '/app') {
      return response.writeHead(200, { ...safe, ...html }).end(plainPage({ bank, language: languageOf('', request.headers['accept-language']), title: 'app_page_title', text: 'app_page', back, test: 'app-page' }));
    }
    request.originalUrl = request.url;
    const uid = /^\/visit\/([\w-]+)$/.exec(rest)?.[1];
    if (uid) return visit(house, uid, request, response);
    // The issuer is what it is, whatever name a request calls it by.
    request.headers.host = new URL(url).host;
    request.url = rest + search;
    return house.handle(request, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (!error.status) log(`bank: ${request.method} ${new URL(request.url, url).pathname}: ${error.stack}`);
      if (!response.headersSent) response.writeHead(error.status ?? 500, { 'content-type': 'text/plain', connection: 'close' });
      response.end();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  url = `http://localhost:${server.address().port}`;

  const stop = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });

  try {
    await Promise.all(banks.map(async (bank) => {
      const house = { bank, asked: { discovery: 0, jwks: 0, par: 0, token: 0 }, conduct: {}, down: undefined };
      const made = await makeBankProvider({ bank, issuer: `${url}/${bank.id}`, clientId, clientJwks, redirectUri, people, conduct: () => house.conduct, log,
        renderError: (ctx) => {
          ctx.set(safe);
          ctx.type = 'html';
          ctx.body = sorry(bank, ctx.req);
        } });
      Object.assign(house, made, { visits: makeVisits({ bank, people, cards: makeCards(), provider: made.provider, subjectOf: made.subjectOf }) });
      houses.set(bank.id, house);
    }));
  } catch (error) {
    await stop();
    throw error;
  }

  const chosen = (id) => {
    if (id === undefined) return [...houses.values()];
    if (!houses.has(id)) throw new Error(`no bank is called ${id}`);
    return [houses.get(id)];
  };

  return {
    url,
    people,
    issuer: (id) => `${url}/${chosen(id)[0].bank.id}`,
    /** From now on: a name of misbehaviour.mjs's `conducts`, or a conduct. Of one bank, or of all. */
    misbehave(conduct, id) {
      const how = typeof conduct === 'string' ? conducts[conduct] : conduct;
      if (!how) throw new Error(`no conduct is called ${conduct}`);
      for (const house of chosen(id)) house.conduct = how;
    },
    behave(id) {
      for (const house of chosen(id)) house.conduct = {};
    },
    /** `how`: 'refusing' (503), 'closed' (the connection ends) or 'silent' (never answers). */
    goDown(id, how = 'refusing') {
      for (const house of chosen(id)) house.down = how;
    },
    comeBack(id) {
      for (const house of chosen(id)) house.down = undefined;
    },
    /** Signs with a new key from now on; `keepOld`: the old one stays published. */
    rotateKeys: (id, options) => Promise.all(chosen(id).map((house) => house.rotateKeys(options))),
    /** The client has other keys from now on. */
    useClientKeys: (jwks, id) => chosen(id).forEach((house) => house.useClientKeys(jwks)),
    /** How often the bank was asked for {discovery, jwks, par, token}. */
    asked: (id) => ({ ...chosen(id)[0].asked }),
    stop,
  };
}
