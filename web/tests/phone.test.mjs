// The phone app against the mock: A4 to A6, D1, D5, D6.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as journey from '../demo/journey.mjs';
import { accessible, calm, open, phone } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let browser, mock, page;

useMock({ lasts: 'test', page: phone }, (begun) => {
  ({ browser, mock, page } = begun);
});

const hook = (name) => page.locator(`[data-test="${name}"]`);
const app = (fragment = '') => page.goto(`${mock.phoneUrl}/app/${fragment}`);
const result = (kind) => page.locator(`[data-test="result"][data-result="${kind}"]`);
const now = () => Math.floor(Date.now() / 1000);

const typeCode = (code) => journey.typeCode(page, code);

async function toSms() {
  await app(`#token=${encodeURIComponent(mock.token)}`);
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await hook('next').click();
  await page.locator('#sms').waitFor();
}

async function toCode() {
  await toSms();
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await hook('keypad').waitFor();
}

async function link() {
  await toCode();
  await typeCode('38214');
  await typeCode('38214');
  await hook('linked').waitFor();
  await hook('to-home').click();
  await hook('nothing').waitFor();
}

async function openAction(part) {
  const action = mock.addAction(part);
  await hook('open-action').click();
  await hook('partner').waitFor();
  return action;
}

test('E10_who_has_proven_a_number_is_warned_that_another_account_loses_it_also_after_a_reload', async () => {
  mock.takesNumber = true;
  await app();
  await hook('link-phone').click();
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await page.fill('#token', mock.token);
  await hook('next').click();
  await page.locator('#sms').waitFor();
  assert.equal(await hook('takes-number').count(), 0);
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await hook('takes-number').getByText('un autre compte').first().waitFor();
  await page.reload();
  await hook('takes-number').waitFor();
  calm(page);
});

test('E1_a_linked_phone_that_scans_a_token_says_that_it_is_linked_and_no_longer_after_a_reload', async () => {
  await app();
  await link();
  const notice = page.getByText('Ce téléphone est déjà lié.');
  assert.equal(await notice.count(), 0);
  await page.goto('about:blank');
  await page.goto(`${mock.phoneUrl}/app/#token=${encodeURIComponent(mock.token)}`);
  await notice.waitFor();
  await page.locator('[data-state="active"]').waitFor();
  await page.reload();
  await page.locator('[data-state="active"]').waitFor();
  assert.equal(await notice.count(), 0);
  calm(page);
});

test('A4_a_phone_is_linked_with_number_token_sms_and_a_code_typed_twice', async () => {
  await app();
  await hook('link-phone').waitFor();
  await accessible(page, 'phone-welcome');
  await hook('link-phone').click();
  await page.locator('#number').waitFor();
  await accessible(page, 'phone-number');
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await page.fill('#token', mock.token);
  await accessible(page, 'phone-token');
  await hook('next').click();
  await page.locator('#sms').waitFor();
  assert.match(await hook('sms-again').innerText(), /0:\d\d/);
  await accessible(page, 'phone-sms');
  await page.fill('#sms', '482 913');
  await hook('next').click();
  await hook('keypad').waitFor();
  await accessible(page, 'phone-code');
  await typeCode('38214');
  await page.getByRole('heading', { name: /encore une fois/ }).waitFor();
  await typeCode('38214');
  await hook('linked').waitFor();
  await accessible(page, 'phone-linked');
  assert.equal(mock.bound.name, 'Chrome sur Linux');
  assert.deepEqual(mock.seen.find(({ path }) => path === '/d/enrol/start').body, {
    calling_code: '32',
    number: '0470 12 34 56',
    token: mock.token,
  });
  await hook('to-home').click();
  await hook('nothing').waitFor();
  await page.locator('[data-state="active"]').waitFor();
  await accessible(page, 'phone-home');
  calm(page);
});

test('A4_the_token_of_the_qr_code_is_filled_in_and_leaves_the_address', async () => {
  await app(`#token=${encodeURIComponent(mock.token)}`);
  await page.locator('#number').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  await page.reload();
  await page.fill('#number', '0470123456');
  await hook('next').click();
  assert.equal(await page.inputValue('#token'), mock.token);
});

test('A4_a_token_scanned_while_the_app_is_open_is_taken_whatever_the_address_was_before', async () => {
  await app();
  await hook('link-phone').waitFor();
  await page.evaluate(async () => {
    const changed = new Promise((done) => addEventListener('hashchange', done, { once: true }));
    document.querySelector('.skip').click();
    await changed;
  });
  await app(`#token=${encodeURIComponent(mock.token)}`);
  await page.fill('#number', '0470 12 34 56');
  assert.equal(new URL(page.url()).hash, '');
  await hook('next').click();
  assert.equal(await page.inputValue('#token'), mock.token);
  calm(page);
});

