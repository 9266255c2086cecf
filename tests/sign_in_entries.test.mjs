// D2 and D3: every way from a page to a phone and back, in real browsers against the real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../web/demo/journey.mjs';
import { linkBrowser } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

let stack, mobile;
const { hook } = journey;
const { computer, phone, tabOf, pages } = useStackAndBrowser(async ({ stack: begun, browser }) => {
  stack = begun;
  mobile = await journey.openPhone(browser);
  await linkBrowser(stack, mobile, { persona: 'lotte', number: '0470 11 22 33' });
});

/** A page of the enrolled phone's own browser: same storage, same cookies. */
const onThePhone = () => tabOf(mobile);

/** A browser at the partner's, on its way to log in. */
async function atTheSignIn(options) {
  const page = await computer(options);
  await journey.goToSignIn(page, { partnerUrl: stack.partner.url });
  return page;
}

/** The phone's browser is logged in at the partner's already, from the test before. */
async function toTheSignIn(shop) {
  await shop.goto(`${stack.partner.url}/logout`);
  await journey.goToSignIn(shop, { partnerUrl: stack.partner.url });
}

const loggedIn = (page) => page.locator('#name').waitFor();
const toHome = async () => {
  await mobile.goto(`${stack.phoneUrl}/app/`);
  await hook(mobile, 'scan').waitFor();
};

test('D3_a_qr_code_that_the_camera_sees_logs_in_without_number_and_symbol_and_is_hidden_once_scanned', async () => {
  const shop = await atTheSignIn();
  await journey.shownQr(shop);
  const app = await onThePhone();
  await journey.pointCamera(app, shop);
  await app.goto(`${stack.phoneUrl}/app/`);
  await hook(app, 'scan').click();
  await hook(app, 'partner').waitFor();
  await shop.locator('#waiting').waitFor();
  assert.equal(await shop.locator('#qr').count(), 0);
  assert.equal(await shop.locator('#waiting').getAttribute('data-symbol'), null);
  await journey.approveOpened(app);
  await app.locator('[data-test="result"][data-result="approved"]').waitFor();
  await loggedIn(shop);
});

test('D3_the_qr_code_comes_and_goes_and_nothing_on_the_page_moves', async () => {
  for (const viewport of [{ width: 1280, height: 860 }, { width: 360, height: 740 }]) {
    let letGo;
    const held = new Promise((done) => (letGo = done));
    const shop = await computer({ viewport });
    await shop.addInitScript(() => {
      globalThis.shifts = [];
      const note = (list) => shifts.push(...list.getEntries().map((entry) => entry.value));
      new PerformanceObserver(note).observe({ type: 'layout-shift', buffered: true });
    });
    await shop.route('**/events*', async (route) => {
      await held;
      await route.continue();
    });
    await journey.goToSignIn(shop, { partnerUrl: stack.partner.url });
    const places = () => shop.locator('#entry, #by-qr, #by-number, #by-link, #short-code, #open-app, #identifier').evaluateAll((all) =>
      all.map((one) => [one.id, ...Object.values(one.getBoundingClientRect().toJSON()).map(Math.round)].join()));
    const before = await places();
    assert.equal(before.length, 7);
    assert.equal(await shop.locator('#qr').isVisible(), false);

    letGo();
    await journey.shownQr(shop);
    assert.deepEqual(await places(), before, 'when it comes');
    stack.server.kill('SIGSTOP');
    await shop.locator('#qr-lost').waitFor();
    assert.equal(await shop.locator('#qr').isVisible(), false, 'what is no longer good is not shown');
    assert.deepEqual(await places(), before, 'when it is lost');
    stack.server.kill('SIGCONT');
    await journey.shownQr(shop);
    assert.deepEqual(await places(), before, 'when it is back');
    assert.deepEqual(await shop.evaluate(() => shifts), []);
  }
});

