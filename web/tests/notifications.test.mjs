// Notifications in the phone app, against the mock. Headless Chromium has no push service: its subscription is played here, the
// messages reach the real worker by the debugger's protocol. tests/notifications.test.mjs has the whole way in Firefox.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../demo/journey.mjs';
import { accessible, calm, phone } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let browser, session, mock, page, context;

useMock({ lasts: 'test', page: phone }, (begun) => {
  ({ browser, mock, page } = begun);
  context = page.context();
});

const hook = (name) => page.locator(`[data-test="${name}"]`);
const state = (name) => page.locator(`[data-test="push"][data-state="${name}"]`);
const origin = () => mock.phoneUrl;

const typeCode = (code) => journey.typeCode(page, code);

async function link() {
  await page.goto(`${origin()}/app/#token=${encodeURIComponent(mock.token)}`);
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await hook('next').click();
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await typeCode('38214');
  await typeCode('38214');
  await hook('to-home').click();
  await hook('nothing').waitFor();
}

async function logIn() {
  mock.addAction();
  await hook('open-action').click();
  await hook('approve').click();
  await hook('symbol-boat').click();
  await typeCode('38214');
  await page.locator('[data-test="result"][data-result="approved"]').waitFor();
  await hook('to-home').click();
}

/** A push service in the page: subscriptions that live in this tab. `fails`: it is not reached. */
async function playPushService({ fails = false } = {}) {
  await page.addInitScript((fails) => {
    const kept = () => JSON.parse(sessionStorage.getItem('played') ?? 'null');
    const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer;
    const subscription = (it) =>
      it && {
        endpoint: it.endpoint,
        options: { userVisibleOnly: true, applicationServerKey: bytes(it.key) },
        getKey: (name) => new Uint8Array(name === 'auth' ? 16 : 65).fill(4).buffer,
        unsubscribe: async () => (sessionStorage.removeItem('played'), true),
      };
    PushManager.prototype.getSubscription = async () => subscription(kept());
    PushManager.prototype.subscribe = async (options) => {
      if (fails) throw new DOMException('no push service', 'AbortError');
      if (!options.userVisibleOnly) throw new Error('messages that show nothing');
      const count = Number(sessionStorage.getItem('count') ?? 0) + 1;
      sessionStorage.setItem('count', count);
      const key = btoa(String.fromCharCode(...new Uint8Array(options.applicationServerKey)));
      sessionStorage.setItem('played', JSON.stringify({ endpoint: `https://push.example/p/${count}`, key }));
      return subscription(kept());
    };
  }, fails);
}

/** What the browser allows lasts as long as the session that says so. */
async function permission(setting) {
  session ??= await browser.newBrowserCDPSession();
  const { browserContextIds } = await session.send('Target.getBrowserContexts');
  await session.send('Browser.setPermission', {
    permission: { name: 'notifications' },
    setting,
    origin: origin(),
    browserContextId: browserContextIds.at(-1),
  });
}

test('D1_notifications_are_asked_for_after_the_first_login_with_the_reason_and_not_before', async () => {
  await playPushService();
  await permission('prompt');
  await link();
  await state('off').waitFor();
  assert.equal(await hook('push-ask').count(), 0);
  await logIn();
  await hook('push-ask').waitFor();
  await accessible(page, 'phone-push-ask');
  assert.equal(mock.push.state, 'off', 'nothing was subscribed without a tap');
  await permission('granted');
  await hook('push-on').click();
  await state('on').waitFor();
  assert.equal(await hook('push-ask').count(), 0);
  const { endpoint, p256dh, auth, language } = mock.push.given;
  assert.equal(endpoint, 'https://push.example/p/1');
  assert.equal(Buffer.from(p256dh, 'base64url').length, 65);
  assert.equal(Buffer.from(auth, 'base64url').length, 16);
  assert.equal(language, 'fr');
  await accessible(page, 'phone-push-on');
  calm(page);
});

test('not_now_is_kept_and_the_switch_stays', async () => {
  await playPushService();
  await permission('prompt');
  await link();
  await logIn();
  await hook('push-not-now').click();
  await state('off').waitFor();
  await page.reload();
  await state('off').waitFor();
  assert.equal(await hook('push-ask').count(), 0);
  await permission('granted');
  await hook('push-on').click();
  await state('on').waitFor();
});

test('notifications_are_switched_off_at_the_server_and_in_the_browser', async () => {
  await playPushService();
  await permission('granted');
  await link();
  await hook('push-on').click();
  await state('on').waitFor();
  await hook('push-off').click();
  await state('off').waitFor();
  assert.equal(mock.push.state, 'off');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('played')), null);
  await page.reload();
  await state('off').waitFor();
});

test('a_permission_that_is_denied_is_shown_with_the_way_back_and_everything_else_works', async () => {
  await playPushService();
  await permission('denied');
  await link();
  await state('denied').waitFor();
  await accessible(page, 'phone-push-denied');
  await logIn();
  await state('denied').waitFor();
  assert.equal(await hook('push-ask').count(), 0);
  calm(page);
});