test('A5_a_wrong_token_and_a_wrong_sms_code_say_how_many_tries_are_left_and_lose_nothing', async () => {
  await app('#token=wrong');
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await hook('next').click();
  await page.locator('[data-outcome="identification_token_wrong"]').waitFor();
  assert.match(await hook('tries-left').innerText(), /4 essais/);
  assert.equal(await page.inputValue('#token'), 'wrong');
  await accessible(page, 'phone-token-wrong');
  await hook('change-number').click();
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
  await hook('next').click();
  await page.fill('#token', mock.token);
  await hook('next').click();
  await page.fill('#sms', '000000');
  await hook('next').click();
  await page.locator('[data-outcome="sms_code_wrong"]').waitFor();
  assert.match(await hook('tries-left').innerText(), /2 essais/);
  mock.refuseOnce.set('POST /d/enrol/sms', {
    status: 429,
    body: { outcome: 'tries_used_up', text: 'Tous les essais sont utilisés.', way_out: 'wait', open_at: now() + 1200 },
  });
  await page.fill('#sms', '000001');
  await hook('next').click();
  await page.locator('[data-outcome="tries_used_up"]').waitFor();
  assert.match(await hook('open-at').innerText(), /\d{2}:\d{2}/);
  await accessible(page, 'phone-sms-used-up');
  calm(page);
});

test('A5_the_sms_can_be_asked_again_after_the_countdown_on_the_button', async () => {
  await toSms();
  assert.equal(await hook('sms-again').getAttribute('aria-disabled'), 'true');
  await hook('sms-again').click({ force: true });
  assert.ok(!mock.seen.some(({ path }) => path === '/d/enrol/sms-again'));
  mock.smsAgainAt = now() - 1;
  await page.reload();
  await page.locator('[data-test="sms-again"]:not([aria-disabled])').click();
  await page.getByText('Un nouveau SMS est en route').waitFor();
  assert.equal(mock.seen.filter(({ path }) => path === '/d/enrol/sms-again').length, 1);
});

test('A5_an_sms_that_did_not_arrive_is_told_and_the_next_one_need_not_be_waited_for', async () => {
  await toSms();
  assert.equal(await hook('sms-again').getAttribute('aria-disabled'), 'true');
  mock.smsFailure = { outcome: 'sms_not_delivered', text: 'Le SMS n’est pas arrivé.' };
  mock.smsAgainAt = now() - 1;
  await page.locator('[data-outcome="sms_not_delivered"]').waitFor();
  await page.locator('[data-test="sms-again"]:not([aria-disabled])').click();
  await page.getByText('Un nouveau SMS est en route').waitFor();
});

test('A6_a_trivial_code_is_refused_with_the_reason', async () => {
  await toCode();
  for (const [code, reason] of [
    ['11111', 'deux chiffres'],
    ['12345', 'suite'],
    ['30078', 'naissance'],
    ['04701', 'téléphone'],
    ['11235', 'Beaucoup'],
  ]) {
    await typeCode(code);
    await hook('code-error').getByText(reason).waitFor();
  }
  await accessible(page, 'phone-code-refused');
  await typeCode('38214');
  await typeCode('38215');
  await hook('code-error').getByText('pas les mêmes').waitFor();
  assert.ok(!mock.seen.some(({ path }) => path === '/d/enrol/finish'));
  calm(page);
});

