// Phones that are linked through a bank, against the npm package oidc-provider: B1 to B4, C1, C2, and answers that no bank may give.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { banks, loa } from '../../web/demo/bank/banks.mjs';
import { linkPhoneByBank } from '../../web/demo/bank/customer.mjs';
import { conducts } from '../../web/demo/bank/misbehaviour.mjs';
import { launch, openPhone } from '../../web/demo/journey.mjs';
import { startTestStack } from '../../web/demo/stack.mjs';
import { visitByForms } from '../lib/bank_visit.mjs';
import { Browser, e164, nextSms } from '../lib/holder.mjs';

let stack;

before(async () => {
  stack = await startTestStack({ bank: true, reader: false });
});
beforeEach(() => {
  stack.bank.behave();
  stack.bank.comeBack();
});
after(() => stack?.stop());

let numbers = 0;
const freshNumber = () => `0471 ${String(++numbers).padStart(6, '0').replace(/(\d\d)(\d\d)(\d\d)/, '$1 $2 $3')}`;

/** A phone, from its number to the choice of bank. */
async function startAtPhone(number = freshNumber()) {
  const phone = new Browser();
  const started = await phone.json(`${stack.phoneUrl}/d/enrol/bank`, { calling_code: '32', number, language: 'nl' }, { headers: { accept: 'application/json' } });
  assert.equal(started.status, 200, JSON.stringify(started.body));
  const { session } = started.body;
  const leave = (bank) => phone.json(`${stack.phoneUrl}/d/enrol/bank/visit`, { session, bank }, { headers: { accept: 'application/json' } });
  const state = async () => (await phone.json(`${stack.phoneUrl}/d/enrol/state`, undefined, { headers: { 'symbolon-enrolment': session, origin: stack.phoneUrl, accept: 'application/json' } })).body;
  return { phone, number, session, leave, state };
}

/** From the phone to a bank and back. Gives the state of the enrolment then. */
async function identify(bank, { person, by, number } = {}) {
  const { phone, leave, state, ...rest } = await startAtPhone(number);
  const left = await leave(bank);
  assert.equal(left.status, 200, JSON.stringify(left.body));
  const back = await visitByForms(left.body.url, { person, by });
  assert.equal(back.origin + back.pathname, `${stack.phoneUrl}/bank/return`);
  const answer = await phone.fetch(back);
  return { ...rest, back, answer, state: await state() };
}

const outcomeOf = async (bank, options) => {
  const { state } = await identify(bank, options);
  return state.step === 'bank' ? state.outcome?.outcome : state.step;
};

test('B1_each_of_the_seven_brings_a_phone_to_the_code_of_its_SMS', async (t) => {
  for (const { id } of banks) {
    await t.test(id, async () => {
      const seen = stack.outbox.messages.length;
      const { state, answer, number } = await identify(id);
      assert.equal(answer.status, 303);
      assert.equal(new URL(answer.headers.get('location'), stack.phoneUrl).pathname, '/app/');
      assert.equal(state.step, 'sms', JSON.stringify(state));
      assert.match((await stack.outbox.next(e164(number), seen)).text, /\b\d{6}\b/);
    });
  }
});

test('B1_the_banks_app_is_as_good_as_its_card', async () => assert.equal(await outcomeOf('ing', { person: 'amelie', by: 'app' }), 'sms'));

test('B1_on_the_phone_alone_a_person_without_any_card_becomes_a_holder', async () => {
  const browser = await launch();
  try {
    const phone = await openPhone(browser);
    const number = freshNumber();
    await linkPhoneByBank(phone, { phoneUrl: stack.phoneUrl, number, bank: 'kbc', person: 'amelie', sms: nextSms(stack, number) });
    assert.deepEqual(phone.troubles, []);
  } finally {
    await browser.close();
  }
});

test('B2_the_choice_lists_the_seven_with_their_rules', async () => {
  const { body } = await new Browser().json(`${stack.phoneUrl}/d/banks`);
  assert.deepEqual(body.banks.map(({ id, name, minors, app_first: appFirst }) => ({ id, name, minors, appFirst })), banks.map(({ id, name, minors, appFirst }) => ({ id, name, minors, appFirst })));
});

test('B3_data_that_are_too_old_or_missing_are_named', async (t) => {
  for (const [person, fields] of Object.entries({ bruno: ['card_read_on'], expired: ['document_valid_until'], nadia: ['card_read_on', 'document_number', 'document_valid_until'] })) {
    await t.test(person, async () => {
      const { state } = await identify('fintro', { person });
      assert.equal(state.step, 'bank');
      assert.equal(state.outcome.outcome, 'bank_data_outdated');
      assert.deepEqual(state.outcome.fields.map((field) => field.split(' ')[0]).sort(), fields);
      // What was once known is out of date from a day on.
      for (const field of state.outcome.fields) if (person !== 'nadia') assert.match(field, /^\w+ since \d{4}-\d\d-\d\d$/);
    });
  }
});

