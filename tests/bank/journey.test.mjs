// The journey through a bank as a person walks it, in a real browser, with the real server and the demo's bank: B1 to B4, E1, E7.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { finishLinking, identifyAtBank, leaveFor, linkPhoneByBank, toChoice } from '../../web/demo/bank/customer.mjs';
import * as journey from '../../web/demo/journey.mjs';
import { e164, nextSms } from '../lib/holder.mjs';
import { useStackAndBrowser } from '../lib/stack_tests.mjs';

const { hook, typeCode } = journey;
let stack;
const { computer, phone: newPhone } = useStackAndBrowser((begun) => {
  ({ stack } = begun);
}, { bank: true, reader: false });
afterEach(() => stack.bank.comeBack());

const ended = (phone, outcome) => phone.locator(`[data-test="failure"][data-outcome="${outcome}"]`);

async function open(phone, number) {
  await phone.goto(`${stack.phoneUrl}/app/`);
  await toChoice(phone, number);
}

const link = (phone, { number, ...how }) => linkPhoneByBank(phone, { phoneUrl: stack.phoneUrl, number, ...how, sms: nextSms(stack, number) });

/** The holder logs in at the partner with that phone. Gives the name that the partner was told. */
async function logIn(phone, { number, code }) {
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(phone, { symbol, code });
  await shop.locator('#name').waitFor();
  return shop.locator('#name').innerText();
}

test('B1_B2_D1_a_person_without_a_card_is_linked_through_a_bank_on_the_phone_alone_and_logs_in_with_the_name_that_the_bank_told', async () => {
  const number = '0472 00 00 01';
  const phone = await newPhone({ locale: 'nl-BE' });
  const sms = nextSms(stack, number);
  await open(phone, number);
  await hook(phone, 'bank-kbc').click();
  await hook(phone, 'app-first').waitFor();
  assert.ok((await hook(phone, 'bank-app').getAttribute('href')).startsWith(stack.bank.issuer('kbc')), 'the way to the app of the bank');
  await hook(phone, 'to-bank').click();
  await identifyAtBank(phone, { person: 'lotte', by: 'app' });
  await phone.locator('#sms').waitFor();
  assert.equal(new URL(phone.url()).href, `${stack.phoneUrl}/app/`, 'nothing of the visit stays in the address');
  await finishLinking(phone, { sms });
  assert.match(await logIn(phone, { number }), /Lotte/);
});

test('B4_a_visit_that_was_cancelled_comes_back_to_the_choice_with_what_happened_and_another_bank_goes_on', async () => {
  const number = '0472 00 00 02';
  const phone = await newPhone();
  await open(phone, number);
  await leaveFor(phone, 'ing');
  await identifyAtBank(phone, { by: 'cancel' });
  await ended(phone, 'bank_cancelled').waitFor();
  await hook(phone, 'banks').waitFor();
  const sms = nextSms(stack, number);
  await leaveFor(phone, 'belfius');
  await identifyAtBank(phone, { person: 'amelie' });
  await phone.locator('#sms').waitFor();
  assert.equal(await hook(phone, 'failure').count(), 0);
  assert.match(await sms(), /\b\d{6}\b/);
});

test('B4_a_bank_that_is_down_is_shown_as_such_before_it_is_chosen', async () => {
  const phone = await newPhone();
  stack.bank.goDown('cbc');
  await open(phone, '0472 00 00 03');
  await leaveFor(phone, 'cbc');
  await ended(phone, 'bank_unreachable').waitFor();
  await phone.locator('[data-test="bank-cbc"][data-state="down"]').waitFor();
  const other = await newPhone();
  await open(other, '0472 00 00 04');
  await other.locator('[data-test="bank-cbc"][data-state="down"]').waitFor();
  await leaveFor(other, 'fintro');
  await identifyAtBank(other, { by: 'cancel' });
  await ended(other, 'bank_cancelled').waitFor();
});

test('B3_data_that_are_out_of_date_are_named_and_the_card_is_offered', async () => {
  const phone = await newPhone();
  await open(phone, '0472 00 00 05');
  await leaveFor(phone, 'fintro');
  await identifyAtBank(phone, { person: 'bruno' });
  await ended(phone, 'bank_data_outdated').waitFor();
  await phone.locator('[data-test="fields"][data-fields="card_read_on"]').waitFor();
  assert.match(await hook(phone, 'fields').innerText(), /la date à laquelle la banque a lu/);
  await hook(phone, 'link-phone').click();
  assert.equal(await phone.inputValue('#number'), '0472 00 00 05');
});

test('B1_a_visit_that_comes_back_in_another_browser_goes_on_with_the_six_digits_of_its_page', async () => {
  const number = '0472 00 00 06';
  const phone = await newPhone();
  await open(phone, number);
  let address;
  await phone.route(
    ({ port }) => port === String(stack.ports.bank),
    (route) => {
      address = route.request().url();
      return route.fulfill({ status: 204 }); // the bank is opened elsewhere: this page stays
    },
  );
  await leaveFor(phone, 'fintro');
  await hook(phone, 'at-bank').waitFor();

  const other = await newPhone();
  await other.goto(address);
  await identifyAtBank(other, { person: 'foreigner' });
  await other.locator('#landing-code').waitFor();
  const digits = await other.locator('#landing-code').getAttribute('data-code');
  assert.match(digits, /^\d{6}$/);
  assert.ok((await other.locator('#number').innerText()).replaceAll(/\s/g, '').includes(e164(number)), 'the page names the number');

  await phone.locator('#landing').waitFor();
  await phone.fill('#landing', digits === '000000' ? '111111' : '000000');
  await hook(phone, 'next').click();
  await ended(phone, 'landing_code_wrong').waitFor();
  const sms = nextSms(stack, number);
  await phone.fill('#landing', digits);
  await hook(phone, 'next').click();
  await finishLinking(phone, { sms });
});