test('A4_a_reload_loses_nothing_at_any_step', async () => {
  await toSms();
  await page.reload();
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await hook('keypad').waitFor();
  await page.reload();
  await hook('keypad').waitFor();
  await typeCode('11235');
  await hook('code-error').waitFor();
  await typeCode('38214');
  // The answer is lost: the very same request goes out again, after a reload too.
  await page.route('**/d/enrol/finish', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await typeCode('38214');
  await hook('send-again').waitFor();
  await accessible(page, 'phone-unsent');
  await page.unroute('**/d/enrol/finish');
  await page.reload();
  await hook('linked').waitFor();
  const sent = mock.seen.filter(({ path }) => path === '/d/enrol/finish');
  assert.ok(sent.length >= 2);
  assert.deepEqual(sent[0].body, sent.at(-1).body);
  calm(page);
});

test('an_enrolment_that_is_over_begins_again_with_the_number_kept', async () => {
  await toSms();
  mock.refuseOnce.set('POST /d/enrol/sms', {
    status: 410,
    body: {
      outcome: 'enrolment_expired',
      text: 'Cette inscription n’a pas été terminée à temps.',
      way_out: 'start_over',
    },
  });
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await page.locator('[data-outcome="enrolment_expired"]').waitFor();
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
});

test('D1_a_request_shows_who_what_data_and_from_where_then_symbol_then_code', async () => {
  await link();
  const action = mock.addAction();
  await hook('open-action').waitFor();
  await accessible(page, 'phone-home-waiting');
  await hook('open-action').click();
  assert.equal(await hook('partner').innerText(), 'Banque Démo');
  assert.match(await hook('verb').innerText(), /vous connecter/);
  assert.match(await hook('claims').innerText(), /Nom et prénoms[\s\S]*Date de naissance[\s\S]*Adresse e-mail/);
  assert.match(await hook('from').innerText(), /Firefox – Windows[\s\S]*Gent/);
  await accessible(page, 'phone-review');
  await hook('claim-email').click();
  await hook('approve').click();
  await hook('symbol-boat').waitFor();
  await accessible(page, 'phone-symbols');
  await hook('symbol-boat').click();
  await hook('keypad').waitFor();
  await accessible(page, 'phone-enter-code');
  await typeCode('38214');
  await result('approved').waitFor();
  await accessible(page, 'phone-approved');
  assert.equal(action.state, 'approved');
  assert.deepEqual(action.record.claims, ['name', 'birthdate']);
  await hook('to-home').click();
  await hook('nothing').waitFor();
  // The ratchet has turned: the next one works too, and after a reload.
  await page.reload();
  const second = await openAction({ claims: [] });
  await hook('approve').click();
  await hook('symbol-boat').click();
  await typeCode('38214');
  await result('approved').waitFor();
  assert.equal(second.state, 'approved');
  calm(page);
});

test('D6_a_wrong_code_says_the_tries_left_and_the_third_blocks', async () => {
  await link();
  await openAction();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await typeCode('11122');
  await page.locator('[data-outcome="code_wrong"]').waitFor();
  assert.match(await hook('tries-left').innerText(), /2 essais/);
  await accessible(page, 'phone-code-wrong');
  await typeCode('11123');
  await page.getByText('encore 1 essai').or(page.getByText('Il vous reste 1 essai')).waitFor();
  await typeCode('11124');
  await result('blocked').waitFor();
  await accessible(page, 'phone-blocked');
  await hook('to-home').click();
  await hook('blocked').waitFor();
  await page.locator('[data-state="blocked"]').waitFor();
  await accessible(page, 'phone-home-blocked');
  calm(page);
});

test('D6_a_wrong_symbol_ends_the_request_and_says_so', async () => {
  await link();
  const action = await openAction();
  await hook('approve').click();
  await hook('symbol-pizza').click();
  await typeCode('38214');
  await result('symbol_wrong').waitFor();
  await accessible(page, 'phone-symbol-wrong');
  assert.equal(action.state, 'failed');
  calm(page);
});

test('D5_refusing_is_as_near_as_approving_and_tells_why', async () => {
  await link();
  const first = await openAction();
  await hook('refuse').click();
  await accessible(page, 'phone-refuse');
  await hook('back').click();
  await hook('refuse').click();
  await hook('not-me').click();
  await result('refused').waitFor();
  await accessible(page, 'phone-refused');
  assert.equal(first.record.reason, 'not_me');
  assert.equal(first.record.proof, '');
  await hook('to-home').click();
  const second = await openAction();
  await hook('approve').click();
  await hook('symbol-none').click();
  await hook('changed-mind').click();
  await result('refused').waitFor();
  assert.equal(second.record.reason, 'changed_mind');
  calm(page);
});

test('D5_a_request_that_expires_or_is_cancelled_at_the_computer_ends_by_itself', async () => {
  await link();
  await openAction({ lifetime: 4 });
  await result('expired').waitFor();
  await accessible(page, 'phone-expired');
  await hook('to-home').click();
  await openAction();
  mock.actions = [];
  mock.tellPhones();
  await result('ended').waitFor();
  calm(page);
});

async function approve() {
  await hook('approve').click();
  await hook('symbol-boat').click();
  await typeCode('38214');
  await result('approved').waitFor();
}

test('D5_a_result_makes_place_for_a_request_that_rings_after_it', async () => {
  await link();
  await openAction();
  await approve();
  const second = mock.addAction({ tx: { partner: { name: { fr: 'Mutualité' }, domain: 'health.example' } } });
  await hook('partner').getByText('Mutualité').waitFor();
  assert.equal(second.state, 'shown');
  await hook('refuse').click();
  await hook('not-me').click();
  await result('refused').waitFor();
  mock.addAction();
  await hook('partner').getByText('Banque').waitFor();
  calm(page);
});

test('D5_a_result_stays_for_what_waited_before_it_or_is_muted_and_leads_to_the_next', async () => {
  await link();
  await openAction();
  await hook('approve').click();
  const second = mock.addAction({ tx: { partner: { name: { fr: 'Mutualité' }, domain: 'health.example' } } });
  await hook('symbol-boat').click();
  await typeCode('38214');
  await result('approved').waitFor();
  await hook('next').getByText('Une demande attend').waitFor();
  mock.addAction({ muted: true });
  await hook('next').getByText('2 demandes').waitFor();
  await accessible(page, 'phone-result-next');
  assert.equal(await result('approved').count(), 1);
  assert.equal(second.state, 'waiting');
  await hook('open-next').click();
  await hook('partner').getByText('Mutualité').waitFor();
  await approve();
  assert.equal(second.state, 'approved');
  assert.equal(await hook('next').count(), 0, 'what is muted does not press');
  calm(page);
});

test('D5_a_result_stays_also_for_what_waited_before_it_and_is_heard_of_later', async () => {
  await link();
  await openAction();
  await hook('approve').click();
  await hook('symbol-boat').waitFor();
  await page.route('**/d/events', (route) => route.abort());
  mock.cutStreams();
  mock.addAction().created_at -= 20;
  await hook('symbol-boat').click();
  await typeCode('38214');
  await result('approved').waitFor();
  await page.unroute('**/d/events');
  await hook('next').waitFor();
  assert.equal(await result('approved').count(), 1);
});

test('an_answer_whose_reply_is_lost_is_sent_again_as_it_was', async () => {
  await link();
  const action = await openAction();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await page.route('**/answer', (route) => route.abort(), { times: 1 });
  await typeCode('38214');
  await hook('unsent').waitFor();
  await accessible(page, 'phone-answer-unsent');
  await hook('send-again').click();
  await result('approved').waitFor();
  assert.equal(action.state, 'approved');
});

test('a_request_of_an_unknown_kind_is_not_shown', async () => {
  await link();
  mock.addAction({ tx: { verb: 'pay' } });
  await hook('open-action').click();
  await result('not_shown').getByText('version').waitFor();
  calm(page);
});

test('a_name_or_text_of_a_partner_is_never_markup', async () => {
  await link();
  await openAction({ tx: { partner: { name: { fr: '<img src=x onerror=alert(1)>' }, domain: 'x.example' } } });
  assert.equal(await hook('partner').innerText(), '<img src=x onerror=alert(1)>');
  calm(page);
});

test('a_nonce_that_is_too_old_is_replaced_and_the_request_repeated', async () => {
  await link();
  mock.addAction();
  await hook('open-action').waitFor();
  mock.forgetNonces();
  await hook('open-action').click();
  await hook('partner').waitFor();
  calm(page);
});

test('a_phone_that_was_unbound_says_so_and_can_be_linked_again', async () => {
  await link();
  mock.unbind('device_unbound');
  await hook('link-again').waitFor();
  await page.getByText('Ce téléphone n’est lié à aucun compte.').waitFor();
  await accessible(page, 'phone-unlinked');
  await hook('link-again').click();
  await hook('link-phone').waitFor();
  await page.reload();
  await hook('link-phone').waitFor();
  calm(page);
});

test('the_app_opens_without_a_network_and_says_that_it_is_offline', async () => {
  await link();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await hook('nothing').waitFor();
  await page.context().setOffline(true);
  await page.reload();
  await hook('offline').waitFor();
  await accessible(page, 'phone-offline');
  await page.context().setOffline(false);
  await hook('nothing').waitFor();
  const cached = await page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  assert.ok(cached.includes('/app/'));
  assert.ok(!cached.some((path) => path.startsWith('/d/')), cached.join());
});

test('the_keys_on_the_phone_cannot_be_exported_and_the_code_is_nowhere', async () => {
  await link();
  const kept = await page.evaluate(
    () =>
      new Promise((done) => {
        indexedDB.open('symbolon').onsuccess = ({ target }) => {
          const request = target.result.transaction('phone').objectStore('phone').getAll();
          request.onsuccess = () => {
            const device = request.result.find((value) => value?.keys);
            done({
              extractable: [device.keys.signing.extractable, device.keys.codeSecret.extractable],
              text: JSON.stringify(request.result),
            });
          };
        };
      }),
  );
  assert.deepEqual(kept.extractable, [false, false]);
  assert.ok(!kept.text.includes('38214'));
});

test('a_partial_enrolment_and_the_home_screen_work_with_the_keyboard_alone', async () => {
  await toCode();
  await page.keyboard.type('38214');
  await page.focus('[data-test="confirm-code"]');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /encore une fois/ }).waitFor();
  await page.keyboard.type('38219');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('4');
  await page.focus('[data-test="confirm-code"]');
  await page.keyboard.press('Enter');
  await hook('linked').waitFor();
});

