import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOfCode } from './code-rules.ts';

const rules = { birth_date: ['30078', '19850'], number: ['23456', '04701'], common: ['11235'] };

test('A6_a_trivial_code_is_refused_with_the_first_reason_that_holds', () => {
  const cases: [string, ReturnType<typeof refusalOfCode>][] = [
    ['1234', 'code_malformed'],
    ['123456', 'code_malformed'],
    ['12a45', 'code_malformed'],
    ['１２３４５', 'code_malformed'],
    ['11111', 'repeat'],
    ['12121', 'repeat'],
    ['77377', 'repeat'],
    ['12345', 'run'],
    ['54321', 'run'],
    ['89012', 'run'],
    ['13579', 'run'],
    ['24680', 'run'],
    ['30078', 'birth_date'],
    ['04701', 'number'],
    ['23456', 'run'],
    ['11235', 'common'],
    ['40718', null],
    ['27182', null],
  ];
  for (const [code, reason] of cases) assert.equal(refusalOfCode(code, rules), reason, code);
});
