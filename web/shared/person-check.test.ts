import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { solve, type Challenge } from './person-check.ts';

const challenge = (parameters: Partial<Challenge['parameters']> = {}): Challenge => ({
  parameters: {
    algorithm: 'PBKDF2/SHA-256',
    cost: 10,
    expiresAt: 1790000000,
    keyLength: 32,
    keyPrefix: '0',
    nonce: '000102030405060708090a0b0c0d0e0f',
    salt: '101112131415161718191a1b1c1d1e1f',
    ...parameters,
  },
  signature: 'aa',
});

test('A1_the_counter_found_is_one_that_the_server_finds_right', async () => {
  for (const keyPrefix of ['0', '00', 'F', 'a1']) {
    const asked = challenge({ keyPrefix });
    const solved = await solve(asked);
    assert.ok(solved);
    assert.deepEqual(solved.challenge, asked);
    const password = Buffer.concat([Buffer.from(asked.parameters.nonce, 'hex'), Buffer.alloc(4)]);
    password.writeUInt32BE(solved.solution.counter, 16);
    const key = pbkdf2Sync(password, Buffer.from(asked.parameters.salt, 'hex'), 10, 32, 'sha256').toString('hex');
    assert.equal(solved.solution.derivedKey, key);
    assert.ok(key.startsWith(keyPrefix.toLowerCase()));
  }
});

test('a_challenge_that_is_not_ours_or_not_reasonable_is_not_worked_on', async () => {
  for (const odd of [
    { algorithm: 'SHA-256' },
    { cost: 0 },
    { cost: 1e9 },
    { keyLength: 1e6 },
    { keyPrefix: '' },
    { keyPrefix: 'zz' },
    { nonce: 'x' },
    { salt: '123' },
  ])
    assert.equal(await solve(challenge(odd)), null, JSON.stringify(odd));
});

test('an_abandoned_search_stops', async () => {
  const stop = new AbortController();
  stop.abort();
  assert.equal(await solve(challenge({ keyPrefix: 'ffffffff' }), stop.signal), null);
});