test('F5_the_app_changes_its_language_and_keeps_it', async () => {
  await app();
  await page.click('a[hreflang="nl"]');
  await page.getByText('Verder met mijn identiteitskaart').waitFor();
  assert.equal(await page.getAttribute('html', 'lang'), 'nl');
  await page.reload();
  await page.getByText('Verder met mijn identiteitskaart').waitFor();
});

test('the_app_can_be_installed', async () => {
  await app();
  const session = await page.context().newCDPSession(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.deepEqual(
    installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'),
    [],
  );
});

test('a_new_version_of_the_app_is_offered_and_taken_when_the_holder_says_so', async () => {
  await app();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await hook('link-phone').waitFor();
  assert.equal(await hook('update').count(), 0);
  mock.workerVersion = '2';
  await page.reload();
  await hook('update').waitFor();
  await accessible(page, 'phone-update');
  const loaded = page.waitForEvent('load');
  await hook('update').getByRole('button').click();
  await loaded;
  await hook('link-phone').waitFor();
  assert.equal(await hook('update').count(), 0);
  calm(page);
});

test('a_new_version_that_another_window_has_taken_is_taken_by_the_button_of_this_one_too', async () => {
  await app();
  await page.evaluate(() => navigator.serviceWorker.ready);
  const other = await page.context().newPage();
  await other.goto(`${mock.phoneUrl}/app/`);
  await other.locator('[data-test="link-phone"]').waitFor();
  mock.workerVersion = '2';
  await page.reload();
  for (const window of [page, other]) {
    const update = window.locator('[data-test="update"]');
    await update.waitFor();
    const loaded = window.waitForEvent('load');
    await update.getByRole('button').click();
    await loaded;
    await window.locator('[data-test="link-phone"]').waitFor();
    assert.equal(await update.count(), 0);
  }
  calm(page);
});

/** A deployment while the app is open: the files of its version are neither at the server nor in the worker's keeping. */
async function deployWithout(chunk) {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    for (const name of await caches.keys()) await caches.delete(name);
  });
  const file = readdirSync(new URL('../dist/phone/assets/', import.meta.url)).find(
    (name) => name.startsWith(`${chunk}-`) && name.endsWith('.js'),
  );
  mock.refuseOnce.set(`GET /assets/${file}`, { status: 404, body: {} });
}

