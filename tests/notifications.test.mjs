// Web Push from the server to the phone: in Firefox by a real subscription, in Chromium with the browser's push service played by the test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../web/demo/journey.mjs';
import { launchFirefox } from './lib/firefox.mjs';
import { Browser, enrolUpToToken, linkBrowser } from './lib/holder.mjs';
import { startPushService } from './lib/push_service.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

let stack, service, chromium;
const waitFor = { timeout: 60_000 };

const { atEnd } = useStackAndBrowser((begun) => {
  ({ stack, browser: chromium } = begun);
}, async () => {
  service = await startPushService();
  atEnd(() => service.stop());
  const extra = `[limits]\nrings_per_number = 10000\nrings_per_network = 10000\nrings_per_partner = 10000\nlookups_a_minute_per_address = 10000\nsign_ins_a_minute_per_address = 10000\n[push]\nhosts = ["localhost:${service.port}"]\n`;
  return { extra };
});

/** Starts a login at the shop for a number, without a screen. Gives the browser, the waiting page's address and its symbol. */
async function startLogin(number) {
  const browser = new Browser();
  const begun = await browser.fetch(`${stack.partner.url}/login`, { redirect: 'manual' });
  const authorize = await browser.fetch(begun.headers.get('location'));
  const page = new URL(authorize.headers.get('location'), stack.idUrl);
  await browser.form(page, { calling_code: '32', identifier: number, continue: '1' });
  const text = await (await browser.fetch(page)).text();
  return { browser, page, text, symbol: /symbols\.svg#([a-z-]+)"/.exec(text)[1] };
}

const plainOf = (message) => JSON.parse(message.plain);
/** The `count`th message to the phone's newest subscription, once it is there. */
const messageTo = (phone, count) => service.until(() => messagesTo(phone)[count - 1]);
const messagesTo = (phone) => {
  const { pathname } = new URL(phone.subscriptions.at(-1).endpoint);
  return service.messages.filter(({ path }) => path === pathname);
};

// ---- Firefox -----------------------------------------------------------------------------------------------------------

test('D1_in_Firefox_the_phone_gets_a_real_notification_and_its_request_is_approved', async () => {
  const number = '0472 00 00 01';
  const { token } = await enrolUpToToken(stack, { persona: 'lotte', number, language: 'nl' });
  const firefox = await launchFirefox({ pushService: service });
  try {
    const page = await firefox.newPage();
    page.setDefaultTimeout(60_000);
    const click = async (name) => (await page.waitForSelector(`[data-test="${name}"]`, { visible: true })).click();
    const type = async (selector, text) => (await page.waitForSelector(selector)).type(text);
    const code = async () => {
      for (const digit of '38214') await click(`key-${digit}`);
      await click('confirm-code');
    };

    await page.goto(`${stack.phoneUrl}/app/#token=${encodeURIComponent(token)}`);
    await type('#number', number);
    await click('next');
    await page.waitForSelector('#token');
    const seen = stack.outbox.messages.length;
    await click('next');
    await page.waitForSelector('#sms');
    await type('#sms', /\b\d{6}\b/.exec((await stack.outbox.next('+32472000001', seen)).text)[0]);
    await click('next');
    await page.waitForSelector('[data-test="keypad"]');
    await code();
    await code();
    await click('to-home');
    await click('push-on');
    await page.waitForSelector('[data-test="push"][data-state="on"]');

    const accepted = service.messages.length;
    const login = await startLogin(number);
    const message = await service.message(accepted + 1);
    assert.equal(message.headers.urgency, 'high');
    assert.ok(Number(message.headers.ttl) > 150 && Number(message.headers.ttl) <= 180);

    // The browser has decrypted it and the worker shows it.
    assert.equal((await service.until(() => service.acknowledged.at(-1))).code, 100);
    const shown = await page.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready;
      for (;;) {
        const [one] = await worker.getNotifications();
        if (one) return { title: one.title, body: one.body, lang: one.lang, data: one.data };
        await new Promise((done) => setTimeout(done, 10));
      }
    });
    assert.equal(shown.title, 'Symbolon');
    assert.equal(shown.body, 'Er wacht een verzoek op u. Open Symbolon om het te bekijken.');
    assert.equal(shown.lang, 'nl');

    // Where its tap leads.
    await page.goto('about:blank');
    await page.goto(`${stack.phoneUrl}/app/#action=${shown.data.action}`);
    await page.waitForSelector('[data-test="partner"]');
    await click('approve');
    await click(`symbol-${login.symbol}`);
    await page.waitForSelector('[data-test="keypad"]');
    await code();
    await page.waitForSelector('[data-test="result"][data-result="approved"]');
    const back = await login.browser.fetch(new URL(`${login.page.pathname}/continue`, stack.idUrl));
    assert.match(back.headers.get('location'), /[?&]code=/);
  } finally {
    await firefox.close();
  }
});

