// Back through a bank: a card holder on a new phone and with the card again, a deactivated account, a blocked one (E1, E5, E6).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { identifyAtBank, linkPhoneByBank } from '../../web/demo/bank/customer.mjs';
import * as journey from '../../web/demo/journey.mjs';
import { run } from '../../web/demo/process.mjs';
import { startTestStack } from '../../web/demo/stack.mjs';
import { e164, linkBrowser } from '../lib/holder.mjs';

const { hook } = journey;
let stack, browser;

before(async () => {
  stack = await startTestStack({ bank: true });
  browser = await journey.launch();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** `number`'s next SMS from now on. */
function nextSms(number) {
  const seen = stack.outbox.messages.length;
  return async () => (await stack.outbox.next(e164(number), seen)).text;
}

async function logIn(phone, number, code) {
  const shop = await journey.openComputer(browser);
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(phone, { symbol, code });
  await shop.locator('#name').waitFor();
  const subject = await shop.locator('dt:text-is("sub") + dd').first().innerText();
  await shop.context().close();
  return subject;
}

test('E1_a_card_holder_comes_to_a_new_phone_through_a_bank_and_back_with_the_card_and_is_the_same_to_partners', async () => {
  for (const [person, bank, number] of [['lotte', 'belfius', '0473 00 00 01'], ['amelie', 'fintro', '0473 00 00 02'], ['longest-names', 'ing', '0473 00 00 03'], ['foreigner', 'cbc', '0473 00 00 04']]) {
    const first = await journey.openPhone(browser);
    await linkBrowser(stack, first, { persona: person, number });
    const known = await logIn(first, number, '38214');

    const second = await journey.openPhone(browser);
    await linkPhoneByBank(second, { phoneUrl: stack.phoneUrl, number, bank, person, code: '73195', sms: nextSms(number) });
    await first.locator('[data-test="failure"][data-outcome="device_unbound"]').waitFor();
    assert.equal(await logIn(second, number, '73195'), known, person);

    await first.goto(`${stack.phoneUrl}/app/`);
    await hook(first, 'link-again').first().waitFor();
    const third = await journey.openPhone(browser);
    await linkBrowser(stack, third, { persona: person, number });
    assert.equal(await logIn(third, number, '38214'), known, person);
    assert.deepEqual([first, second, third].flatMap((page) => page.troubles), []);
    for (const page of [first, second, third]) await page.context().close();
  }
});

/** From where the app says that it must be linked again, through a bank to what it says. */
async function backThrough(phone, { bank, person, number }) {
  await hook(phone, 'link-again').click();
  await hook(phone, 'link-bank').click();
  await phone.fill('#number', number);
  await hook(phone, 'next').click();
  return again(phone, { bank, person });
}

async function again(phone, { bank, person }) {
  await hook(phone, `bank-${bank}`).click();
  await hook(phone, 'to-bank').click();
  await identifyAtBank(phone, { person });
}

async function finish(phone, sms, code) {
  await phone.locator('#sms').waitFor();
  await phone.fill('#sms', /\b\d{6}\b/.exec(await sms())[0]);
  await hook(phone, 'next').click();
  await journey.typeCode(phone, code);
  await journey.typeCode(phone, code);
  await hook(phone, 'linked').waitFor();
  await hook(phone, 'to-home').click();
  await hook(phone, 'nothing').waitFor();
}

test('E5_a_deactivated_account_comes_back_through_the_bank_on_the_same_phone', async () => {
  const number = '0470 98 76 54';
  const phone = await journey.openPhone(browser);
  await linkPhoneByBank(phone, { phoneUrl: stack.phoneUrl, number, bank: 'fintro', person: 'jurgen', sms: nextSms(number) });
  await run(stack.program('symbolon'), ['person', 'deactivate', e164(number), '--config', stack.config]);
  await phone.reload();
  const sms = nextSms(number);
  await backThrough(phone, { bank: 'fintro', person: 'jurgen', number });
  await finish(phone, sms, '73195');
  assert.ok(await logIn(phone, number, '73195'));
  await phone.context().close();
});

test('E6_a_blocked_account_is_unblocked_by_the_bank_that_enrolled_it_and_by_no_other', async () => {
  const number = '0470 12 34 56';
  const phone = await journey.openPhone(browser);
  await linkPhoneByBank(phone, { phoneUrl: stack.phoneUrl, number, bank: 'bnpparibasfortis', person: 'millennium', sms: nextSms(number) });
  const shop = await journey.openComputer(browser);
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  for (const [at, code] of ['90210', '90211', '90212'].entries()) {
    await journey.typeCode(phone, code);
    await phone.locator(`[data-outcome="${at < 2 ? 'code_wrong' : 'code_blocked'}"]`).waitFor();
    if (at < 2) await hook(phone, 'tries-left').first().getByText(at === 0 ? /2/ : /1|un/i).waitFor();
  }
  await phone.reload();
  await hook(phone, 'blocked').waitFor();
  await backThrough(phone, { bank: 'hellobank', person: 'millennium', number });
  await phone.locator('[data-test="failure"][data-outcome="other_source_than_enrolled"]').waitFor();

  const sms = nextSms(number);
  await again(phone, { bank: 'bnpparibasfortis', person: 'millennium' });
  await finish(phone, sms, '73195');
  assert.ok(await logIn(phone, number, '73195'));
  await shop.context().close();
  await phone.context().close();
});