test('a_screen_that_is_gone_from_the_server_offers_to_load_the_app_anew', async () => {
  await link();
  await deployWithout('history');
  await hook('to-history').click();
  await hook('unloaded').waitFor();
  await accessible(page, 'phone-unloaded');
  await hook('reload').click();
  await hook('to-history').click();
  await hook('history-proven').waitFor();
  calm(page);
});

test('D3_a_decoder_that_is_gone_from_the_server_offers_to_load_the_app_anew_or_to_type_the_code', async () => {
  await page.addInitScript(() => {
    delete globalThis.BarcodeDetector;
    navigator.mediaDevices.getUserMedia = async () => {
      const canvas = document.createElement('canvas');
      const draw = () => (canvas.getContext('2d').fillRect(0, 0, 9, 9), requestAnimationFrame(draw));
      draw();
      return canvas.captureStream();
    };
  });
  await link();
  await deployWithout('decode');
  await hook('scan').click();
  await hook('unloaded').waitFor();
  await accessible(page, 'phone-scan-unloaded');
  await hook('type-code').click();
  await page.locator('#short-code').waitFor();
  calm(page);
});

test('A4_texts_of_linking_that_do_not_come_are_loaded_anew', async () => {
  await page.route('**/assets/linking-*.js', (route) => route.abort(), { times: 1 });
  await app();
  await hook('unloaded').waitFor();
  await hook('reload').click();
  await hook('link-phone').waitFor();
  calm(page);
});

test('a_refused_stream_says_so_until_it_is_heard_again', async () => {
  await link();
  mock.refuseOnce.set('GET /d/events', {
    status: 429,
    body: { outcome: 'too_many_requests', text: 'Trop de demandes.', way_out: 'try_again' },
  });
  mock.cutStreams();
  const notice = page.locator('[data-outcome="too_many_requests"]');
  await notice.waitFor();
  await notice.waitFor({ state: 'detached' });
  mock.addAction();
  await hook('open-action').waitFor();
});

test('D1_a_request_is_answered_with_the_keyboard_alone', async () => {
  await link();
  const action = mock.addAction({ claims: [] });
  const reach = async (selector) => {
    for (let i = 0; i < 40; i++) {
      if (await page.locator(`${selector}:focus`).count()) return page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
    }
    assert.fail(`${selector} is not reached by the keyboard`);
  };
  await hook('open-action').waitFor();
  await reach('[data-test="open-action"]');
  await hook('approve').waitFor();
  await reach('[data-test="approve"]');
  await hook('symbol-boat').waitFor();
  await reach('[data-test="symbol-boat"]');
  await hook('keypad').waitFor();
  await page.keyboard.type('38214');
  await reach('[data-test="confirm-code"]');
  await result('approved').waitFor();
  assert.equal(action.state, 'approved');
});

test('the_screens_hold_in_forced_colours_and_with_text_twice_as_large', async () => {
  await link();
  mock.addAction();
  await page.emulateMedia({ forcedColors: 'active' });
  await hook('open-action').click();
  await hook('approve').click();
  await hook('symbol-boat').waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setDeviceMetricsOverride', {
    width: 195,
    height: 400,
    deviceScaleFactor: 4,
    mobile: true,
  });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 200));
  const box = await hook('symbol-boat').boundingBox();
  assert.ok(box.width >= 44 && box.height >= 44);
  calm(page);
});

for (const language of ['nl', 'de', 'en']) {
  test(`F5_the_app_holds_in_${language}_at_320_pixels`, async () => {
    const own = await open(browser, { ...phone, locale: language });
    const first = page;
    page = own;
    mock.language = language;
    await app();
    await hook('link-phone').waitFor();
    await accessible(page, `phone-welcome-${language}`, ['narrow']);
    await toSms();
    await accessible(page, `phone-sms-${language}`, ['narrow']);
    await page.fill('#sms', mock.smsCode);
    await hook('next').click();
    await hook('keypad').waitFor();
    await accessible(page, `phone-code-${language}`, ['narrow']);
    await typeCode('38214');
    await typeCode('38214');
    await hook('to-home').click();
    await hook('nothing').waitFor();
    await accessible(page, `phone-home-${language}`, ['narrow']);
    await openAction();
    await accessible(page, `phone-review-${language}`, ['narrow']);
    await hook('approve').click();
    await accessible(page, `phone-symbols-${language}`, ['narrow']);
    await hook('refuse').click();
    await accessible(page, `phone-refuse-${language}`, ['narrow']);
    calm(page);
    await first.context().close();
  });
}

// ---- the fingerprint -----------------------------------------------------------------------------------------------

