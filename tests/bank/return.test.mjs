// Back through a bank: a card holder on a new phone and with the card again, and a deactivated account (E1, E5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishLinking, identifyAtBank, leaveFor, linkPhoneByBank, toChoice } from '../../web/demo/bank/customer.mjs';
import * as journey from '../../web/demo/journey.mjs';
import { run } from '../../web/demo/process.mjs';
import { e164, linkBrowser, nextSms } from '../lib/holder.mjs';
import { useStackAndBrowser } from '../lib/stack_tests.mjs';

const { hook } = journey;
let stack, browser;

useStackAndBrowser((begun) => {
  ({ stack, browser } = begun);
}, { bank: true });

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
    await linkPhoneByBank(second, { phoneUrl: stack.phoneUrl, number, bank, person, code: '73195', sms: nextSms(stack, number) });
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

test('E5_a_deactivated_account_comes_back_through_the_bank_on_the_same_phone', async () => {
  const number = '0470 98 76 54';
  const phone = await journey.openPhone(browser);
  await linkPhoneByBank(phone, { phoneUrl: stack.phoneUrl, number, bank: 'fintro', person: 'jurgen', sms: nextSms(stack, number) });
  await run(stack.program('symbolon'), ['person', 'deactivate', e164(number), '--config', stack.config]);
  await phone.reload();
  const sms = nextSms(stack, number);
  await hook(phone, 'link-again').click();
  await toChoice(phone, number);
  await leaveFor(phone, 'fintro');
  await identifyAtBank(phone, { person: 'jurgen' });
  await finishLinking(phone, { sms, code: '73195' });
  assert.ok(await logIn(phone, number, '73195'));
  await phone.context().close();
});
