// Every screen of Symbolon, each reached as a person reaches it: the pages and the app with the mock behind them, where a
// state can be asked for; the sign-in pages and what hangs on them with the real server. `web/shots` takes pictures of
// them, tests/screens.test.mjs looks whether everybody can use them.

import encodeQR from 'qr';
import { addFingerprint, goToSignIn, hook, open, pointCamera, shownQr, shownSymbol, startLogin, typeCode, typeNumber } from '../demo/journey.mjs';
import { startTestStack } from '../demo/stack.mjs';
import { linkBrowser } from '../../tests/lib/holder.mjs';
import { failure, installExtension, ready, versions } from '../../tests/lib/web_eid.mjs';
import { cardStep, doneStep, Mock, outcomeText, phoneStep, reviewStep, signStep } from './mock.ts';

const number = '0470 11 22 33';
const code = '38214';
const phoneSize = { viewport: { width: 360, height: 740 } };
const mobile = { ...phoneSize, isMobile: true, hasTouch: true };
const locales = { fr: 'fr-BE', nl: 'nl-BE', de: 'de-DE', en: 'en-GB' };
const now = () => Math.floor(Date.now() / 1000);

export const parts = ['pages', 'enrolment', 'app', 'bank', 'requests', 'sign-in'];

/**
 * What all screens need: a real installation with one holder, whose phone is the page `phone`. Walks go one after the
 * other. `names(part)` are the screens of the walks so far.
 */
export async function startScreens(browser, { only = parts } = {}) {
  const mock = await Mock.start();
  const stack = only.includes('sign-in') ? await startTestStack() : null;
  let hasty;
  const stop = async () => {
    await mock.stop();
    await stack?.stop();
    await hasty?.stop();
  };
  try {
    // Where nothing waits long: what is too late is seen here.
    if (stack) hasty = await startTestStack({ extra: '[limits]\naction_lifetime = 4\nsign_in_lifetime = 20\n', reader: false });
    const phone = stack && (await open(browser, { ...mobile, locale: locales.en }));
    if (phone) await linkBrowser(stack, phone, { persona: 'lotte', number });
    return { browser, mock, stack, hasty, phone, only, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Walks over the screens in one language. `show(page, name, where)` is called at each: `where` is 'page' for what is
 * read on computers too, 'app' for what is read on phones only. It leaves the page as it was.
 */
export async function walk(screens, language, show) {
  const { browser, mock, only } = screens;
  const contexts = [];
  const opened = async (options) => {
    const page = await open(browser, { locale: locales[language], ...options });
    page.withoutScript = options.javaScriptEnabled === false;
    contexts.push(page.context());
    return page;
  };
  const walker = {
    ...screens,
    language,
    show,
    says: (outcome, more) => ({ outcome, text: outcomeText(language, outcome), way_out: 'correct_it', ...more }),
    computer: (options) => opened({ viewport: { width: 1280, height: 860 }, ...options }),
    newPhone: (options) => opened({ ...mobile, ...options }),
  };
  const walks = { pages, enrolment, app, bank, requests, 'sign-in': signIn };
  mock.language = language;
  try {
    for (const part of only) {
      await walks[part](walker);
      for (const context of contexts.splice(0)) await context.close();
    }
  } finally {
    for (const context of contexts) await context.close();
  }
}

// ---- pages that are files ----------------------------------------------------------------------------------------------------

async function pages({ mock, language, show, computer }) {
  const page = await computer();
  for (const [name, path] of Object.entries({ start: '', help: 'help/' })) {
    await page.goto(`${mock.idUrl}/${language}/${path}`);
    await hook(page, 'test-banner').waitFor();
    await show(page, name, 'page');
  }
}

// ---- the registration --------------------------------------------------------------------------------------------------------

async function enrolment({ mock, language, show, says, computer }) {
  const page = await computer();
  const at = `${mock.idUrl}/${language}/enrol/`;
  const step = async (name, state, wanted) => {
    mock.setEnrolment(null);
    mock.setEnrolment({ ...cardStep(language), ...state });
    await page.goto(at);
    await hook(page, wanted).first().waitFor();
    if (name) await show(page, `enrol-${name}`, 'page');
  };
  mock.setEnrolment(null);
  await page.goto(at);
  await hook(page, 'enrolment-form').waitFor();
  await show(page, 'enrol-form', 'page');
  await page.fill('#number', '02 123 45 67');
  await page.fill('#email', 'marie@');
  await hook(page, 'continue').click();
  await hook(page, 'error-email').waitFor();
  await show(page, 'enrol-form-errors', 'page');
  mock.refuseOnce.set('POST /enrolment', { status: 429, body: says('too_many_requests', { open_at: now() + 600 }) });
  await page.fill('#number', '0470123456');
  await page.fill('#email', 'marie@exemple.be');
  await hook(page, 'continue').click();
  await hook(page, 'open-at').waitFor();
  await show(page, 'enrol-form-refused', 'page');

  const noLink = { link: undefined, command: undefined };
  await step('card', {}, 'reader-link');
  await page.locator('summary').first().click();
  await show(page, 'enrol-card-command', 'page');
  await hook(page, 'cancel').click();
  await hook(page, 'cancel-yes').waitFor();
  await show(page, 'enrol-cancel', 'page');
  await step('card-link-old', { link_expires_at: now() - 1 }, 'new-link');
  await step('card-reading', { ...noLink, progress: { at: 'reading' } }, 'progress');
  await step('card-pin-wrong', { ...noLink, progress: { at: 'pin', ...says('pin_wrong', { tries_left: 2 }) } }, 'progress');
  await step('card-none', { ...noLink, progress: { at: 'card', ...says('card_missing') } }, 'progress');
  mock.setEnrolment(null);
  mock.setEnrolment(cardStep(language));
  const nowhere = await computer();
  await nowhere.goto(at);
  await hook(nowhere, 'use-web-eid').click();
  await hook(nowhere, 'web-eid-failure').waitFor();
  await show(nowhere, 'enrol-web-eid-missing', 'page');
  await nowhere.context().close();
  const withExtension = await computer();
  const noNative = failure('web-eid:status', 'NATIVE_UNAVAILABLE', { extension: versions.extension });
  const answers = { 'web-eid:status': noNative, 'web-eid:authenticate': null };
  await installExtension(withExtension, ({ action }) => answers[action]);
  await withExtension.goto(at);
  await hook(withExtension, 'use-web-eid').click();
  await hook(withExtension, 'web-eid-failure').waitFor();
  await show(withExtension, 'enrol-web-eid-no-application', 'page');
  answers['web-eid:status'] = ready;
  await hook(withExtension, 'use-web-eid').click();
  await withExtension.locator('[data-test="web-eid"][data-at="card"]').waitFor();
  await show(withExtension, 'enrol-web-eid-card', 'page');
  const noAccount = { status: 404, body: says('web_eid_no_account') };
  mock.refuseOnce.set('POST /enrolment/web-eid', noAccount);
  answers['web-eid:authenticate'] = { action: 'web-eid:authenticate-success' };
  await withExtension.reload();
  await hook(withExtension, 'use-web-eid').click();
  await withExtension.locator('[data-outcome="web_eid_no_account"]').waitFor();
  await show(withExtension, 'enrol-web-eid-no-account', 'page');
  await withExtension.context().close();
  await step('review', reviewStep(), 'person');
  await step('review-moves', { ...reviewStep(), moves: true }, 'moves');
  await step('sign', signStep(), 'reader-link');
  await step('phone', phoneStep(mock.phoneUrl, 'aB3+kR7?'), 'token');
  await step('token-old', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), token_expires_at: now() - 5 }, 'new-token');
  await step('phone-moves', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), moves: true }, 'moves');
  await step('phone-web-eid', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), moves: true, web_eid: true }, 'moves');
  await step('phone-takes-number', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), takes_number: true }, 'takes-number');
  const smsLost = { outcome: says('sms_not_delivered', { way_out: 'new_sms' }) };
  await step('sms-not-delivered', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), ...smsLost }, 'failure');
  const usedUp = { token_tries_left: 0, outcome: says('tries_used_up', { open_at: now() + 900 }) };
  await step('token-used-up', { ...phoneStep(mock.phoneUrl, 'aB3+kR7?'), ...usedUp }, 'open-at');
  await step('done', doneStep('Chrome – Android'), 'done');
  await hook(page, 'undo').click();
  await hook(page, 'undo-yes').waitFor();
  await show(page, 'enrol-undo', 'page');
  await step('done-moved', { ...doneStep('Chrome – Android'), moves: true }, 'done');
  await step('ended', { step: 'ended', outcome: says('enrolment_undone') }, 'start-again');
  const elsewhere = says('moved_meanwhile', { way_out: 'continue_there' });
  await step('moved-meanwhile', { step: 'ended', outcome: elsewhere }, 'start-again');
  mock.setEnrolment(null);

  await page.route('**/enrolment', (route) => route.abort(), { times: 1 });
  await page.goto(at);
  await hook(page, 'retry').waitFor();
  await show(page, 'enrol-unreachable', 'page');
}

