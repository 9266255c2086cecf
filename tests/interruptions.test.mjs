// What people and networks do in the middle of a login, over the real server: cancel, wait too long, send twice, open two
// tabs, clear the browser, forbid the camera, leave the mouse alone.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import * as journey from '../web/demo/journey.mjs';
import { startTestStack } from '../web/demo/stack.mjs';
import { linkBrowser } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

const number = '0470 11 22 33';
const { hook, typeCode } = journey;
let stack, mobile;
const { computer, phone: newPhone, tabOf } = useStackAndBrowser(async ({ stack: begun, browser }) => {
  stack = begun;
  mobile = await journey.openPhone(browser);
  await linkBrowser(stack, mobile, { persona: 'lotte', number, language: 'fr' });
});
afterEach(() => mobile.goto(`${stack.phoneUrl}/app/`));

async function atTheSignIn(options) {
  const shop = await computer(options);
  await journey.goToSignIn(shop, { partnerUrl: stack.partner.url });
  return shop;
}
const result = (phone, kind) => phone.locator(`[data-test="result"][data-result="${kind}"]`);
async function toTheCode(phone, symbol) {
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  await hook(phone, 'keypad').waitFor();
}

test('D5_a_login_that_is_cancelled_at_the_computer_ends_on_the_phone_by_itself', async () => {
  const shop = await atTheSignIn();
  const symbol = await journey.typeNumber(shop, number);
  await toTheCode(mobile, symbol);
  await shop.click('button[name="cancel"]');
  await result(mobile, 'ended').waitFor();
  await shop.waitForURL(`${stack.partner.url}/**`);
  await hook(mobile, 'to-home').click();
  await hook(mobile, 'nothing').waitFor();
});

test('D5_a_request_that_nobody_answers_expires_on_both_screens_and_the_page_offers_a_new_try', async () => {
  const short = await startTestStack({ extra: '[limits]\naction_lifetime = 12\n' });
  try {
    const phone = await newPhone();
    await linkBrowser(short, phone, { persona: 'bruno', number });
    const shop = await computer();
    await journey.startLogin(shop, { partnerUrl: short.partner.url, number });
    await hook(phone, 'open-action').first().click();
    await result(phone, 'expired').waitFor();
    await shop.locator('#error', { hasText: 'action_expired' }).waitFor();
    await shop.click('button[name="restart"]');
    await shop.locator('#entry').waitFor();
  } finally {
    await short.stop();
  }
});

test('D5_a_number_that_is_sent_twice_makes_one_request', async () => {
  const shop = await atTheSignIn();
  const form = { calling_code: '32', identifier: number, continue: '1' };
  const post = () => shop.request.post(shop.url(), { form, headers: { origin: stack.idUrl }, maxRedirects: 0 });
  const statuses = (await Promise.all([post(), post(), post()])).map((answer) => answer.status());
  assert.deepEqual(statuses, [303, 303, 303]);
  const symbol = await journey.shownSymbol(shop);
  await mobile.locator('[data-test="pending"][data-count="1"]').waitFor();
  await toTheCode(mobile, symbol);
  await typeCode(mobile, '38214');
  await shop.locator('#name').waitFor();
  await hook(mobile, 'to-home').click();
  await hook(mobile, 'nothing').waitFor();
});

test('D1_an_answer_that_arrives_twice_counts_once', async () => {
  const shop = await atTheSignIn();
  const symbol = await journey.typeNumber(shop, number);
  await mobile.route('**/answer', async (route) => {
    const both = await Promise.all([route.fetch(), route.fetch()]);
    const states = await Promise.all(both.map(async (answer) => (await answer.json()).state));
    assert.ok(states.includes('approved'));
    // The phone hears the less pleasant of the two.
    await route.fulfill({ response: both[states[0] === 'approved' ? 1 : 0] });
  }, { times: 1 });
  await toTheCode(mobile, symbol);
  await typeCode(mobile, '38214');
  await result(mobile, 'approved').waitFor();
  await shop.locator('#name').waitFor();
  await hook(mobile, 'to-home').click();
  // The ratchet has turned once: the next login is not taken for a copy's.
  const next = await atTheSignIn();
  await toTheCode(mobile, await journey.typeNumber(next, number));
  await typeCode(mobile, '38214');
  await next.locator('#name').waitFor();
});