test('a_push_service_that_is_not_reached_is_said_and_can_be_tried_again', async () => {
  await playPushService({ fails: true });
  await permission('granted');
  await link();
  await hook('push-on').click();
  await state('broken').waitFor();
  await accessible(page, 'phone-push-broken');
  await logIn();
  await state('broken').waitFor();
});

test('a_subscription_that_ended_changed_or_speaks_another_language_is_mended_when_the_app_opens', async () => {
  await playPushService();
  await permission('granted');
  await link();
  await hook('push-on').click();
  await state('on').waitFor();

  mock.push = { state: 'ended', given: null };
  await page.reload();
  await state('on').waitFor();
  assert.equal(mock.push.given.endpoint, 'https://push.example/p/2', 'one that ended is replaced');

  mock.pushKey = Buffer.alloc(65, 9).toString('base64url');
  await page.reload();
  await state('on').waitFor();
  assert.equal(mock.push.given.endpoint, 'https://push.example/p/3', 'so is one under another key');

  mock.push.given.endpoint = 'https://push.example/p/of-another-browser';
  await page.reload();
  await state('on').waitFor();
  assert.equal(mock.push.given.endpoint, 'https://push.example/p/3');

  const before = mock.seen.length;
  await page.reload();
  await state('on').waitFor();
  const asked = mock.seen.slice(before).filter(({ path }) => path.startsWith('/d/push'));
  assert.deepEqual([...new Set(asked.map(({ method }) => method))], ['GET'], 'what agrees is left alone');

  await page.locator('a[lang="nl"]').click();
  await page.getByText('Meldingen uitzetten').waitFor();
  while (mock.push.given.language !== 'nl') await mock.change();
});

test('a_push_service_that_the_server_does_not_send_to_counts_as_none', async () => {
  await playPushService();
  await permission('granted');
  await link();
  mock.refuseOnce.set('POST /d/push', {
    status: 422,
    body: { outcome: 'push_endpoint_refused', text: 'Non.', way_out: 'nothing' },
  });
  await hook('push-on').click();
  await state('unsupported').waitFor();
  await accessible(page, 'phone-push-unsupported');
});

// ---- the worker ------------------------------------------------------------------------------------------------------

const message = (action, lifetime = 180) =>
  JSON.stringify({
    web_push: 8030,
    notification: { title: 'Symbolon', body: 'Er wacht een verzoek op u.', lang: 'nl', tag: 'action', navigate: '/' },
    action,
    expires_at: Math.floor(Date.now() / 1000) + lifetime,
  });

async function worker() {
  return context.serviceWorkers()[0] ?? context.waitForEvent('serviceworker');
}

/** Hands a message to the worker, as the browser does when its push service has one. */
async function push(data) {
  const session = await context.newCDPSession(page);
  const registered = new Promise((resolve) =>
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) =>
      registrations.filter(({ isDeleted }) => !isDeleted).forEach(({ registrationId }) => resolve(registrationId)),
    ),
  );
  await session.send('ServiceWorker.enable');
  const registrationId = await registered;
  await session.send('ServiceWorker.deliverPushMessage', { origin: origin(), registrationId, data });
  await session.detach();
}

/** What the phone shows, as soon as it is what is waited for. Asked of the page: a worker that stops does not answer. */
async function notifications(until, deadline = Date.now() + 30_000) {
  const shown = await page.evaluate(async () => {
    const all = await (await navigator.serviceWorker.ready).getNotifications();
    return all.map(({ title, body, lang, tag, data, timestamp, silent }) => ({ title, body, lang, tag, data, timestamp, silent }));
  });
  if (until(shown)) return shown;
  assert.ok(Date.now() < deadline, `the phone shows ${JSON.stringify(shown)}`);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  return notifications(until, deadline);
}

/** Hands it over until the phone shows it: now and then the browser drops what its debugger's protocol brings. */
async function pushed(data, until, tries = 3) {
  await push(data);
  if (tries === 1) return notifications(until);
  return notifications(until, Date.now() + 5_000).catch(() => pushed(data, until, tries - 1));
}

/** The browser's own click can't be made from outside: the worker gets the event that it makes. */
async function tap() {
  await (
    await worker()
  ).evaluate(async () => {
    const [notification] = await registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });
}

test('D1_a_message_shows_that_something_waits_and_a_tap_leads_to_it', async () => {
  await playPushService();
  await permission('granted');
  await link();
  const action = mock.addAction();
  const [shown] = await pushed(message(action.id), (all) => all.length > 0);
  assert.equal(shown.body, 'Er wacht een verzoek op u.');
  assert.equal(shown.lang, 'nl');
  assert.equal(shown.data.action, action.id);
  await tap();
  await hook('partner').waitFor();
  assert.equal(action.state, 'shown');
  await notifications((all) => all.length === 0);
  calm(page);
});

test('D1_a_notification_opens_the_app_on_its_request', async () => {
  await playPushService();
  await permission('granted');
  await link();
  const action = mock.addAction();
  await page.goto('about:blank');
  await page.goto(`${origin()}/app/#action=${action.id}`);
  await hook('partner').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the address keeps nothing');
  calm(page);
});