// ---- the app: linking, home, settings ------------------------------------------------------------------------------------------

async function toToken(phone, mock) {
  await phone.goto(`${mock.phoneUrl}/app/`);
  await hook(phone, 'link-phone').click();
  await phone.fill('#number', '0470 12 34 56');
  await hook(phone, 'next').click();
  await phone.locator('#token').waitFor();
}

async function toCode(phone, mock) {
  await toToken(phone, mock);
  await phone.fill('#token', mock.token);
  await hook(phone, 'next').click();
  await phone.fill('#sms', mock.smsCode);
  await hook(phone, 'next').click();
  await hook(phone, 'keypad').waitFor();
}

/** A phone with a fingerprint, bound to an account of the mock. */
async function linked({ mock, newPhone }) {
  Object.assign(mock, { account: 'active', actions: [], codeTries: 3, mutes: [], passkey: null });
  const phone = await newPhone();
  await addFingerprint(phone);
  await toCode(phone, mock);
  await typeCode(phone, code);
  await typeCode(phone, code);
  await hook(phone, 'fingerprint-later').click();
  await hook(phone, 'to-home').click();
  await hook(phone, 'nothing').waitFor();
  await phone.locator('[data-test="push"]:not([data-state="looking"])').waitFor();
  return phone;
}

/** An app whose browser differs in what `script` does before all else. */
async function changed({ mock, newPhone }, script) {
  const phone = await newPhone();
  await phone.addInitScript(script);
  await phone.goto(`${mock.phoneUrl}/app/`);
  return phone;
}