test('A4_a_phone_with_a_fingerprint_is_asked_and_goes_on_with_it_or_without', async () => {
  const finger = await journey.addFingerprint(page);
  await toCode();
  await typeCode('38214');
  await typeCode('38214');
  await hook('fingerprint-on').waitFor();
  await accessible(page, 'phone-fingerprint-offer');
  await finger.knows(false);
  await hook('fingerprint-on').click();
  await hook('fingerprint-declined').waitFor();
  await accessible(page, 'phone-fingerprint-declined');
  await hook('fingerprint-later').click();
  await hook('linked').waitFor();
  assert.equal(mock.passkey, null);
  await hook('to-home').click();
  await page.locator('[data-test="fingerprint-state"][data-state="off"]').waitFor();
  await accessible(page, 'phone-home-fingerprint-off');
  calm(page);
});

/** Linked without the fingerprint that the phone has, and where it is turned on later. */
async function linkAndOpenFingerprintSettings() {
  await journey.addFingerprint(page);
  await toCode();
  await typeCode('38214');
  await typeCode('38214');
  await hook('fingerprint-later').click();
  await hook('to-home').click();
  await hook('fingerprint-settings').click();
}

test('D1_the_fingerprint_is_turned_on_with_the_code_approves_and_is_turned_off_again', async () => {
  await linkAndOpenFingerprintSettings();
  await hook('fingerprint-on').waitFor();
  await accessible(page, 'phone-fingerprint-settings');
  await hook('fingerprint-on').click();
  await hook('keypad').waitFor();
  await accessible(page, 'phone-fingerprint-code');
  await typeCode('48213');
  await page.locator('[data-outcome="code_wrong"]').waitFor();
  await typeCode('38214');
  await page.locator('[data-test="fingerprint"][data-state="on"]').waitFor();
  await accessible(page, 'phone-fingerprint-on');
  assert.ok(mock.passkey);
  await hook('to-home').click();

  const action = await openAction();
  await hook('approve').click();
  await hook(`symbol-${action.right}`).click();
  await hook('use-fingerprint').waitFor();
  await accessible(page, 'phone-enter-fingerprint-or-code');
  await hook('use-fingerprint').click();
  await result('approved').waitFor();
  assert.equal(action.record.method, 'passkey');
  await hook('to-home').click();

  await hook('fingerprint-settings').click();
  await hook('fingerprint-off').click();
  await page.locator('[data-test="fingerprint"][data-state="off"]').waitFor();
  await accessible(page, 'phone-fingerprint-off');
  await hook('to-home').click();
  const second = await openAction();
  await hook('approve').click();
  await hook(`symbol-${second.right}`).click();
  await hook('keypad').waitFor();
  assert.equal(await hook('use-fingerprint').count(), 0);
  calm(page);
});

test('D1_where_the_partner_needs_the_fingerprint_the_code_is_not_offered', async () => {
  await link();
  const action = mock.addAction();
  action.tx.needs_passkey = true;
  await hook('open-action').click();
  await hook('approve').click();
  await hook(`symbol-${action.right}`).click();
  await hook('needs-fingerprint').waitFor();
  await accessible(page, 'phone-needs-fingerprint');
  assert.equal(await hook('keypad').count(), 0);
  await hook('refuse').waitFor();
  calm(page);
});

test('T7_a_suspended_phone_says_what_happened_and_the_way_back', async () => {
  await link();
  mock.bound.ratchet = new Uint8Array(16);
  mock.bound.previous = null;
  const action = await openAction();
  await hook('approve').click();
  await hook(`symbol-${action.right}`).click();
  await typeCode('38214');
  await hook('suspended').waitFor();
  await page.locator('[data-outcome="device_clone_suspected"]').waitFor();
  await accessible(page, 'phone-suspended');
  await hook('link-again').click();
  await hook('link-phone').waitFor();
  calm(page);
});

// ---- what was sent and not judged ----------------------------------------------------------------------------------

const requests = (path) => mock.seen.filter((one) => one.path === path).map(({ body }) => body);

for (const [status, outcome] of [
  [503, 'vault_unreachable'],
  [500, 'internal'],
  [500, 'store_failed'],
  [503, 'unavailable'],
  [429, 'too_many_requests'],
])
  test(`A4_the_last_step_is_sent_again_as_it_was_after_${outcome}_and_no_other_code_is_asked`, async () => {
    await toCode();
    // Done, though the answer says that it failed.
    await page.route('**/d/enrol/finish', async (route) => {
      await route.fetch();
      await route.fulfill({ status, json: { outcome, text: 'Un instant.', way_out: 'try_again' } });
    });
    await typeCode('38214');
    await typeCode('38214');
    await hook('send-again').waitFor();
    await page.locator(`[data-outcome="${outcome}"]`).waitFor();
    assert.equal(await hook('keypad').count(), 0);
    await page.reload();
    await page.locator(`[data-outcome="${outcome}"]`).waitFor();
    await page.unroute('**/d/enrol/finish');
    await hook('send-again').click();
    await hook('linked').waitFor();
    const [first, ...others] = requests('/d/enrol/finish');
    assert.ok(others.length >= 2);
    for (const other of others) assert.deepEqual(other, first);
    calm(page);
  });

