// A holder without a browser: enrols by the page's API with the real symbolon-eid, and answers with symbolon-phone.
import { spawn } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { linkPhone } from '../../web/demo/journey.mjs';
import { solve } from '../../web/shared/person-check.ts';
import { run } from '../../web/demo/process.mjs';
import { end } from './child.mjs';

// Not fetch(): that says of itself that it is a script, and some sites then don't send people to a login page.
function navigate(url, { method = 'GET', headers, body }) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: Object.fromEntries(headers) }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const got = new Headers();
        for (let i = 0; i < answer.rawHeaders.length; i += 2) got.append(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
        resolve(new Response([101, 204, 205, 304].includes(answer.statusCode) ? null : Buffer.concat(parts), { status: answer.statusCode, headers: got }));
      });
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** A browser without a screen: keeps cookies, follows no redirect by itself. */
export class Browser {
  cookies = new Map();

  async fetch(url, options = {}) {
    const { origin } = new URL(url);
    const headers = new Headers(options.headers);
    if (this.cookies.size) headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    if (options.method === 'POST' && !headers.has('origin')) headers.set('origin', origin);
    if (!headers.has('accept')) headers.set('accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8');
    const answer = await navigate(url, { ...options, body: options.body?.toString(), headers });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0\b/i.test(line)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  async json(url, body, options = {}) {
    const answer = await this.fetch(url, body === undefined ? options
      : { method: 'POST', body: JSON.stringify(body), ...options, headers: { 'content-type': 'application/json', ...options.headers } });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null, headers: answer.headers };
  }

  form(url, fields) {
    return this.fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields) });
  }
}

/** Enrols the persona in `stack`'s reader up to the identification token. */
export async function enrolUpToToken(stack, { persona, number, email = 'holder@example.be', pin = '1234', language = 'en' }) {
  await stack.desk.insert(persona);
  const browser = new Browser();
  const check = await browser.json(`${stack.idUrl}/enrolment/person-check`);
  const begun = await browser.json(`${stack.idUrl}/enrolment`, {
    calling_code: '32', number, email, language, location_consent: false, person_check: await solve(check.body),
  });
  if (begun.status !== 201) throw new Error(`enrolment refused: ${JSON.stringify(begun.body)}`);
  const read = await stack.desk.run({ link: begun.body.link, symbol: begun.body.symbol, pin, language });
  if (read.code !== 0) throw new Error(read.said);
  const fixed = await browser.json(`${stack.idUrl}/enrolment/sign`, {});
  const signed = await stack.desk.run({ link: fixed.body.link, symbol: fixed.body.symbol, pin, language });
  if (signed.code !== 0) throw new Error(signed.said);
  const { body: state } = await browser.json(`${stack.idUrl}/enrolment`);
  return { browser, state, token: state.token };
}

/** The number as SMS are sent to it: `0470 12 34 56` is `+32470123456`. */
export const e164 = (number) => `+32${number.slice(1).replaceAll(' ', '')}`;

/** A function that gives the first SMS to `number` from now on, once it is there. */
export function nextSms(stack, number) {
  const seen = stack.outbox.messages.length;
  return async () => (await stack.outbox.next(e164(number), seen)).text;
}

/** An account for `persona`, bound to the app that `phone` (a page of a browser) opens. `fingerprint`: the answer to its offer. */
export async function linkBrowser(stack, phone, { persona, number, language, fingerprint }) {
  const { token } = await enrolUpToToken(stack, { persona, number, language });
  await linkPhone(phone, { phoneUrl: stack.phoneUrl, number, token, fingerprint, sms: nextSms(stack, number) });
}

/**
 * A holder with an active account and a phone that is on. `answer(command)` speaks to symbolon-phone's control port.
 */
export async function makeHolder(stack, { persona = 'lotte', number = '0470 12 34 56', code = '38214' } = {}) {
  const { browser, token } = await enrolUpToToken(stack, { persona, number });
  const state = join(stack.folder, `phone-${persona}.json`);
  const common = ['--server', stack.phoneUrl, '--state', state, '--code', code];
  await run(stack.program('symbolon-phone'), [...common, 'enrol', '--number', number, '--token', token, '--outbox', stack.outbox.url, '--name', 'Test phone']);
  const child = spawn(stack.program('symbolon-phone'), [...common, 'run', '--control', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const said = JSON.parse(line);
      if (said.control) resolve(said.control);
    });
    child.once('exit', () => reject(new Error('symbolon-phone ended at its start')));
  });
  return {
    number, browser, state,
    answer: (line) => new Promise((resolve, reject) => {
      const connection = createConnection(port, '127.0.0.1');
      createInterface({ input: connection }).once('line', (said) => {
        connection.destroy();
        resolve(JSON.parse(said));
      });
      connection.once('error', reject);
      connection.write(`${line}\n`);
    }),
    stop: () => end(child),
  };
}

/**
 * Walks a browser from an authorization URL over the sign-in page, without JavaScript, to the partner's redirect URI.
 * The phone answers with `answer` ('approve', 'refuse', …). Gives the URL that the partner would be asked at.
 */
export async function signIn(stack, holder, authorizationUrl, { answer = 'approve', browser = new Browser(), number = holder.number } = {}) {
  const first = await browser.fetch(authorizationUrl);
  let location = first.headers.get('location');
  if (first.status !== 303 && first.status !== 302) throw new Error(`the authorization endpoint answered ${first.status}: ${await first.text()}`);
  const page = new URL(location, stack.idUrl);
  if (!page.pathname.startsWith('/sign-in/')) return page; // an error, at the partner
  await browser.fetch(page);
  await browser.form(page, { calling_code: '32', identifier: number, continue: '1' });
  const waiting = await (await browser.fetch(page)).text();
  const symbol = /symbols\.svg#([a-z-]+)"/.exec(waiting)?.[1];
  if (!symbol) throw new Error(`the sign-in page does not wait: ${waiting}`);
  if (answer) {
    const said = await holder.answer(answer === 'approve' ? `approve ${symbol}` : answer);
    if (said.outcome && answer === 'approve') throw new Error(`the phone could not approve: ${JSON.stringify(said)}`);
  }
  const back = await browser.fetch(new URL(`${page.pathname}/continue`, stack.idUrl));
  location = back.headers.get('location');
  if (!location) throw new Error(`the sign-in page does not go on: ${back.status} ${await back.text()}`);
  return new URL(location, stack.idUrl);
}
