import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { phoneData } from '../scripts/phone-data.ts';
import { judgeNumber } from './phone-number.ts';

test('A1_a_number_with_or_without_0_spaces_dots_or_slashes_is_one_number', () => {
  const ways = [
    '0470 12 34 56',
    '470123456',
    '0470/12.34.56',
    '0470-12-34-56',
    '+32 470 12 34 56',
    '0032470123456',
    '0470\u00a012 34 56',
  ];
  for (const typed of ways)
    assert.deepEqual(judgeNumber('BE', typed), { ok: true, e164: '+32470123456', shown: '+32 470 12 34 56' }, typed);
});

test('what_is_no_mobile_number_is_refused', () => {
  assert.deepEqual(judgeNumber('BE', '02 123 45 67'), { ok: false, because: 'not_mobile' });
  for (const typed of ['', '0470', 'my number', '0470 12 34 56 78 90 12', '<b>0470123456', '04a0123456'])
    assert.deepEqual(judgeNumber('BE', typed), { ok: false, because: 'invalid' }, typed);
});

test('other_countries_have_their_own_rules', () => {
  assert.deepEqual(judgeNumber('FR', '06 12 34 56 78'), { ok: true, e164: '+33612345678', shown: '+33 6 12 34 56 78' });
  assert.deepEqual(judgeNumber('NL', '06-12345678'), { ok: true, e164: '+31612345678', shown: '+31 6 12345678' });
  assert.deepEqual(judgeNumber('IT', '312 345 6789'), { ok: true, e164: '+393123456789', shown: '+39 312 345 6789' });
});

test('a_region_without_rules_here_is_left_to_the_server', () => {
  assert.deepEqual(judgeNumber('JP', '090 1234 5678'), { ok: 'server' });
  assert.deepEqual(judgeNumber('BE', '+81 90 1234 5678'), { ok: 'server' });
});

test('the_files_are_of_the_package_that_is_installed', () => {
  const file = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
  const { callingCodes, metadata } = phoneData();
  assert.deepEqual(file('calling-codes.json'), callingCodes);
  assert.deepEqual(file('phone-metadata.json'), JSON.parse(JSON.stringify(metadata)));
});