// ---- Chromium ----------------------------------------------------------------------------------------------------------

/** A phone in Chromium whose browser subscribes with the test's push service. */
async function phoneInChromium(persona, number) {
  const page = await journey.openPhone(chromium, { permissions: ['notifications'], locale: 'de-BE' });
  const subscriptions = [];
  await page.exposeFunction('playSubscribe', (key) => {
    const subscription = service.subscription(key);
    subscriptions.push(subscription);
    return { endpoint: subscription.endpoint, p256dh: subscription.p256dh, auth: subscription.auth, key };
  });
  await page.addInitScript(() => {
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0)).buffer;
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const played = () => JSON.parse(localStorage.getItem('played') ?? 'null');
    const subscription = (it) => it && {
      endpoint: it.endpoint,
      options: { applicationServerKey: bytes(it.key) },
      getKey: (name) => bytes(it[name]),
      unsubscribe: async () => (localStorage.removeItem('played'), true),
    };
    PushManager.prototype.getSubscription = async () => subscription(played());
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      localStorage.setItem('played', JSON.stringify(await window.playSubscribe(text(applicationServerKey))));
      return subscription(played());
    };
  });
  await linkBrowser(stack, page, { persona, number, language: 'de' });
  await page.locator('[data-test="push-on"]').click();
  await page.locator('[data-test="push"][data-state="on"]').waitFor(waitFor);
  return { page, number, subscriptions };
}

/** Hands a message to the worker, as the browser does when its push service has one. */
async function deliver(page, data) {
  const session = await page.context().newCDPSession(page);
  const registered = new Promise((resolve) => session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) =>
    registrations.filter(({ isDeleted }) => !isDeleted).forEach(({ registrationId }) => resolve(registrationId))));
  await session.send('ServiceWorker.enable');
  await session.send('ServiceWorker.deliverPushMessage', { origin: stack.phoneUrl, registrationId: await registered, data });
  await session.detach();
}