test('D5_a_request_that_is_over_says_so_when_its_notification_is_tapped', async () => {
  await playPushService();
  await permission('granted');
  await link();
  mock.refuseOnce.set('POST /d/actions/long-over/show', {
    status: 410,
    body: { outcome: 'action_expired', text: 'Trop tard.', way_out: 'start_over' },
  });
  await page.goto('about:blank');
  await page.goto(`${origin()}/app/#action=long-over`);
  await page.locator('[data-test="result"][data-result="expired"]').waitFor();
  await hook('to-home').click();
  await hook('nothing').waitFor();
});

test('D5_a_tap_does_not_take_the_holder_away_from_another_answer', async () => {
  await playPushService();
  await permission('granted');
  await link();
  const first = mock.addAction();
  await hook('open-action').click();
  await hook('approve').click();
  await hook('symbol-boat').waitFor();
  const second = mock.addAction();
  await pushed(message(second.id), (all) => all.length > 0);
  await tap();
  await notifications((all) => all.length === 0);
  await hook('symbol-boat').click();
  await typeCode('38214');
  await page.locator('[data-test="result"][data-result="approved"]').waitFor();
  assert.equal(first.state, 'approved');
  assert.equal(second.state, 'waiting');
});

test('D1_a_tap_leads_from_a_result_to_the_request_and_not_back_to_what_is_over', async () => {
  await playPushService();
  await permission('granted');
  await link();
  const first = mock.addAction();
  await hook('open-action').click();
  await hook('approve').click();
  await hook('symbol-boat').waitFor();
  const second = mock.addAction();
  await hook('symbol-boat').click();
  await typeCode('38214');
  const approved = page.locator('[data-test="result"][data-result="approved"]');
  await approved.waitFor();
  for (const { id } of [first, second]) {
    assert.equal(await approved.count(), 1, 'what waited before does not take the place of the result');
    await pushed(message(id), (all) => all[0]?.data.action === id);
    await tap();
    await notifications((all) => all.length === 0);
  }
  await hook('partner').waitFor();
  assert.equal(second.state, 'shown');
  calm(page);
});

test('messages_that_cannot_be_read_show_the_sentence_all_the_same', async () => {
  await playPushService();
  await permission('granted');
  await link();
  // Each takes the place of the one before: to close that would be a wish, which may come when the next is there.
  let before;
  for (const data of ['', 'no JSON', '{"action":"../../evil","expires_at":1}', '[]', 'null']) {
    const [shown] = await pushed(data, (all) => all.length > 0 && all[0].timestamp !== before);
    before = shown.timestamp;
    assert.equal(shown.title, 'Symbolon');
    assert.equal(shown.body, 'Une demande vous attend. Ouvrez Symbolon pour la voir.');
    assert.equal(shown.data.action, '');
  }
});

test('D5_of_many_messages_one_notification_is_shown', async () => {
  await playPushService();
  await permission('granted');
  await link();
  for (let i = 0; i < 4; i++) await push(message(`action-${i}`));
  const shown = await pushed(message('action-4'), (all) => all[0]?.data.action === 'action-4');
  assert.equal(shown.length, 1);
});

test('D5_the_next_request_rings_once_the_one_before_is_over_though_the_clock_of_the_phone_is_behind', async () => {
  await playPushService();
  await permission('granted');
  await link();
  /** `seconds` from now, a message of a server whose clock is ten minutes ahead. */
  const pushedAfter = async (seconds, action) => {
    const text = message(action, seconds + 180 + 600);
    await (
      await worker()
    ).evaluate(
      async ({ seconds, text }) => {
        const { now } = Date;
        Date.now = () => now() + seconds * 1000;
        const shown = [];
        const event = new PushEvent('push', { data: text });
        event.waitUntil = (work) => shown.push(work);
        self.dispatchEvent(event);
        await Promise.all(shown);
        Date.now = now;
      },
      { seconds, text },
    );
    const [shown] = await notifications((all) => all[0]?.data.action === action);
    return shown;
  };
  assert.equal((await pushedAfter(0, 'first')).silent, false);
  assert.equal((await pushedAfter(60, 'while-the-first-waits')).silent, true);
  assert.equal((await pushedAfter(300, 'after-both')).silent, false);
});

test('a_phone_whose_browser_changes_its_subscription_tells_the_server_by_itself', async () => {
  await playPushService();
  await permission('granted');
  await link();
  await hook('push-on').click();
  await state('on').waitFor();
  await page.goto('about:blank');
  await (
    await worker()
  ).evaluate(() => {
    const event = new ExtendableEvent('pushsubscriptionchange');
    event.newSubscription = {
      endpoint: 'https://push.example/p/renewed',
      getKey: (name) => new Uint8Array(name === 'auth' ? 16 : 65).fill(4).buffer,
    };
    self.dispatchEvent(event);
  });
  while (mock.push.given.endpoint !== 'https://push.example/p/renewed') await mock.change();
});
