// The check that a person is there, against the reference library of its protocol (npm altcha-lib): each solves, and each judges, what the
// other made. The signature, which needs the same key on both sides, is compared in src/page/person_check_test.cpp.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createChallenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { verify } from 'altcha-lib/frameworks/shared';
import { startTestStack } from '../../web/demo/stack.mjs';
import { solve } from '../../web/shared/person-check.ts';
import { Browser } from '../lib/holder.mjs';

const secret = 'the secret of the package';
let stack;
before(async () => { stack = await startTestStack({ reader: false }); });
after(() => stack?.stop());

const seconds = () => Math.floor(Date.now() / 1000);
const ofPackage = (options = {}) => createChallenge({ algorithm: 'PBKDF2/SHA-256', cost: 10, deriveKey, hmacSignatureSecret: secret, expiresAt: seconds() + 600, ...options });
const ofServer = async () => (await new Browser().json(`${stack.idUrl}/enrolment/person-check`)).body;
const solvedByPackage = async (challenge) => ({ challenge, solution: await solveChallenge({ challenge, deriveKey }) });

/** What our server says: the name of its refusal, or nothing. */
async function server(personCheck) {
  const answer = await new Browser().json(`${stack.idUrl}/enrolment`, {
    calling_code: '32', number: '0470 12 34 56', email: 'holder@example.be', language: 'en', location_consent: false, person_check: personCheck,
  }, { headers: { accept: 'application/json' } });
  return answer.status === 201 ? undefined : answer.body.outcome;
}

/** A judge made of the package. */
function packageJudge() {
  const used = new Map();
  const store = { get: async (id) => used.get(id), set: async (id, value) => void used.set(id, value) };
  return async (payload) => (await verify(structuredClone(payload), deriveKey, secret, undefined, store)).error;
}

test('A1_the_package_solves_the_challenge_of_our_server_which_takes_it_once', async () => {
  const challenge = await ofServer();
  const answer = await solvedByPackage(challenge);
  assert.equal(typeof answer.solution.time, 'number', 'the package says how long it took');
  assert.equal(await server(answer), undefined);
  assert.equal(await server(answer), 'person_check_failed');
  assert.equal((await solve(challenge)).solution.derivedKey, answer.solution.derivedKey, 'both find the first counter');
});

test('A1_our_page_solves_the_challenges_of_the_package_which_takes_them_once', async () => {
  for (const options of [{}, { keyPrefix: 'a' }, { keyPrefix: 'F0' }, { counter: 321 }, { keyLength: 48 }, { expiresAt: undefined }, { data: { form: 'x' } }]) {
    const judge = packageJudge();
    const answer = await solve(await ofPackage(options));
    assert.ok(answer, JSON.stringify(options));
    assert.equal(await judge(answer), null, JSON.stringify(options));
    assert.match(await judge(answer), /already used/);
  }
});

test('A1_a_solution_with_anything_changed_is_refused_by_both', async () => {
  const judge = packageJudge();
  const [fromServer, fromPackage] = [await solvedByPackage(await ofServer()), await solve(await ofPackage())];
  const changes = {
    'a later end': ({ challenge: { parameters } }) => { parameters.expiresAt += 3600; },
    'no end': ({ challenge: { parameters } }) => { delete parameters.expiresAt; },
    'another cost': ({ challenge: { parameters } }) => { parameters.cost = 1; },
    'a shorter prefix': ({ challenge: { parameters } }) => { parameters.keyPrefix = '0'; },
    'another algorithm': ({ challenge: { parameters } }) => { parameters.algorithm = 'PBKDF2/SHA-512'; },
    'one more parameter': ({ challenge: { parameters } }) => { parameters.data = { challengeId: 'another' }; },
    'another salt': ({ challenge: { parameters } }) => { parameters.salt = parameters.salt.replace(/^./, (c) => (c === '0' ? '1' : '0')); },
    'another signature': ({ challenge }) => { challenge.signature = challenge.signature.replace(/^./, (c) => (c === '0' ? '1' : '0')); },
    'no signature': ({ challenge }) => { challenge.signature = ''; },
    'another counter': ({ solution }) => { solution.counter += 1; },
    'a counter that wraps': ({ solution }) => { solution.counter += 2 ** 32; },
    'a counter in letters': ({ solution }) => { solution.counter = String(solution.counter); },
    'another key': ({ solution }) => { solution.derivedKey = `00${'ab'.repeat(31)}`; },
    'a key in capitals': ({ solution }) => { solution.derivedKey = solution.derivedKey.toUpperCase(); },
  };
  for (const [what, change] of Object.entries(changes))
    for (const [judgement, original] of [[server, fromServer], [judge, fromPackage]]) {
      const changed = structuredClone(original);
      change(changed);
      assert.ok(await judgement(changed), `${what}: ${judgement === server ? 'our server' : 'the package'}`);
    }
  assert.equal(await server(fromServer), undefined, 'as it was it is good, and refusals have not used it up');
  assert.equal(await judge(fromPackage), null);
});

test('A1_a_challenge_of_somebody_else_is_refused_by_both', async () => {
  const { parameters } = await ofServer();
  const { expiresAt, cost, keyPrefix } = parameters;
  assert.equal(await server(await solve(await ofPackage({ expiresAt, cost, keyPrefix }))), 'person_check_failed');
  assert.ok(await packageJudge()(await solve(await ofServer())));
});

test('A1_a_challenge_whose_time_is_over_is_refused_by_the_package_too', async () => {
  assert.ok(await packageJudge()(await solve(await ofPackage({ expiresAt: seconds() - 1 }))));
});