test('D1_a_wrong_code_that_arrives_twice_costs_one_try', async () => {
  const shop = await atTheSignIn();
  const symbol = await journey.typeNumber(shop, number);
  await mobile.route('**/answer', async (route) => {
    await route.fetch();
    await route.continue();
  }, { times: 1 });
  await toTheCode(mobile, symbol);
  await typeCode(mobile, '90210');
  await mobile.locator('[data-outcome="code_wrong"]').waitFor();
  assert.match(await hook(mobile, 'tries-left').innerText(), /2 essais/);
  await typeCode(mobile, '38214');
  await shop.locator('#name').waitFor();
});

test('D2_of_two_tabs_with_the_same_login_one_goes_on_and_the_other_says_so', async () => {
  const shop = await atTheSignIn();
  const other = await tabOf(shop);
  await other.goto(shop.url());
  await other.locator('#entry').waitFor();
  const symbol = await journey.typeNumber(shop, number);
  await other.bringToFront();
  assert.equal(await journey.shownSymbol(other), symbol, 'both show the same request');
  await toTheCode(mobile, symbol);
  await typeCode(mobile, '38214');
  // Which of the two was faster, the browser decides.
  for (const tab of [other, shop]) {
    await tab.bringToFront();
    await tab.locator('#name').or(tab.locator('#error', { hasText: 'sign_in_finished' })).waitFor();
  }
  assert.ok((await other.locator('#name').count()) + (await shop.locator('#name').count()) >= 1);
});

test('D5_a_request_answered_in_one_window_of_the_app_ends_in_the_other', async () => {
  const shop = await atTheSignIn();
  const symbol = await journey.typeNumber(shop, number);
  const second = await tabOf(mobile);
  await second.goto(`${stack.phoneUrl}/app/`);
  await toTheCode(second, symbol);
  await mobile.bringToFront();
  await toTheCode(mobile, symbol);
  await typeCode(mobile, '38214');
  await shop.locator('#name').waitFor();
  await second.bringToFront();
  await result(second, 'ended').waitFor();
});

test('D1_each_screen_names_the_symbol_in_its_own_language', async () => {
  const { symbols } = JSON.parse(await (await import('node:fs/promises')).readFile(new URL('../web/shared/symbols.json', import.meta.url), 'utf8'));
  const shop = await atTheSignIn({ locale: 'nl-BE' });
  const symbol = await journey.typeNumber(shop, number);
  assert.equal(await shop.locator('.symbol-name').innerText(), symbols[symbol].nl);
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'approve').click();
  assert.equal(await hook(mobile, `symbol-${symbol}`).innerText(), symbols[symbol].fr);
  await hook(mobile, `symbol-${symbol}`).click();
  await typeCode(mobile, '38214');
  await shop.locator('#name').waitFor();
});

test('D3_whoever_forbids_the_camera_is_told_so_and_logs_in_with_the_short_code', async () => {
  const shop = await atTheSignIn();
  const app = await tabOf(mobile);
  await app.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('forbidden', 'NotAllowedError');
    };
  });
  await app.goto(`${stack.phoneUrl}/app/`);
  await hook(app, 'scan').click();
  await app.locator('[data-test="no-camera"][data-camera="denied"]').waitFor();
  await journey.typeShortCode(app, await shop.locator('#short-code').getAttribute('data-code'));
  await journey.approveOpened(app, { symbol: await journey.shownSymbol(shop) });
  await shop.locator('#name').waitFor();
});