test('D3_the_short_code_of_the_page_brings_its_request_to_the_phone_and_needs_the_symbol', async () => {
  const shop = await atTheSignIn();
  await toHome();
  await journey.typeShortCode(mobile, (await shop.locator('#short-code').getAttribute('data-code')).toLowerCase());
  await journey.approveOpened(mobile, { symbol: await journey.shownSymbol(shop) });
  await loggedIn(shop);
});

test('D3_the_page_puts_first_the_way_that_was_used_last', async () => {
  const shop = await atTheSignIn();
  assert.equal(await shop.locator('#entry').getAttribute('data-first'), 'qr');
  await journey.typeNumber(shop, '0470 11 22 33');
  await journey.goToSignIn(shop, { partnerUrl: stack.partner.url });
  assert.equal(await shop.locator('#entry').getAttribute('data-first'), 'number');
});

test('D3_a_qr_code_of_some_seconds_ago_is_refused_as_too_old', async () => {
  const shop = await atTheSignIn();
  const old = await journey.shownQr(shop);
  const step = (address) => Number(address.split('.')[1]);
  await shop.waitForFunction((until) => Number(document.querySelector('#qr').dataset.value.split('.')[1]) >= until, step(old) + 2);
  const app = await onThePhone();
  await app.goto(old);
  await app.locator('[data-outcome="qr_too_old"]').waitFor();
  assert.ok(!app.url().includes('#'), 'the address keeps nothing of it');
  assert.equal(await shop.locator('#waiting').count(), 0);
});

test('D3_a_page_that_one_phone_has_is_not_for_another', async () => {
  const other = await phone();
  await linkBrowser(stack, other, { persona: 'bruno', number: '0470 44 55 66' });
  const shop = await atTheSignIn();
  const link = await shop.locator('#open-app').getAttribute('href');
  await toHome();
  await journey.typeShortCode(mobile, await shop.locator('#short-code').getAttribute('data-code'));
  const late = await tabOf(other);
  await late.goto(link);
  await late.locator('[data-outcome="entry_taken"]').waitFor();
  await journey.approveOpened(mobile, { symbol: await journey.shownSymbol(shop) });
  await loggedIn(shop);
});

test('D2_on_the_phone_itself_the_page_opens_the_app_and_goes_on_when_the_holder_is_back', async () => {
  const shop = await onThePhone();
  await toTheSignIn(shop);
  await shop.click('#open-app');
  await journey.approveOpened(shop);
  await hook(shop, 'return').click();
  await loggedIn(shop);
});

test('D2_a_second_tab_that_comes_back_lets_the_one_that_began_go_on', async () => {
  const shop = await onThePhone();
  await toTheSignIn(shop);
  const link = await shop.locator('#open-app').getAttribute('href');
  const app = await onThePhone();
  await app.goto(link);
  await journey.approveOpened(app);
  await shop.locator('#waiting[data-at="returning"]').waitFor();
  await hook(app, 'return').click();
  await loggedIn(shop);
  await app.locator('#error', { hasText: 'sign_in_finished' }).waitFor();
});

// The default browser is another one, or the page is private: the cookie is not where the app comes back to.
test('D2_a_return_to_another_browser_is_calm_there_and_the_page_that_began_goes_on_after_the_symbol', async () => {
  const shop = await atTheSignIn();
  const app = await onThePhone();
  await app.goto(await shop.locator('#open-app').getAttribute('href'));
  await journey.approveOpened(app);
  await hook(app, 'return').click();
  await app.locator('#return[data-elsewhere]').waitFor();
  assert.equal(await app.locator('code#error').count(), 0, 'nothing is wrong');
  const symbol = await journey.shownSymbol(shop);
  await app.goto(`${stack.phoneUrl}/app/`);
  await hook(app, 'open-action').first().click();
  await hook(app, 'match-warning').waitFor();
  await hook(app, `symbol-${symbol}`).click();
  await app.locator('[data-test="result"][data-result="approved"]').waitFor();
  await loggedIn(shop);
});