async function app(walker) {
  const { mock, says, newPhone } = walker;
  const show = (page, name) => walker.show(page, `app-${name}`, 'app');
  const refuse = (path, status, body) => mock.refuseOnce.set(`POST ${path}`, { status, body });

  const first = await newPhone();
  await first.goto(`${mock.phoneUrl}/app/`);
  await hook(first, 'link-phone').waitFor();
  await show(first, 'welcome');
  await first.evaluate(() => window.dispatchEvent(new Event('beforeinstallprompt')));
  await hook(first, 'install').waitFor();
  await show(first, 'install');
  await first.evaluate(() => navigator.serviceWorker.ready);
  await first.reload();
  await hook(first, 'link-phone').waitFor();
  mock.workerVersion += 'x';
  await first.reload();
  await hook(first, 'update').waitFor();
  await show(first, 'update');

  const apple = await changed(walker, () => Object.defineProperty(Navigator.prototype, 'standalone', { value: false }));
  await hook(apple, 'install-first').waitFor();
  await show(apple, 'install-first');
  const full = await changed(walker, () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await full.locator('[role="alert"]').waitFor();
  await show(full, 'no-storage');
  const stranger = await newPhone();
  await stranger.goto(`${mock.phoneUrl}/app/#qr=AAAAAAAAAAAAAAAAAAAAAA.1.AAAAAAAAAAAAAAAAAAAAAA`);
  await hook(stranger, 'link-phone').waitFor();
  await show(stranger, 'not-linked-here');

  const phone = await newPhone();
  const finger = await addFingerprint(phone);
  await phone.goto(`${mock.phoneUrl}/app/`);
  await hook(phone, 'link-phone').click();
  await phone.locator('#number').waitFor();
  await show(phone, 'number');
  await hook(phone, 'next').click();
  await hook(phone, 'error-number').waitFor();
  await show(phone, 'number-missing');
  await phone.fill('#number', '0470 12 34 56');
  await hook(phone, 'next').click();
  await phone.locator('#token').waitFor();
  await show(phone, 'token');
  await phone.fill('#token', 'wrong');
  await hook(phone, 'next').click();
  await hook(phone, 'tries-left').waitFor();
  await show(phone, 'token-wrong');
  await phone.fill('#token', mock.token);
  await hook(phone, 'next').click();
  await phone.locator('#sms').waitFor();
  await show(phone, 'sms');
  await phone.fill('#sms', '000000');
  await hook(phone, 'next').click();
  await hook(phone, 'tries-left').waitFor();
  await show(phone, 'sms-wrong');
  mock.smsFailure = says('sms_not_delivered', { way_out: 'new_sms' });
  await phone.reload();
  await hook(phone, 'failure').waitFor();
  await show(phone, 'sms-not-delivered');
  mock.smsFailure = null;
  refuse('/d/enrol/sms', 429, says('tries_used_up', { open_at: now() + 1200 }));
  await phone.fill('#sms', '000001');
  await hook(phone, 'next').click();
  await hook(phone, 'open-at').waitFor();
  await show(phone, 'sms-used-up');
  await phone.fill('#sms', mock.smsCode);
  await hook(phone, 'next').click();
  await hook(phone, 'keypad').waitFor();
  await show(phone, 'code');
  mock.takesNumber = true;
  await phone.reload();
  await hook(phone, 'takes-number').waitFor();
  await show(phone, 'code-takes-number');
  mock.takesNumber = false;
  await phone.reload();
  await hook(phone, 'takes-number').waitFor({ state: 'detached' });
  await typeCode(phone, '11111');
  await hook(phone, 'code-error').waitFor();
  await show(phone, 'code-refused');
  await typeCode(phone, code);
  await hook(phone, 'code-error').waitFor({ state: 'detached' });
  await show(phone, 'code-again');
  await typeCode(phone, code);
  await hook(phone, 'fingerprint-on').waitFor();
  await show(phone, 'fingerprint-offer');
  await finger.knows(false);
  await hook(phone, 'fingerprint-on').click();
  await hook(phone, 'fingerprint-declined').waitFor();
  await show(phone, 'fingerprint-declined');
  await phone.route('**/d/enrol/finish', (route) => route.abort());
  await hook(phone, 'fingerprint-later').click();
  await hook(phone, 'send-again').waitFor();
  await show(phone, 'link-unsent');
  await phone.unroute('**/d/enrol/finish');
  await hook(phone, 'send-again').click();
  await hook(phone, 'linked').waitFor();
  await show(phone, 'linked');

  const holder = await linked(walker);
  const settings = () => hook(holder, 'fingerprint-settings').click();
  const home = () => hook(holder, 'to-home').click();
  await show(holder, 'home');
  await settings();
  await hook(holder, 'fingerprint-on').waitFor();
  await show(holder, 'fingerprint-settings');
  await hook(holder, 'fingerprint-on').click();
  await hook(holder, 'keypad').waitFor();
  await show(holder, 'fingerprint-code');
  await typeCode(holder, '48213');
  await hook(holder, 'tries-left').waitFor();
  await show(holder, 'fingerprint-code-wrong');
  await holder.route('**/d/passkey/on', (route) => route.abort(), { times: 1 });
  await typeCode(holder, code);
  await hook(holder, 'send-again').waitFor();
  await show(holder, 'fingerprint-unsent');
  await hook(holder, 'send-again').click();
  await holder.locator('[data-test="fingerprint"][data-state="on"]').waitFor();
  await show(holder, 'fingerprint-on');
  await hook(holder, 'fingerprint-off').click();
  await holder.locator('[data-test="fingerprint"][data-state="off"]').waitFor();
  await show(holder, 'fingerprint-off');
  await home();
  await holder.route('**/d/passkey/challenge', (route) => route.abort(), { times: 1 });
  await settings();
  await hook(holder, 'retry').waitFor();
  await show(holder, 'fingerprint-failed');
  await hook(holder, 'back').click();

  await holder.goto(`${mock.phoneUrl}/app/#token=${encodeURIComponent(mock.token)}`);
  await hook(holder, 'nothing').waitFor();
  await show(holder, 'already-linked');
  await notificationStates(walker, holder, show);

  mock.history = everyEvent();
  await hook(holder, 'to-history').click();
  await hook(holder, 'history-proven').waitFor();
  await show(holder, 'history-of-all-kinds');
  await home();
  await hook(holder, 'forgot').locator('summary').click();
  await hook(holder, 'forgot').getByRole('button').waitFor();
  await show(holder, 'forgot-code');
  mock.phoneNumber = '';
  await holder.reload();
  await hook(holder, 'phone-number').filter({ hasNotText: /\d/ }).waitFor();
  await show(holder, 'number-lost');
  mock.phoneNumber = '+32470123456';

  await holder.evaluate(() => navigator.serviceWorker.ready);
  await holder.goto(`${mock.phoneUrl}/app/`);
  await hook(holder, 'nothing').waitFor();
  await holder.context().setOffline(true);
  await holder.reload();
  await hook(holder, 'offline').waitFor();
  await show(holder, 'offline');
  await holder.context().setOffline(false);
  await hook(holder, 'nothing').waitFor();
  mock.account = 'blocked';
  await holder.reload();
  await hook(holder, 'blocked').waitFor();
  await show(holder, 'home-blocked');
  mock.refuseOnce.set('GET /d/me', { status: 401, body: says('device_suspended') });
  await holder.reload();
  await hook(holder, 'suspended').waitFor();
  await show(holder, 'suspended');
  mock.refuseOnce.set('GET /d/me', { status: 401, body: says('account_deactivated') });
  await holder.reload();
  await hook(holder, 'failure').waitFor();
  await show(holder, 'deactivated');
  mock.unbind('device_unbound');
  await holder.reload();
  await hook(holder, 'link-again').waitFor();
  await show(holder, 'unlinked');
}

/** One of each kind, an hour apart, as the real server words them. */
function everyEvent() {
  const partner = { name: { fr: 'Banque Démo', nl: 'Demobank', de: 'Demobank', en: 'Demo Bank' }, domain: 'bank.example' };
  const login = { partner, browser: 'Firefox – Windows' };
  const kinds = [
    ['enrolled', { name: 'Chrome – Android' }], ['moved', { name: 'Chrome – Android' }],
    ['approved', { ...login, claims: ['name', 'birthdate', 'email'] }], ['approved', { ...login, claims: [] }],
    ['confirmed', { ...login, claims: ['name'] }], ['expired', login], ['cancelled', login], ['ended', login],
    ['refused', login], ['refused', { ...login, reason: 'not_me' }], ['symbol_wrong', login], ['code_wrong', login],
    ['consent_withdrawn', { partner }], ['passkey_on', {}], ['passkey_off', {}], ['passkey_clone_suspected', login],
    ['blocked', login], ['clone_suspected', {}], ['number_lost', {}], ['bank_spoke', {}], ['deactivated', {}],
  ];
  return kinds.map(([kind, detail], i) => ({ kind, detail, at: now() - 3600 * (kinds.length - i) }));
}

/** Each state of the switch. No push service is reached from here: the browser's side is played. */
async function notificationStates({ mock, newPhone }, holder, show) {
  const state = (page, name) => page.locator(`[data-test="push"][data-state="${name}"]`);
  const keep = (push) =>
    holder.evaluate(
      (push) =>
        new Promise((done) => {
          indexedDB.open('symbolon', 1).onsuccess = ({ target }) => {
            const change = target.result.transaction('phone', 'readwrite');
            change.objectStore('phone').put(push, 'push');
            change.oncomplete = () => (target.result.close(), done());
          };
        }),
      push,
    );
  await holder.addInitScript(() => {
    const said = () => sessionStorage.getItem('permission') ?? 'default';
    Object.defineProperty(Notification, 'permission', { get: said });
    const subscription = (endpoint) => ({
      endpoint,
      options: { userVisibleOnly: true },
      getKey: (name) => new Uint8Array(name === 'auth' ? 16 : 65).fill(4).buffer,
      unsubscribe: async () => true,
    });
    PushManager.prototype.getSubscription = async () => null;
    PushManager.prototype.subscribe = async () => {
      if (sessionStorage.getItem('broken')) throw new DOMException('no push service', 'AbortError');
      return subscription('https://push.example/p/1');
    };
  });
  const load = async (permission, broken = '') => {
    await holder.evaluate(([permission, broken]) => Object.assign(sessionStorage, { permission, broken }), [permission, broken]);
    await holder.goto(`${mock.phoneUrl}/app/`);
  };
  await keep({ approved: true });
  await load('default');
  await hook(holder, 'push-ask').waitFor();
  await show(holder, 'push-ask');
  await load('denied');
  await state(holder, 'denied').waitFor();
  await show(holder, 'push-denied');
  await keep({ approved: true, wanted: true });
  await load('granted', 'broken');
  await state(holder, 'broken').waitFor();
  await show(holder, 'push-broken');
  await load('granted');
  await state(holder, 'on').waitFor();
  await show(holder, 'push-on');
  await keep({ approved: true, wanted: false });
}

// ---- the app: through a bank ---------------------------------------------------------------------------------------------------

async function bank(walker) {
  const { mock, says, newPhone } = walker;
  const show = (page, name) => walker.show(page, `bank-${name}`, 'app');
  const banks = mock.banks;
  const usual = () => Object.assign(mock, { banks, bankOutcome: null, moves: false, account: 'active', actions: [], passkey: null });
  const day = 24 * 3600;
  usual();

  const phone = await newPhone();
  await addFingerprint(phone);
  const at = (name) => hook(phone, name).waitFor();
  mock.banks = [];
  await phone.goto(`${mock.phoneUrl}/app/`);
  await at('link-phone');
  await show(phone, 'none-here');
  mock.banks = banks;
  await phone.reload();
  await hook(phone, 'link-bank').click();
  await phone.locator('#number').waitFor();
  await show(phone, 'number');
  await phone.fill('#number', '02 123 45 67');
  await hook(phone, 'next').click();
  await at('error-number');
  await show(phone, 'number-refused');
  await phone.fill('#number', '0470 12 34 56');
  await hook(phone, 'next').click();
  await at('banks');
  await phone.route('**/d/banks', (route) => route.abort(), { times: 1 });
  await phone.reload();
  await at('retry');
  await show(phone, 'unread');
  mock.banks = banks.map((each) => (each.id === 'cbc' ? { ...each, down_until: now() + 120 } : each));
  await hook(phone, 'retry').click();
  await at('banks');
  await show(phone, 'choice');
  await hook(phone, 'bank-fintro').click();
  await at('to-bank');
  await show(phone, 'before');
  await hook(phone, 'other-bank').click();
  await hook(phone, 'bank-belfius').click();
  await at('app-first');
  await show(phone, 'before-with-its-app');
  const go = async () => {
    await hook(phone, 'to-bank').click();
    await phone.locator('#identify').waitFor();
  };
  await go();
  await phone.goto(`${mock.phoneUrl}/app/`);
  await at('at-bank');
  await show(phone, 'half-way');
  await phone.route('**/d/enrol/state', (route) => route.abort(), { times: 1 });
  await phone.reload();
  await at('retry');
  await show(phone, 'unreachable');
  await hook(phone, 'retry').click();
  await at('at-bank');
  await go();
  await phone.click('#cancel');
  await phone.locator('[data-outcome="bank_cancelled"]').waitFor();
  await show(phone, 'cancelled');

  const ends = async (name, outcome, more = {}) => {
    mock.bankOutcome = says(outcome, more);
    await hook(phone, 'bank-kbc').click();
    await go();
    await phone.click('#identify');
    await phone.locator(`[data-outcome="${outcome}"]`).waitFor();
    await at('banks');
    await show(phone, name);
  };
  await ends('data-outdated', 'bank_data_outdated', { fields: ['card_read_on since 2026-05-01', 'document_valid_until since 2026-08-31', 'address'] });
  await ends('too-young', 'too_young', { open_at: now() + 400 * day });
  await ends('phone-number-differs', 'bank_phone_number_differs');
  await ends('new-number-needs-card', 'new_number_needs_card');
  await ends('other-source', 'other_source_than_enrolled');
  await ends('assurance-too-low', 'bank_assurance_too_low');
  await ends('not-for-minors', 'bank_not_for_minors');
  usual();

  // Back in another browser.
  mock.moves = true;
  await hook(phone, 'bank-ing').click();
  await hook(phone, 'to-bank').click();
  await phone.locator('#identify').waitFor();
  const elsewhere = await newPhone();
  await elsewhere.goto(await phone.locator('#identify').getAttribute('href'));
  await elsewhere.locator('#landing-code').waitFor();
  await phone.goto(`${mock.phoneUrl}/app/`);
  await phone.locator('#landing').waitFor();
  await show(phone, 'landed');
  await hook(phone, 'next').click();
  await at('error-landing');
  await show(phone, 'landed-missing');
  await phone.fill('#landing', '000000');
  await hook(phone, 'next').click();
  await at('tries-left');
  await show(phone, 'landed-wrong');
  for (const left of [1, 0]) {
    await phone.fill('#landing', '000000');
    await hook(phone, 'next').click();
    await hook(phone, left ? 'tries-left' : 'banks').filter(left ? { hasText: '1' } : {}).waitFor();
  }
  await phone.locator('[data-outcome="tries_used_up"]').waitFor();
  await show(phone, 'landed-used-up');

  await hook(phone, 'bank-ing').click();
  await go();
  await phone.click('#identify');
  await phone.locator('#sms').waitFor();
  await at('moves');
  await show(phone, 'sms');
  await phone.fill('#sms', mock.smsCode);
  await hook(phone, 'next').click();
  await at('keypad');
  await show(phone, 'code');
  await typeCode(phone, code);
  await typeCode(phone, code);
  await hook(phone, 'fingerprint-later').click();
  await at('linked');
  await show(phone, 'linked');
  mock.account = 'blocked';
  await hook(phone, 'to-home').click();
  await at('blocked-by');
  await show(phone, 'blocked');
  usual();
}

// ---- the app: a request ----------------------------------------------------------------------------------------------------------

async function requests(walker) {
  const { mock, says } = walker;
  const show = (page, name) => walker.show(page, `request-${name}`, 'app');
  const phone = await linked(walker);
  const home = () => hook(phone, 'to-home').click();
  const result = (kind) => phone.locator(`[data-test="result"][data-result="${kind}"]`);
  const begin = async (part) => {
    const action = mock.addAction(part);
    await hook(phone, 'open-action').first().click();
    await hook(phone, 'partner').waitFor();
    return action;
  };
  const toCodeScreen = async (part) => {
    const action = await begin(part);
    await hook(phone, 'approve').click();
    await hook(phone, `symbol-${action.right}`).click();
    return action;
  };

  mock.addAction();
  await hook(phone, 'open-action').waitFor();
  await show(phone, 'waits');
  mock.addAction({ muted: true });
  mock.addAction();
  mock.mutes = [{ domain: 'bank.example', at: now() - 300, until: now() + 3300 }];
  await phone.reload();
  await hook(phone, 'muted').waitFor();
  await show(phone, 'waits-beside-muted-ones');
  mock.mutes = [];
  mock.actions = [];
  mock.tellPhones();
  await hook(phone, 'nothing').waitFor();

  mock.addAction();
  await phone.route('**/show', (route) => route.abort(), { times: 1 });
  await hook(phone, 'open-action').click();
  await hook(phone, 'retry').waitFor();
  await show(phone, 'unread');
  await hook(phone, 'retry').click();
  await hook(phone, 'partner').waitFor();
  await show(phone, 'review');
  await hook(phone, 'approve').click();
  await hook(phone, 'symbol-boat').waitFor();
  await show(phone, 'symbols');
  await hook(phone, 'symbol-none').click();
  await hook(phone, 'not-me').waitFor();
  await show(phone, 'refuse-no-symbol');
  await hook(phone, 'back').click();
  await hook(phone, 'symbol-boat').click();
  await hook(phone, 'keypad').waitFor();
  await show(phone, 'code');
  await typeCode(phone, '11122');
  await hook(phone, 'tries-left').waitFor();
  await show(phone, 'code-wrong');
  await phone.route('**/answer', (route) => route.abort(), { times: 1 });
  await typeCode(phone, code);
  await hook(phone, 'unsent').waitFor();
  await show(phone, 'unsent');
  await hook(phone, 'send-again').click();
  await result('approved').waitFor();
  await show(phone, 'approved');
  await home();

  const given = [
    { name: 'name', required: true, before: 'shared' },
    { name: 'address', required: false, before: 'shared' },
    { name: 'email', required: false, before: 'kept_back' },
  ];
  await begin({ claims: given });
  await show(phone, 'review-agreed-before');
  await hook(phone, 'change-consent').click();
  await hook(phone, 'claim-email').waitFor();
  await show(phone, 'review-change');
  await hook(phone, 'refuse').click();
  await hook(phone, 'not-me').waitFor();
  await show(phone, 'refuse');
  await hook(phone, 'not-me').click();
  await result('refused').waitFor();
  await show(phone, 'refused-not-me');
  await home();
  await begin({ claims: [...given, { name: 'national_number', required: true }] });
  await show(phone, 'review-more');
  await hook(phone, 'refuse').click();
  await hook(phone, 'changed-mind').click();
  await result('refused').waitFor();
  await show(phone, 'refused');
  await home();
  const long = { fr: 'Fédération des mutualités et caisses d’assurances de la Région de Bruxelles-Capitale' };
  await begin({ claims: [], tx: { partner: { name: long, domain: 'inschrijvingen.verzekeringen-en-mutualiteiten.example' } } });
  await show(phone, 'review-long-name-no-data');
  mock.actions = [];
  mock.tellPhones();
  await result('ended').waitFor();
  await show(phone, 'ended');
  await home();

  await toCodeScreen({ tx: { needs_passkey: true } });
  await hook(phone, 'needs-fingerprint').waitFor();
  await show(phone, 'needs-fingerprint');
  mock.actions = [];
  mock.tellPhones();
  await result('ended').waitFor();
  await home();
  await hook(phone, 'fingerprint-settings').click();
  await hook(phone, 'fingerprint-on').click();
  await typeCode(phone, code);
  await hook(phone, 'fingerprint-off').waitFor();
  await home();
  await toCodeScreen();
  await hook(phone, 'use-fingerprint').waitFor();
  await show(phone, 'fingerprint-or-code');
  mock.actions = [];
  mock.tellPhones();
  await result('ended').waitFor();
  await home();

  await begin();
  await hook(phone, 'approve').click();
  await hook(phone, 'symbol-pizza').click();
  await typeCode(phone, code);
  await result('symbol_wrong').waitFor();
  await show(phone, 'symbol-wrong');
  await home();
  mock.addAction({ tx: { verb: 'pay' } });
  await hook(phone, 'open-action').click();
  await result('not_shown').waitFor();
  await show(phone, 'unknown-kind');
  await home();
  mock.actions = [];
  const old = mock.addAction();
  await hook(phone, 'open-action').waitFor();
  mock.refuseOnce.set(`POST /d/actions/${old.id}/show`, { status: 410, body: says('action_expired') });
  await hook(phone, 'open-action').click();
  await result('expired').waitFor();
  await show(phone, 'expired');
  mock.actions = [];
  await home();
  mock.codeTries = 1;
  await toCodeScreen();
  await typeCode(phone, '11124');
  await result('blocked').waitFor();
  await show(phone, 'blocked');
}

// ---- signing in, with the real server --------------------------------------------------------------------------------------------

async function signIn(walker) {
  const { stack, hasty, phone, language, show: picture, computer } = walker;
  const page = (it, name) => picture(it, `sign-in-${name}`, 'page');
  const onPhone = (it, name) => picture(it, `app-${name}`, 'app');
  const home = async () => {
    await phone.goto(`${stack.phoneUrl}/app/`);
    await hook(phone, 'scan').waitFor();
  };
  const atTheSignIn = async (options, { partner } = stack) => {
    const shop = await computer(options);
    await goToSignIn(shop, { partnerUrl: partner.url });
    return shop;
  };
  const approve = async (symbol) => {
    await hook(phone, 'partner').waitFor();
    await hook(phone, 'approve').click();
    if (symbol) await hook(phone, `symbol-${symbol}`).click();
    await typeCode(phone, code);
  };
  const refuse = async () => {
    await hook(phone, 'refuse').click();
    await hook(phone, 'changed-mind').click();
    await phone.locator('[data-test="result"][data-result="refused"]').waitFor();
    await home();
  };
  await phone.setExtraHTTPHeaders({ 'Accept-Language': locales[language] });
  await home();
  await phone.click(`header a[hreflang="${language}"]`);
  await phone.locator(`html[lang="${language}"]`).waitFor({ state: 'attached' });

  await hook(phone, 'to-consents').click();
  await phone.locator('[data-test="consents"][data-count="0"]').waitFor();
  await onPhone(phone, 'consents-none');
  await home();

  // Too late. The page says so by itself; what else there is to see goes on meanwhile.
  const late = await atTheSignIn({}, hasty);
  const unanswered = await atTheSignIn({}, hasty);
  await unanswered.fill('input[name="identifier"]', number);
  await unanswered.click('button[name="continue"]');

  // By QR code, and what can be amiss with it.
  const shop = await atTheSignIn();
  const early = await shownQr(shop);
  await page(shop, 'form');
  await shop.fill('input[name="identifier"]', '12');
  await shop.click('button[name="continue"]');
  await shop.locator('#error').waitFor();
  await page(shop, 'number-wrong');
  stack.server.kill('SIGSTOP');
  await shop.locator('#qr-lost').waitFor();
  await page(shop, 'qr-lost');
  stack.server.kill('SIGCONT');

  const plain = await atTheSignIn({ javaScriptEnabled: false });
  await page(plain, 'form-without-script');
  await plain.click('#code-typed');
  await plain.locator('#other-ways').waitFor();
  // It loads itself again every few seconds, but not while it is looked at: an answer without content leaves the page as it is.
  await plain.route('**/*', (route) => route.fulfill({ status: 204 }));
  await plain.locator('#other-ways').waitFor();
  await page(plain, 'code-without-script');

  await scannerStates(walker, early, onPhone);
  // A slow computer may be too late for the code that it just saw.
  do {
    await home();
    await phone.goto(await shownQr(shop));
    await hook(phone, 'partner').or(hook(phone, 'failure')).waitFor();
  } while ((await hook(phone, 'partner').count()) === 0);
  await shop.locator('#waiting').waitFor();
  await page(shop, 'scanned');
  await refuse();
  await shop.locator('#ended').waitFor();
  await page(shop, 'refused');

  // By number.
  const byNumber = await computer();
  await byNumber.clock.install();
  const symbol = await startLogin(byNumber, { partnerUrl: stack.partner.url, number });
  await page(byNumber, 'waiting');
  await byNumber.clock.fastForward(8500);
  await byNumber.locator('#hint').waitFor();
  await page(byNumber, 'waiting-hint');
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await byNumber.locator('#waiting').getByText(await byNumber.locator('#status').getAttribute('data-shown')).waitFor();
  await page(byNumber, 'shown');
  await phone.locator(`[data-test^="symbol-"]:not([data-test="symbol-${symbol}"]):not([data-test="symbol-none"])`).first().click();
  await typeCode(phone, code);
  await phone.locator('[data-test="result"][data-result="symbol_wrong"]').waitFor();
  await home();
  await byNumber.locator('#ended').waitFor();
  await page(byNumber, 'symbol-wrong');
  await byNumber.goto(`${stack.partner.url}/`);
  await byNumber.click('#login');
  await byNumber.locator('#entry[data-first="number"]').waitFor();
  await page(byNumber, 'form-number-first');

  // By the short code, approved for the first time.
  const byCode = await atTheSignIn();
  await hook(phone, 'type-code').click();
  await phone.locator('#short-code').waitFor();
  await onPhone(phone, 'type');
  await hook(phone, 'next').click();
  await hook(phone, 'error-short-code').waitFor();
  await onPhone(phone, 'type-missing');
  await phone.fill('#short-code', 'AAAA-BBBB');
  await hook(phone, 'next').click();
  await hook(phone, 'failure').waitFor();
  await onPhone(phone, 'type-wrong');
  await phone.fill('#short-code', await byCode.locator('#short-code').getAttribute('data-code'));
  await hook(phone, 'next').click();
  await hook(phone, 'partner').waitFor();
  await byCode.locator('#waiting').waitFor();
  await page(byCode, 'by-code');
  await byCode.route('**/continue**', (route) => route.fulfill({ status: 204 }));
  const leaving = byCode.url().replace(/\?.*$/, '');
  await approve(await shownSymbol(byCode));
  await phone.locator('[data-test="result"][data-result="approved"]').waitFor();
  await home();
  const without = await computer({ javaScriptEnabled: false, storageState: await byCode.context().storageState() });
  await without.route('**/continue**', (route) => route.fulfill({ status: 204 }));
  await without.goto(leaving);
  await without.locator('#leaving').waitFor();
  await page(without, 'leaving');
  await byCode.unroute('**/continue**');
  await byCode.goto(`${leaving}/continue`);
  await byCode.locator('#name').waitFor();
  await byCode.goto(leaving);
  await byCode.locator('#error').waitFor();
  await page(byCode, 'finished');
  await byCode.goto(`${stack.idUrl}/sign-in/AAAAAAAAAAAAAAAAAAAAAA?lang=${language}`);
  await byCode.locator('#error').waitFor();
  await page(byCode, 'unknown');

  // By link, with a return to another browser.
  const byLink = await atTheSignIn();
  await phone.goto(await byLink.locator('#open-app').getAttribute('href'));
  await hook(phone, 'partner').waitFor();
  await byLink.locator('#waiting').waitFor();
  await page(byLink, 'link');
  await approve();
  await hook(phone, 'return').waitFor();
  await onPhone(phone, 'returning');
  await byLink.locator('#waiting[data-at="returning"]').waitFor();
  await page(byLink, 'returning');
  await hook(phone, 'match').click();
  await hook(phone, 'match-warning').waitFor();
  await onPhone(phone, 'matching');
  await home();
  await hook(phone, 'open-action').first().click();
  // The page for another browser goes by the language that this browser asks for, which was fixed when it was opened.
  const returning = /\/return/;
  const inLanguage = (route) => route.continue({ headers: { ...route.request().headers(), 'accept-language': locales[language] } });
  await phone.route(returning, inLanguage);
  await hook(phone, 'return').click();
  await phone.locator(`html[lang="${language}"] #return[data-elsewhere]`).waitFor();
  await phone.unroute(returning, inLanguage);
  await page(phone, 'elsewhere');
  await home();
  await hook(phone, 'open-action').first().click();
  await hook(phone, `symbol-${await shownSymbol(byLink)}`).click();
  await phone.locator('[data-test="result"][data-result="approved"]').waitFor();
  await byLink.locator('#name').waitFor();
  await home();

  await unanswered.locator('#error', { hasText: 'action_expired' }).waitFor();
  await page(unanswered, 'unanswered');
  await late.locator('#error', { hasText: 'sign_in_expired' }).waitFor();
  await page(late, 'expired');

  // What is kept of it.
  await hook(phone, 'to-history').click();
  await hook(phone, 'history-proven').waitFor();
  await onPhone(phone, 'history');
  await hook(phone, 'to-home').click();
  await phone.route('**/d/history', (route) => route.abort(), { times: 1 });
  await hook(phone, 'to-history').click();
  await hook(phone, 'retry').waitFor();
  await onPhone(phone, 'history-unreachable');
  await phone.route('**/d/history', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/"head": ?"[^"]{9}/, '$&x') });
  }, { times: 1 });
  await hook(phone, 'retry').click();
  await hook(phone, 'history-doubt').waitFor();
  await onPhone(phone, 'history-doubt');
  await home();
  await hook(phone, 'to-consents').click();
  await hook(phone, 'consent-of').waitFor();
  await onPhone(phone, 'consents');
  await hook(phone, 'withdraw').click();
  await hook(phone, 'withdraw-yes').waitFor();
  await onPhone(phone, 'consents-withdraw');
  await phone.route('**/d/consents/withdraw', (route) => route.abort(), { times: 1 });
  await hook(phone, 'withdraw-yes').click();
  await hook(phone, 'retry').waitFor();
  await onPhone(phone, 'consents-unreachable');
  await hook(phone, 'retry').click();
  await hook(phone, 'withdraw').click();
  await hook(phone, 'withdraw-yes').click();
  await phone.locator('[data-test="consents"][data-count="0"]').waitFor();
  await home();
}