test('D1_in_Chromium_the_message_is_read_by_an_implementation_that_is_not_ours_and_shown_by_the_worker', async () => {
  const phone = await phoneInChromium('bruno', '0472 00 00 02');
  const login = await startLogin(phone.number);
  const message = await messageTo(phone, 1);
  const plain = plainOf(message);
  assert.deepEqual(Object.keys(plain).sort(), ['action', 'expires_at', 'notification', 'web_push']);
  assert.equal(plain.notification.body, 'Eine Anfrage wartet. Öffnen Sie Symbolon, um sie anzusehen.');
  assert.doesNotMatch(message.plain, /Linde|472|bruno/i, 'neither partner nor person');

  // Now and then the browser drops what its debugger's protocol brings: it is handed over again.
  let shown = null;
  for (let tries = 3; !shown && tries > 0; tries--) {
    await deliver(phone.page, message.plain);
    // Asked of the page: a worker that the browser stops meanwhile does not answer.
    shown = await phone.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      for (const end = Date.now() + 10_000; Date.now() < end; ) {
        const [one] = await registration.getNotifications();
        if (one) return { body: one.body, action: one.data.action };
        await new Promise((done) => setTimeout(done, 10));
      }
      return null;
    });
  }
  assert.equal(shown.action, plain.action);
  await phone.page.context().serviceWorkers()[0].evaluate(async () => {
    const [notification] = await registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });
  await phone.page.locator('[data-test="partner"]').waitFor();
  await phone.page.locator('[data-test="approve"]').click();
  await phone.page.locator(`[data-test="symbol-${login.symbol}"]`).click();
  for (const digit of '38214') await phone.page.locator(`[data-test="key-${digit}"]`).click();
  await phone.page.locator('[data-test="confirm-code"]').click();
  await phone.page.locator('[data-test="result"][data-result="approved"]').waitFor();

  // Every message has one size, whatever the language.
  await phone.page.locator('[data-test="to-home"]').click();
  const told = phone.page.waitForResponse((answer) => answer.url().endsWith('/d/push') && answer.request().method() === 'POST');
  await phone.page.locator('a[lang="fr"]').click();
  assert.equal((await told).status(), 200, 'the server knows the language from now on');
  await phone.page.getByText('Désactiver les notifications').waitFor();
  await startLogin(phone.number);
  const french = await messageTo(phone, 2);
  assert.match(french.plain, /Une demande vous attend/);
  assert.equal(french.body.length, message.body.length);
  assert.equal(french.headers.topic, message.headers.topic);
  await phone.page.context().close();
});

test('D1_a_busy_push_service_is_asked_again_and_a_restart_of_the_server_loses_no_notification', async () => {
  const phone = await phoneInChromium('nadia', '0472 00 00 03');
  service.answers.push({ status: 429, retryAfter: 1 }, { status: 500 });
  await startLogin(phone.number);
  const first = await messageTo(phone, 1);
  assert.equal(service.answers.length, 0);

  await phone.page.context().setOffline(true);
  await stack.restartServer('SIGKILL');
  const again = await messageTo(phone, 2);
  assert.equal(plainOf(again).action, plainOf(first).action, 'it waits still, so it rings again');
  await phone.page.context().close();
});

test('D5_a_subscription_that_is_gone_ends_and_the_app_makes_another_one_when_it_opens', async () => {
  const phone = await phoneInChromium('amelie', '0472 00 00 04');
  phone.subscriptions[0].end();
  const refused = service.refused.length;
  await startLogin(phone.number);
  await service.until(() => service.refused.length > refused);
  assert.equal(service.refused.at(-1).status, 410);

  // The login waits in the app all the same.
  await phone.page.reload();
  await phone.page.locator('[data-test="open-action"]').first().waitFor();
  await phone.page.locator('[data-test="push"][data-state="on"]').waitFor(waitFor);
  assert.equal(phone.subscriptions.length, 2);
  await startLogin(phone.number);
  await messageTo(phone, 1);
  await phone.page.context().close();
});

test('D7_for_a_number_that_nobody_has_nothing_is_sent_and_the_page_is_the_same', async () => {
  const phone = await phoneInChromium('jurgen', '0472 00 00 05');
  const normalised = (login) => login.text.replaceAll(login.page.pathname, '').replaceAll(`#${login.symbol}"`, '').replaceAll(`data-symbol="${login.symbol}"`, '').replace(/<span class="symbol-name">[^<]*/g, '').replace(/data-expires="\d+"|\d:\d\d/g, '');
  const nobody = await startLogin('0479 99 99 05');
  const somebody = await startLogin(phone.number);
  await messageTo(phone, 1);
  assert.equal(messagesTo(phone).length, 1);
  assert.equal(normalised(nobody), normalised(somebody));
  await phone.page.context().close();
});

test('a_phone_that_turned_notifications_off_is_not_notified_and_answers_all_the_same', async () => {
  const phone = await phoneInChromium('millennium', '0472 00 00 06');
  await phone.page.locator('[data-test="push-off"]').click();
  await phone.page.locator('[data-test="push"][data-state="off"]').waitFor();
  const login = await startLogin(phone.number);
  await journey.approve(phone.page, { symbol: login.symbol });
  assert.deepEqual(messagesTo(phone), []);
  await phone.page.context().close();
});