test('D2_a_forwarded_link_never_logs_its_sender_in', async () => {
  const sender = await atTheSignIn();
  const app = await onThePhone();
  await app.goto(await sender.locator('#open-app').getAttribute('href'));
  await journey.approveOpened(app);
  await hook(app, 'return').click();
  await app.locator('#return[data-elsewhere]').waitFor();
  await sender.locator('#waiting[data-at="returning"]').waitFor();
  await sender.goto(sender.url().replace(/\?.*|$/, '/continue'));
  await sender.locator('#waiting[data-at="returning"]').waitFor();
  await app.goto(`${stack.phoneUrl}/app/`);
  await hook(app, 'open-action').first().click();
  await hook(app, 'refuse').click();
  await hook(app, 'not-me').click();
  await app.locator('[data-test="result"][data-result="refused"]').waitFor();
  await sender.locator('code#error', { hasText: 'action_refused' }).waitFor();
});

test('D2_an_app_in_a_browser_that_is_not_linked_says_where_to_go_on', async () => {
  const shop = await atTheSignIn();
  const stranger = await phone();
  await stranger.goto(await shop.locator('#open-app').getAttribute('href'));
  await hook(stranger, 'not-linked-here').waitFor();
});

test('D2_D3_without_javascript_number_and_short_code_lead_to_the_result', async () => {
  const byNumber = await atTheSignIn({ javaScriptEnabled: false });
  assert.equal(await byNumber.locator('#qr').isVisible(), false);
  const symbol = await journey.typeNumber(byNumber, '0470 11 22 33');
  await toHome();
  // The sender of the link before was "not me": the network is muted, and of those in it the newest stands first.
  await mobile.locator('[data-muted="true"] [data-test="open-action"]').first().click();
  await journey.approveOpened(mobile, { symbol });
  await loggedIn(byNumber);

  const byCode = await atTheSignIn({ javaScriptEnabled: false });
  const code = await byCode.locator('#short-code').getAttribute('data-code');
  await byCode.click('#code-typed');
  await toHome();
  await journey.typeShortCode(mobile, code);
  await journey.approveOpened(mobile, { symbol: await journey.shownSymbol(byCode) });
  await loggedIn(byCode);
});

test('D2_the_page_survives_reload_and_kill_9_of_the_server_at_every_step', async () => {
  const shop = await atTheSignIn();
  await journey.shownQr(shop);
  await stack.restartServer('SIGKILL');
  await shop.locator('#qr').waitFor({ state: 'visible' });
  await shop.reload();
  const link = await shop.locator('#open-app').getAttribute('href');
  const app = await onThePhone();
  await app.goto(link);
  await shop.locator('#waiting').waitFor();
  await stack.restartServer('SIGKILL');
  await shop.reload();
  await shop.locator('#waiting').waitFor();
  await journey.approveOpened(app);
  await shop.locator('#waiting[data-at="returning"]').waitFor();
  await stack.restartServer('SIGKILL');
  await hook(app, 'match').click();
  await hook(app, `symbol-${await journey.shownSymbol(shop)}`).click();
  await loggedIn(shop);
  for (const page of pages) page.troubles.length = 0; // streams broke when the server was killed
});

test('H1_a_partner_that_opens_the_sign_in_in_a_window_keeps_hold_of_it', async () => {
  const shop = await computer();
  await shop.goto(stack.partner.url);
  const opened = shop.waitForEvent('popup');
  await shop.evaluate(() => (globalThis.signIn = globalThis.open('/login')));
  const signIn = await opened;
  const symbol = await journey.typeNumber(signIn, '0470 11 22 33');
  const isClosed = () => shop.evaluate(() => globalThis.signIn.closed);
  assert.equal(await isClosed(), false, 'while the person is at our page');
  await toHome();
  await journey.approve(mobile, { symbol });
  await loggedIn(signIn);
  assert.equal(await signIn.evaluate(() => globalThis.opener !== null), true, 'and the result finds its way');
  await signIn.close();
});