test('A4_the_last_step_goes_out_again_by_itself_when_something_else_came_between', async () => {
  await toCode();
  mock.refuseOnce.set('POST /d/enrol/finish', {
    status: 409,
    body: { outcome: 'conflict', text: 'Réessayez.', way_out: 'try_again' },
  });
  await typeCode('38214');
  await typeCode('38214');
  await hook('linked').waitFor();
  const [first, second] = requests('/d/enrol/finish');
  assert.deepEqual(second, first);
  calm(page);
});

test('A4_a_last_step_that_was_refused_is_made_anew', async () => {
  await toCode();
  mock.refuseOnce.set('POST /d/enrol/finish', {
    status: 400,
    body: { outcome: 'seal_invalid', text: 'Recommencez.', way_out: 'start_over' },
  });
  await typeCode('38214');
  await typeCode('38214');
  await page.locator('[data-outcome="seal_invalid"]').waitFor();
  await typeCode('38214');
  await typeCode('38214');
  await hook('linked').waitFor();
  const [first, second] = requests('/d/enrol/finish');
  assert.notDeepEqual(second, first);
  calm(page);
});

// ---- two windows of one phone --------------------------------------------------------------------------------------

/** In another window of the same phone. */
async function inAnotherWindow(work) {
  const first = page;
  page = journey.watched(await first.context().newPage());
  await app();
  await work();
  calm(page);
  await page.close();
  page = first;
}

async function approveAndGoHome(part) {
  const action = await openAction(part);
  await approve();
  assert.equal(action.state, 'approved');
  await hook('to-home').click();
}

test('D1_an_answer_that_arrives_after_a_later_one_leaves_the_phone_with_the_ratchet_that_it_brings', async () => {
  await link();
  const late = await openAction();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await page.route('**/answer', (route) => route.abort(), { times: 1 });
  await typeCode('38214');
  await hook('unsent').waitFor();
  mock.actions = [];
  await inAnotherWindow(() => approveAndGoHome());
  mock.actions = [late];
  await hook('send-again').click();
  await result('approved').waitFor();
  assert.equal(late.state, 'approved');
  await hook('to-home').click();
  await approveAndGoHome();
  await approveAndGoHome();
  calm(page);
});

test('D1_a_fingerprint_whose_message_arrives_after_a_later_answer_is_on', async () => {
  await linkAndOpenFingerprintSettings();
  await hook('fingerprint-on').click();
  await page.route('**/d/passkey/on', (route) => route.abort(), { times: 1 });
  await typeCode('38214');
  await hook('unsent').waitFor();
  await inAnotherWindow(() => approveAndGoHome());
  await hook('send-again').click();
  await page.locator('[data-test="fingerprint"][data-state="on"]').waitFor();
  await hook('to-home').click();
  const action = await openAction();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await hook('use-fingerprint').click();
  await result('approved').waitFor();
  assert.equal(action.record.method, 'passkey');
  calm(page);
});

// ---- storage that is lost while the app is open --------------------------------------------------------------------

/** What happens to the connections of the app's storage can be played: they are closed, or none works. */
async function watchStorage() {
  await page.addInitScript(() => {
    const connections = [];
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...name) {
      const request = open.apply(this, name);
      request.addEventListener('success', () => connections.push(request.result));
      return request;
    };
    const { transaction } = IDBDatabase.prototype;
    let broken = false;
    IDBDatabase.prototype.transaction = function (...what) {
      if (broken) throw new DOMException('Connection to Indexed Database server lost.', 'UnknownError');
      return transaction.apply(this, what);
    };
    globalThis.storage = {
      close: () => connections.forEach((connection) => connection.close()),
      breaks: (does) => (broken = does),
    };
  });
}

const closeStorage = () => page.evaluate(() => globalThis.storage.close());
const storageBreaks = (does) => page.evaluate((does) => globalThis.storage.breaks(does), does);
const notKept = () => page.locator('[data-outcome="store_failed"]').waitFor();

/** "Clear site data", as the browser's settings do it. */
async function clearSiteData() {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: mock.phoneUrl, storageTypes: 'all' });
  await session.detach();
}

async function toAnswer() {
  const action = await openAction();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await hook('keypad').waitFor();
  return action;
}

test('D1_a_connection_to_the_storage_that_was_lost_is_made_anew', async () => {
  await watchStorage();
  await toCode();
  await closeStorage();
  await typeCode('38214');
  await typeCode('38214');
  await hook('to-home').click();
  await hook('nothing').waitFor();
  const action = await toAnswer();
  await closeStorage();
  await typeCode('38214');
  await result('approved').waitFor();
  assert.equal(action.state, 'approved');
  calm(page);
});

test('D1_a_phone_whose_data_are_deleted_while_it_is_asked_says_that_its_keys_are_gone', async () => {
  await link();
  const action = await toAnswer();
  await clearSiteData();
  await typeCode('38214');
  await page.locator('[data-outcome="device_keys_gone"]').waitFor();
  await hook('link-again').waitFor();
  assert.equal(action.state, 'shown');
  calm(page);
});

