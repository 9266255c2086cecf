// Web eID on the registration page against the mock, with a double of the extension: what is missing, what goes wrong, in
// four languages.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { failure, installExtension, ready } from '../../tests/lib/web_eid.mjs';
import { cardStep, outcomeText } from '../dev/mock.ts';
import { webEidCodes } from '../pages/enrol/web-eid.ts';
import { accessible, calm, computer } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let mock, page;

useMock({ lasts: 'file', page: computer }, (begun) => {
  ({ mock, page } = begun);
  mock.setEnrolment(null);
  mock.setEnrolment(cardStep());
  mock.refuseOnce.clear();
  mock.webEidToken = '';
});

const hook = (name) => page.locator(`[data-test="${name}"]`);
const texts = (language) => JSON.parse(readFileSync(new URL(`../texts/${language}/enrol.json`, import.meta.url), 'utf8'));
const token = {
  unverifiedCertificate: 'TUlJ',
  algorithm: 'ES384',
  signature: 'AAAA',
  format: 'web-eid:1.0',
  appVersion: 'https://web-eid.eu/web-eid-app/releases/2.7.0+0',
};

/** The page at the card with an extension that answers so. */
async function atCard(answer, language = 'en') {
  if (answer) await installExtension(page, answer);
  await page.goto(`${mock.idUrl}/${language}/enrol/`);
  await hook('use-web-eid').waitFor();
}

async function failsWith(code) {
  await hook('use-web-eid').click();
  await page.locator(`[data-test="web-eid-failure"][data-code="${code}"]`).waitFor();
}

const stateOf = (part) => hook(`web-eid-${part}`).getAttribute('data-state');

/** An extension whose application is ready, and what it says when the card is asked. */
const authenticating = (answer) => (question) => (question.action === 'web-eid:status' ? ready : answer(question));

test('E1_the_page_asks_the_extension_for_the_nonce_of_the_server_and_hands_on_what_it_gives', async () => {
  const asked = [];
  await atCard((question) => {
    asked.push(question);
    if (question.action === 'web-eid:status') return ready;
    return { action: 'web-eid:authenticate-success', ...token, somethingElse: 'stays here' };
  }, 'nl');
  await hook('use-web-eid').click();
  await hook('token').waitFor();
  assert.deepEqual(asked[0], { action: 'web-eid:status', libraryVersion: '2.1.0' });
  assert.equal(asked[1].action, 'web-eid:authenticate');
  assert.equal(asked[1].challengeNonce.length, 44);
  assert.equal(asked[1].options.lang, 'nl');
  assert.deepEqual(JSON.parse(mock.webEidToken), token);
  assert.equal(await hook('signed-contract').count(), 0, 'nothing was signed');
  calm(page);
  await accessible(page, 'web-eid-phone');
});

test('it_works_with_the_keyboard_alone', async () => {
  await atCard(authenticating(() => ({ action: 'web-eid:authenticate-success', ...token })));
  await hook('cancel').focus();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.test), 'use-web-eid');
  await page.keyboard.press('Enter');
  await hook('token').waitFor();
});

for (const language of ['fr', 'nl', 'de', 'en']) {
  test(`F5_without_the_extension_the_page_says_what_is_missing_and_the_other_ways_in_${language}`, async () => {
    await atCard(null, language);
    await failsWith('EXTENSION_UNAVAILABLE');
    assert.equal(await stateOf('extension'), 'missing');
    assert.equal(await stateOf('app'), 'unknown');
    const said = await hook('web-eid').innerText();
    for (const key of ['web_eid.extension.missing', 'web_eid.app.unknown', 'web_eid.otherwise'])
      assert.ok(said.includes(texts(language)[key]), `${language} ${key}`);
    await accessible(page, `web-eid-missing-${language}`, language === 'fr' ? undefined : ['narrow']);
    calm(page);
  });
}

test('without_the_application_the_extension_is_said_to_be_there', async () => {
  await atCard(() => failure('web-eid:status', 'NATIVE_UNAVAILABLE', { extension: '2.3.1' }));
  await failsWith('NATIVE_UNAVAILABLE');
  assert.equal(await stateOf('extension'), 'ready');
  assert.match(await hook('web-eid-extension').innerText(), /2\.3\.1/);
  assert.equal(await stateOf('app'), 'missing');
  await accessible(page, 'web-eid-no-application');
});