/** The scanner with a camera that shows nothing, a foreign code and one that is too old; and without one. */
async function scannerStates({ stack, phone }, early, show) {
  const withCamera = async (camera, ...args) => {
    const page = await phone.context().newPage();
    page.setDefaultTimeout(30_000);
    await page.addInitScript(camera, ...args);
    await page.goto(`${stack.phoneUrl}/app/`);
    return page;
  };
  const seen = (rows) => {
    navigator.mediaDevices.getUserMedia = async () => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 480;
      const context = canvas.getContext('2d');
      const draw = () => {
        context.fillStyle = '#9a9a90';
        context.fillRect(0, 0, 480, 480);
        const size = 300 / Math.max(1, rows.length);
        context.fillStyle = '#fff';
        if (rows.length > 0) context.fillRect(80, 80, 320, 320);
        context.fillStyle = '#000';
        rows.forEach((row, y) => row.forEach((is, x) => is && context.fillRect(90 + x * size, 90 + y * size, size, size)));
        setTimeout(draw, 100);
      };
      draw();
      return canvas.captureStream(10);
    };
  };
  const dark = await withCamera(seen, []);
  await hook(dark, 'scan').click();
  await dark.locator('[data-test="scanner"][data-camera="on"]').waitFor();
  await show(dark, 'scan');
  await dark.close();
  const foreign = await withCamera(seen, encodeQR('https://shop.example/menu', 'raw', { border: 2 }));
  await hook(foreign, 'scan').click();
  await foreign.locator('main p[role="status"]').getByText(/\S/).filter({ hasText: 'Symbolon' }).waitFor();
  await show(foreign, 'scan-foreign');
  await foreign.close();
  const old = await withCamera(seen, []);
  await old.goto(early);
  await hook(old, 'failure').waitFor();
  await show(old, 'scan-too-old');
  await old.close();
  for (const [name, error] of [['denied', 'NotAllowedError'], ['missing', 'NotFoundError']]) {
    const none = await withCamera((error) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('no', error);
      };
    }, error);
    await hook(none, 'scan').click();
    await none.locator(`[data-test="no-camera"][data-camera="${name}"]`).waitFor();
    await show(none, `scan-${name}`);
    await none.close();
  }
}
