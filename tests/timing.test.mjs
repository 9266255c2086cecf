// D7: how long the server takes for a number tells nothing of who has it.
//
// Method: in each round a start by number is timed once for each kind, in an order drawn anew, over the real server and its
// store on disk. Ranks of all samples of two kinds are compared (Mann–Whitney U with correction for ties; for n = 300 each its z is
// normal to well within what matters here). Whatever slows the machine slows all kinds of a round alike. |z| ≥ 6 fails: by
// chance that happens less than twice in 10⁹ for a pair. That the test can fail is shown each time with a planted difference:
// one interquartile range more in each sample of one kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from 'node:http';
import { join } from 'node:path';
import { Browser, makeHolder } from './lib/holder.mjs';
import { useStack } from './lib/stack_tests.mjs';
import { run } from '../web/demo/process.mjs';

const rounds = 300;
const limit = 6;
const numbers = { silent: '0470 12 34 56', blocked: '0470 65 43 21', deactivated: '0473 65 43 21', unknown: '0471 99 88 77', 'unknown too': '0472 99 88 77' };
let stack;
const holders = [];

/** z of the Mann–Whitney test: how many standard deviations the ranks of `a` are from those of `b`. */
export function rankDifference(a, b) {
  const all = [...a.map((value) => ({ value, ofA: true })), ...b.map((value) => ({ value, ofA: false }))].sort((x, y) => x.value - y.value);
  let ranksOfA = 0;
  let ties = 0;
  for (let i = 0; i < all.length; ) {
    let end = i;
    while (end < all.length && all[end].value === all[i].value) end++;
    const rank = (i + 1 + end) / 2;
    for (let at = i; at < end; at++) if (all[at].ofA) ranksOfA += rank;
    ties += (end - i) ** 3 - (end - i);
    i = end;
  }
  const n = all.length;
  const u = ranksOfA - (a.length * (a.length + 1)) / 2;
  const variance = ((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return (u - (a.length * b.length) / 2) / Math.sqrt(variance);
}

/** A POST over one connection that stays open. Gives status and microseconds. */
function timedPost(agent, url, headers, body) {
  return new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint();
    const asked = request(url, { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length } }, (answer) => {
      const took = Number(process.hrtime.bigint() - begun) / 1000;
      answer.resume();
      answer.once('end', () => resolve({ status: answer.statusCode, took }));
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

async function holderOf(persona, number) {
  const holder = await makeHolder(stack, { persona, number });
  holders.push(holder);
  atEnd(holder.stop);
  return holder;
}

const { atEnd } = useStack(async (begun) => {
  ({ stack } = begun);
  await holderOf('lotte', numbers.silent);
  const blocked = await holderOf('bruno', numbers.blocked);
  const { path, browser } = await begin();
  await browser.form(`${stack.idUrl}${path}`, { calling_code: '32', identifier: numbers.blocked, continue: '1' });
  const symbol = /symbols\.svg#([a-z-]+)"/.exec(await (await browser.fetch(`${stack.idUrl}${path}`)).text())[1];
  let said;
  for (let i = 0; i < 3; i++) said = await blocked.answer(`wrong-code ${symbol}`);
  assert.equal(said.outcome, 'code_blocked', JSON.stringify(said));
  await holderOf('nadia', numbers.deactivated);
  await run(stack.program('symbolon'), ['person', 'deactivate', '+32473654321', '--config', join(stack.state, 'symbolon.toml')]);
  // Phones that are off.
  for (const holder of holders) await holder.stop();
});

async function begin(browser = new Browser()) {
  const query = new URLSearchParams({ response_type: 'code', client_id: stack.clientId, redirect_uri: `${stack.partner.url}/callback`, scope: 'openid profile', state: 's', nonce: 'n',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' });
  const answer = await browser.fetch(`${stack.idUrl}/authorize?${query}`);
  return { path: new URL(answer.headers.get('location'), stack.idUrl).pathname, browser };
}

function shuffled(items) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

test('D7_the_time_of_a_start_does_not_tell_unknown_blocked_deactivated_and_silent_numbers_apart', async (t) => {
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const took = Object.fromEntries(Object.keys(numbers).map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const kind of shuffled(Object.keys(numbers))) {
      const { path, browser } = await begin();
      const headers = { origin: stack.idUrl, cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
      const body = new URLSearchParams({ calling_code: '32', identifier: numbers[kind], continue: '1' }).toString();
      const answer = await timedPost(agent, `${stack.idUrl}${path}`, headers, body);
      assert.equal(answer.status, 303, kind);
      took[kind].push(answer.took);
    }
  }
  agent.destroy();

  const kinds = Object.keys(numbers);
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  for (let i = 0; i < kinds.length; i++)
    for (let j = i + 1; j < kinds.length; j++) {
      const z = rankDifference(took[kinds[i]], took[kinds[j]]);
      t.diagnostic(`${kinds[i]} ${Math.round(median(took[kinds[i]]))} µs, ${kinds[j]} ${Math.round(median(took[kinds[j]]))} µs: z = ${z.toFixed(2)}`);
      assert.ok(Math.abs(z) < limit, `${kinds[i]} and ${kinds[j]} can be told apart: z = ${z.toFixed(2)}`);
    }

  // Were there a difference, it would be seen: the very same samples with one planted.
  const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)];
  const spread = quantile(took.silent, 0.75) - quantile(took.silent, 0.25);
  const planted = took.silent.map((value) => value + spread);
  assert.ok(Math.abs(rankDifference(planted, took.unknown)) >= limit, 'a planted difference is found');
});

test('the_ranks_of_equal_and_of_shifted_samples_are_judged_as_the_textbook_says', () => {
  const ramp = Array.from({ length: 300 }, (_, i) => i);
  assert.equal(rankDifference(ramp, ramp), 0);
  assert.ok(rankDifference(ramp.map((x) => x + 100), ramp) > limit);
  assert.ok(rankDifference(ramp, ramp.map((x) => x + 100)) < -limit);
  // U = 2 of 9 for these two (Mann and Whitney's own kind of table): (2 - 4.5) / sqrt(9 · 7 / 12).
  assert.ok(Math.abs(rankDifference([1, 2, 5], [3, 4, 6]) - (2 - 4.5) / Math.sqrt((9 * 7) / 12)) < 1e-12);
});