/** From where the focus is to `selector` by Tab alone, then Enter. */
async function reach(page, selector, key = 'Enter') {
  for (let i = 0; i < 60; i++) {
    if (await page.locator(`${selector}:focus`).count()) return key && page.keyboard.press(key);
    await page.keyboard.press('Tab');
  }
  return assert.fail(`${selector} is not reached by the keyboard`);
}

test('D1_D3_a_login_by_number_and_one_by_short_code_need_no_mouse', async () => {
  const shop = await computer();
  await shop.goto(`${stack.partner.url}/`);
  await reach(shop, '#login');
  await shop.locator('#entry').waitFor();
  await reach(shop, '#identifier', '');
  await shop.keyboard.type(number);
  await shop.keyboard.press('Enter');
  const symbol = await journey.shownSymbol(shop);
  await hook(mobile, 'open-action').waitFor();
  await reach(mobile, '[data-test="open-action"]');
  await hook(mobile, 'approve').waitFor();
  await reach(mobile, '[data-test="change-consent"]');
  await reach(mobile, '[data-test="claim-email"]', 'Space');
  await reach(mobile, '[data-test="approve"]');
  await hook(mobile, `symbol-${symbol}`).waitFor();
  await reach(mobile, `[data-test="symbol-${symbol}"]`);
  await hook(mobile, 'keypad').waitFor();
  await mobile.keyboard.type('38214');
  await reach(mobile, '[data-test="confirm-code"]');
  await shop.locator('#name').waitFor();
  await reach(mobile, '[data-test="to-home"]');

  const byCode = await atTheSignIn();
  const code = await byCode.locator('#short-code').getAttribute('data-code');
  await hook(mobile, 'type-code').waitFor();
  await reach(mobile, '[data-test="type-code"]');
  await reach(mobile, '#short-code', '');
  await mobile.keyboard.type(code);
  await mobile.keyboard.press('Enter');
  await hook(mobile, 'partner').waitFor();
  await reach(mobile, '[data-test="refuse"]');
  await hook(mobile, 'changed-mind').waitFor();
  await reach(mobile, '[data-test="changed-mind"]');
  await result(mobile, 'refused').waitFor();
  await byCode.locator('#error', { hasText: 'action_refused' }).waitFor();
});

test('F3_D4_history_and_consents_need_no_mouse', async () => {
  await hook(mobile, 'to-history').waitFor();
  await reach(mobile, '[data-test="to-history"]');
  await hook(mobile, 'history-proven').waitFor();
  await reach(mobile, '[data-test="to-home"]');
  await hook(mobile, 'to-consents').waitFor();
  await reach(mobile, '[data-test="to-consents"]');
  await hook(mobile, 'withdraw').waitFor();
  await reach(mobile, '[data-test="withdraw"]');
  await reach(mobile, '[data-test="withdraw-yes"]');
  await mobile.locator('[data-test="consents"][data-count="0"]').waitFor();
});

test('D1_a_phone_whose_storage_was_cleared_says_that_its_keys_are_gone_and_begins_anew', async () => {
  const shop = await atTheSignIn();
  const symbol = await journey.typeNumber(shop, number);
  await toTheCode(mobile, symbol);
  await mobile.evaluate(() => new Promise((done) => {
    indexedDB.open('symbolon', 1).onsuccess = ({ target }) => {
      const change = target.result.transaction('phone', 'readwrite');
      change.objectStore('phone').clear();
      change.oncomplete = () => (target.result.close(), done());
    };
  }));
  await typeCode(mobile, '38214');
  await mobile.locator('[data-outcome="device_keys_gone"]').waitFor();
  await hook(mobile, 'link-again').click();
  await hook(mobile, 'link-phone').waitFor();
  await mobile.reload();
  await hook(mobile, 'link-phone').waitFor();
  assert.equal(await shop.locator('#waiting').count(), 1, 'the page goes on waiting, as for a phone that is off');
});