test('a_version_that_is_too_old_is_named', async () => {
  let answer = failure('web-eid:status', 'VERSION_MISMATCH', {
    extension: '2.3.1',
    nativeApp: '1.0.1',
    requiresUpdate: { extension: false, nativeApp: true },
  });
  await atCard(() => answer);
  await failsWith('VERSION_MISMATCH');
  assert.equal(await stateOf('extension'), 'ready');
  assert.equal(await stateOf('app'), 'old');
  // An old extension may not know that it is.
  answer = { ...ready, extension: '1.9.0' };
  await hook('use-web-eid').click();
  await page.locator('[data-test="web-eid-extension"][data-state="old"]').waitFor();
  assert.equal(await stateOf('app'), 'ready');
  answer = { ...ready, nativeApp: 'yesterday' };
  await failsWith('VERSION_INVALID');
  assert.equal(await stateOf('app'), 'unknown');
});

test('every_error_of_the_extension_has_its_sentence_in_the_four_languages_and_the_next_try_counts', async () => {
  let code;
  await installExtension(
    page,
    authenticating(() => (code ? failure('web-eid:authenticate', code) : { action: 'web-eid:authenticate-success', ...token })),
  );
  for (const language of ['fr', 'nl', 'de', 'en']) {
    code = undefined;
    await page.goto(`${mock.idUrl}/${language}/enrol/`);
    for (const each of webEidCodes) {
      code = each;
      await failsWith(each);
      assert.equal(await hook('web-eid-failure').innerText(), texts(language)[`web_eid.error.${each}`]);
      assert.ok(await hook('web-eid-other').isVisible());
    }
  }
  code = 'SOMETHING_NEW';
  await failsWith('UNKNOWN_ERROR');
  code = undefined;
  await hook('use-web-eid').click();
  await hook('token').waitFor();
});

test('who_does_not_answer_in_time_can_try_again', async () => {
  await page.clock.install();
  await atCard(authenticating(() => null));
  await hook('use-web-eid').click();
  await page.locator('[data-test="web-eid"][data-at="card"]').waitFor();
  await page.clock.runFor(130_000);
  await page.locator('[data-test="web-eid-failure"][data-code="ACTION_TIMEOUT"]').waitFor();
  assert.equal(await hook('use-web-eid').getAttribute('aria-disabled'), null);
});

test('a_second_press_opens_no_second_window', async () => {
  let asked = 0;
  await atCard(authenticating(() => (asked++, null)));
  await hook('use-web-eid').click();
  await page.locator('[data-test="web-eid"][data-at="card"]').waitFor();
  await hook('use-web-eid').click({ force: true });
  await page.evaluate(() => new Promise((done) => setTimeout(done)));
  assert.equal(await hook('web-eid').getAttribute('data-at'), 'card');
  assert.equal(asked, 1);
});

test('messages_of_other_windows_count_for_nothing', async () => {
  let cancel;
  const cancelled = new Promise((resolve) => (cancel = () => resolve(failure('web-eid:authenticate', 'USER_CANCELLED'))));
  await atCard(authenticating(() => cancelled));
  await hook('use-web-eid').click();
  await page.locator('[data-test="web-eid"][data-at="card"]').waitFor();
  await page.evaluate((forged) => {
    const from = (source, origin) =>
      dispatchEvent(new MessageEvent('message', { data: { action: 'web-eid:authenticate-success', ...forged }, source, origin }));
    from(window, 'https://elsewhere.example');
    from(null, location.origin);
  }, token);
  cancel();
  await page.locator('[data-test="web-eid-failure"][data-code="USER_CANCELLED"]').waitFor();
  assert.equal(mock.webEidToken, '');
});

test('what_the_server_refuses_is_said_with_its_help_and_the_reader_link_stays', async () => {
  mock.refuseOnce.set('POST /enrolment/web-eid', {
    status: 404,
    body: { outcome: 'web_eid_no_account', text: outcomeText('de', 'web_eid_no_account'), way_out: 'use_other_way' },
  });
  await atCard(authenticating(() => ({ action: 'web-eid:authenticate-success', ...token })), 'de');
  await hook('use-web-eid').click();
  const notice = page.locator('[data-outcome="web_eid_no_account"]');
  await notice.waitFor();
  assert.match(await notice.innerText(), /symbolon-eid/);
  assert.match(await hook('web-eid').locator('a').getAttribute('href'), /help\/#web_eid_no_account/);
  assert.ok(await hook('reader-link').isVisible());
  await accessible(page, 'web-eid-no-account');
  calm(page);
});