test('D1_a_storage_that_cannot_be_read_is_told_and_the_request_is_opened_again', async () => {
  await watchStorage();
  await link();
  const action = await toAnswer();
  await storageBreaks(true);
  await typeCode('38214');
  await notKept();
  await accessible(page, 'phone-storage-lost', ['light']);
  assert.equal(action.state, 'shown');
  await storageBreaks(false);
  await hook('retry').click();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await typeCode('38214');
  await result('approved').waitFor();
  calm(page);
});

test('D1_an_answer_whose_ratchet_could_not_be_kept_is_sent_again_until_it_is', async () => {
  await watchStorage();
  await link();
  await toAnswer();
  // The server repeats what it said to the same bytes; this stand-in forgets it.
  let answered;
  await page.route('**/answer', async (route) => {
    const isFirst = !answered;
    answered ??= await route.fetch();
    await storageBreaks(isFirst);
    await route.fulfill({ response: answered });
  });
  await typeCode('38214');
  await notKept();
  await hook('send-again').click();
  await result('approved').waitFor();
  await page.unroute('**/answer');
  await hook('to-home').click();
  await approveAndGoHome();
  calm(page);
});

test('A4_a_last_step_that_cannot_be_kept_is_not_sent_and_the_code_is_typed_again', async () => {
  await watchStorage();
  await toCode();
  await storageBreaks(true);
  await typeCode('38214');
  await typeCode('38214');
  await notKept();
  assert.deepEqual(requests('/d/enrol/finish'), []);
  await storageBreaks(false);
  await typeCode('38214');
  await typeCode('38214');
  await hook('linked').waitFor();
  calm(page);
});

test('A4_a_linked_phone_that_could_not_be_kept_asks_for_its_answer_again', async () => {
  await watchStorage();
  await toCode();
  await page.route(
    '**/d/enrol/finish',
    async (route) => {
      const response = await route.fetch();
      await storageBreaks(true);
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  await typeCode('38214');
  await typeCode('38214');
  await notKept();
  await storageBreaks(false);
  await hook('send-again').click();
  await hook('linked').waitFor();
  await page.reload();
  await hook('nothing').waitFor();
  calm(page);
});

test('D1_the_fingerprint_is_turned_on_and_off_over_a_storage_that_fails_for_a_while', async () => {
  await journey.addFingerprint(page);
  await watchStorage();
  await toCode();
  await typeCode('38214');
  await typeCode('38214');
  await hook('fingerprint-later').click();
  await hook('to-home').click();
  await hook('fingerprint-settings').click();
  await hook('fingerprint-on').click();
  await hook('keypad').waitFor();
  await storageBreaks(true);
  await typeCode('38214');
  await notKept();
  assert.equal(mock.passkey, null);
  await storageBreaks(false);
  await typeCode('38214');
  await page.locator('[data-test="fingerprint"][data-state="on"]').waitFor();
  await storageBreaks(true);
  await hook('fingerprint-off').click();
  await notKept();
  await storageBreaks(false);
  await hook('retry').click();
  await page.locator('[data-test="fingerprint"][data-state="off"]').waitFor();
  calm(page);
});

// ---- a clock that is wrong -----------------------------------------------------------------------------------------

/** The phone's clock is `seconds` ahead of the server's. */
const setClock = (seconds) =>
  page.addInitScript((seconds) => {
    const { now } = Date;
    Date.now = () => now() + seconds * 1000;
  }, seconds);

for (const [which, seconds] of [
  ['two_days_behind', -2 * 86400],
  ['two_days_ahead', 2 * 86400],
]) {
  test(`A5_a_phone_whose_clock_is_${which}_waits_for_the_next_sms_as_long_as_the_server_says`, async () => {
    await setClock(seconds);
    await toSms();
    await hook('sms-again').getByText(/0:[0-3]\d/).waitFor();
    assert.equal(await hook('sms-again').getAttribute('aria-disabled'), 'true');
    mock.smsAgainAt = now() - 1;
    await page.reload();
    await page.locator('[data-test="sms-again"]:not([aria-disabled])').click();
    await page.getByText('Un nouveau SMS est en route').waitFor();
    await hook('sms-again').getByText(/0:[0-3]\d/).waitFor();
    mock.refuseOnce.set('POST /d/enrol/sms', {
      status: 429,
      body: { outcome: 'tries_used_up', text: 'Tous les essais sont utilisés.', way_out: 'wait', open_at: now() + 1200 },
    });
    await page.fill('#sms', '000001');
    await hook('next').click();
    assert.match(await hook('open-at').innerText(), /\d{2}:\d{2}/);
    calm(page);
  });

  test(`D1_a_phone_whose_clock_is_${which}_counts_and_answers_as_long_as_the_server_says`, async () => {
    await setClock(seconds);
    await link();
    await openAction();
    assert.match(await hook('countdown').innerText(), /[23]:\d\d/);
    await hook('approve').click();
    await hook('symbol-boat').click();
    await typeCode('38214');
    await result('approved').waitFor();
    await hook('to-home').click();
    await openAction({ lifetime: 4 });
    await result('expired').waitFor();
    calm(page);
  });
}
