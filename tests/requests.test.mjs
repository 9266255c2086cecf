// D4 and D5 over the real server: what is asked once, what mutes, and a flood of strangers' requests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../web/demo/journey.mjs';
import { Browser, linkBrowser } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

const number = '0470 11 22 33';
const { hook, typeCode } = journey;
let stack, browser, mobile, shop;

useStackAndBrowser(async (begun) => {
  ({ stack, browser } = begun);
  mobile = await journey.openPhone(browser, { locale: 'en-GB' });
  await linkBrowser(stack, mobile, { persona: 'lotte', number });
  shop = await journey.openComputer(browser);
});

/** From the review to the result, with the right symbol and code. */
async function finish(symbol) {
  await hook(mobile, 'approve').click();
  await hook(mobile, `symbol-${symbol}`).click();
  await typeCode(mobile, '38214');
  await hook(mobile, 'result').waitFor();
  assert.equal(await hook(mobile, 'result').getAttribute('data-result'), 'approved');
  await hook(mobile, 'to-home').click();
}

async function openFirst() {
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'partner').waitFor();
  return hook(mobile, 'consent').getAttribute('data-consent');
}

async function logOut() {
  await shop.context().clearCookies({ domain: 'localhost', name: /^(?!__Host-symbolon)/ });
}

/** A stranger's start by number, from a browser of their own. */
async function hostileStart() {
  const stranger = new Browser();
  const query = new URLSearchParams({ response_type: 'code', client_id: stack.clientId, redirect_uri: `${stack.partner.url}/callback`, scope: 'openid profile', state: 's', nonce: 'n',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' });
  const begun = await stranger.fetch(`${stack.idUrl}/authorize?${query}`);
  const page = new URL(begun.headers.get('location'), stack.idUrl);
  const asked = await stranger.form(page, { calling_code: '32', identifier: number, continue: '1' });
  assert.equal(asked.status, 303);
}

test('D4_the_first_visit_asks_optional_data_can_be_kept_back_and_it_is_not_asked_again', async () => {
  let symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  assert.equal(await openFirst(), 'first');
  await hook(mobile, 'claim-email').click();
  await finish(symbol);
  await shop.locator('#name').waitFor();
  assert.ok(!(await shop.locator('body').innerText()).includes('holder@example.be'), 'what was kept back is not sent');

  await logOut();
  symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  assert.equal(await openFirst(), 'given');
  assert.match(await hook(mobile, 'claims').innerText(), /E-mail address[^]*not shared/, 'it is shown each time');
  assert.equal(await hook(mobile, 'claim-email').count(), 0, 'and not asked again');
  await finish(symbol);
  await shop.locator('#name').waitFor();
  assert.ok(!(await shop.locator('body').innerText()).includes('holder@example.be'));
});

test('D4_a_consent_is_listed_and_withdrawn_and_then_asked_again', async () => {
  await hook(mobile, 'to-consents').click();
  await hook(mobile, 'consent-of').waitFor();
  assert.match(await hook(mobile, 'consent-of').innerText(), /De Linde Bookshop[^]*Shared: [^]*Not shared: E-mail address/);
  await hook(mobile, 'withdraw').click();
  await hook(mobile, 'withdraw-yes').click();
  await mobile.locator('[data-test="consents"][data-count="0"]').waitFor();
  await hook(mobile, 'to-home').click();

  await logOut();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  assert.equal(await openFirst(), 'first');
  await finish(symbol);
  await shop.locator('#name').waitFor();
  await hook(mobile, 'to-history').click();
  await mobile.locator('[data-kind="consent_withdrawn"]').waitFor();
  await hook(mobile, 'to-home').click();
});

test('D5_a_flood_of_strangers_rings_once_and_the_holders_own_request_is_first', async () => {
  for (let i = 0; i < 60; ++i) await hostileStart();
  await logOut();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  for (let i = 0; i < 60; ++i) await hostileStart();
  await mobile.locator('[data-rings="true"]').waitFor();
  assert.equal(await mobile.locator('[data-rings="true"]').count(), 1, 'one rings');
  assert.ok((await hook(mobile, 'open-action').count()) > 10, 'the others wait in the list');
  assert.match(await hook(mobile, 'silent').innerText(), /Other requests/);
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'partner').waitFor();
  await finish(symbol);
  await shop.locator('#name').waitFor();
});

test('D5_this_was_not_me_mutes_who_asked_and_warns_on_the_home_screen', async () => {
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'refuse').click();
  await hook(mobile, 'not-me').click();
  await hook(mobile, 'result').waitFor();
  assert.match(await hook(mobile, 'muted-until').innerText(), /silent until \d\d:\d\d/);
  await hook(mobile, 'to-home').click();
  await hook(mobile, 'muted').waitFor();
  await mobile.locator('[data-muted="true"]').first().waitFor();
  // The strangers come from the holder's own network; the browser that the holder uses is not muted with it.
  await logOut();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await mobile.locator('[data-rings="true"]').waitFor();
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'partner').waitFor();
  await finish(symbol);
  await shop.locator('#name').waitFor();
});