test('B1_C1_C2_whom_a_bank_may_bring', async (t) => {
  for (const [bank, person, number, expected] of [
    ['kbc', 'minor-16', undefined, 'sms'], ['ing', 'minor-16', undefined, 'sms'], ['belfius', 'minor-16', undefined, 'sms'], ['bnpparibasfortis', 'minor-16', undefined, 'sms'],
    ['hellobank', 'minor-16', undefined, 'bank_not_for_minors'], ['fintro', 'minor-16', undefined, 'bank_not_for_minors'], ['cbc', 'minor-16', undefined, 'bank_not_for_minors'],
    ['kbc', 'minor-17', undefined, 'bank_data_outdated'], ['kbc', 'minor-15', undefined, 'too_young'], ['cbc', 'minor-15', undefined, 'too_young'],
    ['cbc', 'jurgen', undefined, 'bank_phone_number_differs'], ['cbc', 'jurgen', '0470 98 76 54', 'sms'], ['cbc', 'millennium', '0470 12 34 56', 'sms'],
    ['kbc', 'longest-names', undefined, 'sms'], ['cbc', 'foreigner', undefined, 'sms'],
  ]) await t.test(`${person} at ${bank}: ${expected}`, async () => assert.equal(await outcomeOf(bank, { person, number }), expected));
});

test('B4_a_visit_that_was_cancelled_is_back_at_the_choice_and_another_bank_may_follow', async () => {
  const { phone, leave, state } = await startAtPhone();
  const back = await visitByForms((await leave('ing')).body.url, { by: 'cancel' });
  await phone.fetch(back);
  const { step, outcome } = await state();
  assert.equal(step, 'bank');
  assert.equal(outcome.outcome, 'bank_cancelled');
  await phone.fetch(await visitByForms((await leave('kbc')).body.url));
  assert.equal((await state()).step, 'sms');
});

test('B4_a_bank_that_is_down_says_so_and_the_others_go_on', async () => {
  const { phone, leave, state } = await startAtPhone();
  stack.bank.goDown('ing');
  // One failure right after an answer may be chance; three in a row are none.
  for (let i = 0; i < 3; i++) assert.equal((await leave('ing')).body.outcome, 'bank_unreachable');
  const { body } = await phone.json(`${stack.phoneUrl}/d/banks`);
  assert.deepEqual(body.banks.filter((bank) => bank.down_until).map(({ id }) => id), ['ing']);
  await phone.fetch(await visitByForms((await leave('fintro')).body.url));
  assert.equal((await state()).step, 'sms');
  stack.bank.comeBack('ing');
  // What the server knows of a bank that was down is in its memory alone.
  await stack.restartServer();
});

test('a_bank_may_rotate_its_key_at_any_moment', async () => {
  assert.equal(await outcomeOf('cbc'), 'sms');
  await stack.bank.rotateKeys('cbc');
  assert.equal(await outcomeOf('cbc'), 'sms');
});

test('what_a_bank_may_not_answer_brings_nobody_further', async (t) => {
  const expected = { low_assurance: 'bank_assurance_too_low', no_data: 'bank_data_outdated', no_national_number: 'bank_data_outdated',
    garbled: 'bank_answer_invalid', endless: 'bank_answer_invalid' };
  // A key set of one needs no kid (OpenID Connect Core §10.1), and a bank need not know a phone number.
  const harmless = ['without_kid', 'no_phone_number', 'other_issuer_in_metadata', 'in_the_clear'];
  for (const name of Object.keys(conducts).filter((one) => !harmless.includes(one))) {
    await t.test(name, async () => {
      stack.bank.misbehave(name, 'kbc');
      const { state } = await identify('kbc');
      assert.equal(state.step, 'bank', JSON.stringify(state));
      if (expected[name]) assert.equal(state.outcome.outcome, expected[name]);
      stack.bank.behave('kbc');
    });
  }
});

test('an_answer_counts_once_and_for_the_visit_that_asked_for_it', async () => {
  const one = await startAtPhone();
  const other = await startAtPhone();
  const mine = await visitByForms((await one.leave('kbc')).body.url);
  const theirs = await visitByForms((await other.leave('kbc')).body.url, { person: 'amelie' });
  const swapped = new URL(mine);
  swapped.searchParams.set('code', theirs.searchParams.get('code'));
  await one.phone.fetch(swapped);
  assert.equal((await one.state()).step, 'bank', 'a code of another visit');
  await one.phone.fetch(mine);
  assert.equal((await one.state()).step, 'bank', 'a state that was used');
});

test('an_answer_of_one_bank_is_none_of_another', async () => {
  const { phone, leave, state } = await startAtPhone();
  const back = await visitByForms((await leave('kbc')).body.url);
  back.searchParams.set('iss', stack.bank.issuer('ing'));
  await phone.fetch(back);
  assert.equal((await state()).step, 'bank');
});

test('a_level_below_what_was_settled_is_refused_by_any_bank', async () => {
  stack.bank.misbehave({ acr: loa('low') });
  for (const { id } of banks) assert.equal(await outcomeOf(id), 'bank_assurance_too_low', id);
});