test('B4_a_phone_that_was_restarted_half_way_says_at_which_bank_its_holder_was_and_goes_on', async () => {
  const number = '0470 12 34 56'; // as the bank knows this person
  const first = await newPhone();
  await open(first, number);
  await leaveFor(first, 'hellobank');
  await hook(first, 'step').and(first.locator('[data-at="card"]')).waitFor();
  const phone = await first.context().newPage();
  phone.setDefaultTimeout(30_000);
  await first.close();
  await phone.goto(`${stack.phoneUrl}/app/`);
  await hook(phone, 'at-bank').waitFor();
  assert.match(await phone.getByRole('heading', { level: 1 }).innerText(), /Hello bank!/);
  const sms = nextSms(stack, number);
  await hook(phone, 'to-bank').click();
  await identifyAtBank(phone, { person: 'millennium' });
  await finishLinking(phone, { sms });
});

test('E1_E7_a_new_phone_gets_the_account_through_the_bank_with_a_new_code_and_the_old_phone_is_told', async () => {
  const number = '0472 00 00 07';
  const old = await newPhone();
  await link(old, { number, bank: 'bnpparibasfortis', person: 'longest-names' });

  const phone = await newPhone();
  const sms = nextSms(stack, number);
  await open(phone, number);
  await leaveFor(phone, 'bnpparibasfortis');
  await identifyAtBank(phone, { person: 'longest-names' });
  await hook(phone, 'moves').waitFor();
  await finishLinking(phone, { sms, code: '73195' });

  await ended(old, 'device_unbound').waitFor();
  await hook(old, 'link-again').waitFor();
  assert.ok(await logIn(phone, { number, code: '73195' }));

  // The code is forgotten: the way back on the same phone is the bank again.
  await phone.goto(`${stack.phoneUrl}/app/`);
  await hook(phone, 'forgot').locator('summary').click();
  await hook(phone, 'link-again').click();
  const smsAgain = nextSms(stack, number);
  await toChoice(phone, number);
  await leaveFor(phone, 'bnpparibasfortis');
  await identifyAtBank(phone, { person: 'longest-names' });
  await finishLinking(phone, { sms: smsAgain, code: '48261' });
  assert.ok(await logIn(phone, { number, code: '48261' }));
});

test('E6_a_blocked_account_is_unblocked_by_the_same_bank_and_by_no_other', async () => {
  const number = '0472 00 00 11';
  const person = 'amelie';
  const phone = await newPhone();
  await link(phone, { number, bank: 'ing', person });
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  for (const [code, left] of [['90210', /2/], ['90211', /1/]]) {
    await typeCode(phone, code);
    await hook(phone, 'tries-left').first().getByText(left).waitFor();
  }
  await typeCode(phone, '90212');
  await ended(phone, 'code_blocked').waitFor();
  await phone.goto(`${stack.phoneUrl}/app/`);
  await phone.locator('[data-test="blocked-by"][data-bank="ING"]').waitFor();
  await hook(phone, 'link-again').click();

  await toChoice(phone, number);
  await leaveFor(phone, 'belfius');
  await identifyAtBank(phone, { person });
  await ended(phone, 'other_source_than_enrolled').waitFor();
  const sms = nextSms(stack, number);
  await leaveFor(phone, 'ing');
  await identifyAtBank(phone, { person });
  await finishLinking(phone, { sms, code: '61937' });
  assert.match(await logIn(phone, { number, code: '61937' }), /Amélie/);
});

test('E3_a_new_number_on_a_new_phone_is_refused_at_the_bank_and_the_card_is_pointed_at', async () => {
  const person = 'minor-16';
  await link(await newPhone(), { number: '0472 00 00 08', bank: 'ing', person });
  const phone = await newPhone();
  await open(phone, '0472 00 00 09');
  await leaveFor(phone, 'ing');
  await identifyAtBank(phone, { person });
  await ended(phone, 'new_number_needs_card').waitFor();
  await hook(phone, 'link-phone').waitFor();
});

test('C2_who_is_under_18_sees_the_other_banks_greyed_out_after_the_bank_said_so', async () => {
  const phone = await newPhone();
  await open(phone, '0472 00 00 10');
  await leaveFor(phone, 'hellobank');
  await identifyAtBank(phone, { person: 'minor-16' });
  await ended(phone, 'bank_not_for_minors').waitFor();
  for (const bank of ['hellobank', 'fintro']) await phone.locator(`[data-test="bank-${bank}"][data-state="minor"]`).waitFor();
  await phone.locator('[data-test="bank-kbc"][data-state="open"]').waitFor();
});
