// Who enrolled with the card comes back through a bank, and the other way round: the real card stack, the real server, the demo's bank.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { linkPhoneByBank } from '../../web/demo/bank/customer.mjs';
import * as journey from '../../web/demo/journey.mjs';
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
