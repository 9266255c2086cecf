import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialled, groupedNumber } from './number-shown.ts';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test('a_number_is_shown_in_groups', () => {
  assert.equal(plain(groupedNumber('+32470123456')), '+32 470 12 34 56');
  assert.equal(plain(groupedNumber('+33612345678')), '+33 6 12 34 56 78');
  assert.equal(groupedNumber('+819012345678'), '+819012345678');
  assert.ok(!groupedNumber('+32470123456').includes(' '), 'it stays on one line');
});

test('what_was_typed_is_shown_as_one_dials_it', () => {
  assert.equal(plain(dialled('32', '0470 12 34 56')), '+32 470 12 34 56');
  assert.equal(plain(dialled('32', '+32 470 12 34 56')), '+32 470 12 34 56');
  assert.equal(plain(dialled('39', '0549 886 377')), '+39 0549 886 377');
});
