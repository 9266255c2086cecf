// The fingerprint and copies of a phone, in a real browser with its virtual authenticator, against the real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as journey from '../web/demo/journey.mjs';
import { linkBrowser } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

let stack;
const own = useStackAndBrowser(async (begun) => {
  ({ stack } = begun);
});

const { hook, typeCode } = journey;
const english = { locale: 'en-GB' };
const computer = () => own.computer(english);
const newPhone = () => own.phone(english);

async function login(phone, number, code) {
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(phone, { symbol, code });
  return shop;
}
const approved = (phone) => phone.locator('[data-test="result"][data-result="approved"]').waitFor();
const home = (phone) => hook(phone, 'to-home').click();

test('A4_D1_a_fingerprint_turned_on_at_the_link_logs_in_and_survives_a_restart_of_the_app_and_the_server', async () => {
  const number = '0472 00 00 01';
  const phone = await newPhone();
  const finger = await journey.addFingerprint(phone);
  await linkBrowser(stack, phone, { persona: 'lotte', number, fingerprint: true });
  const shop = await login(phone, number, null);
  await approved(phone);
  await shop.locator('#name').waitFor();
  await home(phone);

  await stack.restartServer();
  phone.troubles.length = 0; // its stream broke
  const again = await phone.context().newPage();
  again.setDefaultTimeout(30_000);
  await finger.takeTo(again);
  await phone.close();
  await again.goto(`${stack.phoneUrl}/app/`);
  await again.locator('[data-test="fingerprint-state"][data-state="on"]').waitFor();
  await (await login(again, number, null)).locator('#name').waitFor();
});

test('D1_the_fingerprint_is_turned_on_and_off_in_the_app_and_the_code_takes_over_when_it_fails', async () => {
  const number = '0472 00 00 02';
  const phone = await newPhone();
  const finger = await journey.addFingerprint(phone);
  await linkBrowser(stack, phone, { persona: 'bruno', number, fingerprint: false });
  await hook(phone, 'fingerprint-settings').click();
  await hook(phone, 'fingerprint-on').click();
  await typeCode(phone, '90210');
  await phone.locator('[data-outcome="code_wrong"]').waitFor();
  await typeCode(phone, '38214');
  await phone.locator('[data-test="fingerprint"][data-state="on"]').waitFor();
  await home(phone);
  await login(phone, number, null);
  await approved(phone);
  await home(phone);

  await finger.knows(false);
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  await hook(phone, 'use-fingerprint').click();
  await hook(phone, 'fingerprint-declined').waitFor();
  await typeCode(phone, '38214');
  await approved(phone);
  await shop.locator('#name').waitFor();
  await home(phone);

  await hook(phone, 'fingerprint-settings').click();
  await hook(phone, 'fingerprint-off').click();
  await phone.locator('[data-test="fingerprint"][data-state="off"]').waitFor();
  await home(phone);
  await phone.locator('[data-test="fingerprint-state"][data-state="off"]').waitFor();
  await (await login(phone, number)).locator('#name').waitFor();
});

test('D6_the_fingerprint_does_not_help_after_three_wrong_codes', async () => {
  const number = '0472 00 00 03';
  const phone = await newPhone();
  await journey.addFingerprint(phone);
  await linkBrowser(stack, phone, { persona: 'young-adult', number, fingerprint: true });
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  for (const [code, outcome] of [['90210', 'code_wrong'], ['90211', 'code_wrong'], ['90212', 'code_blocked']]) {
    await typeCode(phone, code);
    if (outcome === 'code_wrong') await hook(phone, 'tries-left').first().getByText(code === '90210' ? /2/ : /1|one/i).waitFor();
    else await phone.locator(`[data-outcome="${outcome}"]`).waitFor();
  }
  await home(phone);
  await hook(phone, 'blocked').waitFor();
  assert.equal(await hook(phone, 'fingerprint-settings').count(), 0);
});

// A profile folder is all that a thief with the phone's storage has: keys that "can't be exported" are in it.
async function persistent(folder) {
  const context = await journey.launchPersistent(folder, english);
  own.atEndOfTest(() => context.close());
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30_000);
  return page;
}
async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'symbolon-profile-'));
  own.atEndOfTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('T7_two_copies_of_a_phones_storage_are_both_suspended_at_the_first_parallel_use_and_both_are_told', async () => {
  const number = '0472 00 00 04';
  const [own, stolen] = [await newFolder(), await newFolder()];
  const before = await persistent(own);
  await linkBrowser(stack, before, { persona: 'amelie', number });
  await before.context().close();
  await cp(own, stolen, { recursive: true });

  const holder = await persistent(own);
  await holder.goto(`${stack.phoneUrl}/app/`);
  for (let n = 0; n < 2; ++n) {
    await (await login(holder, number)).locator('#name').waitFor();
    await home(holder);
  }
  const thief = await persistent(stolen);
  await thief.goto(`${stack.phoneUrl}/app/`);
  await hook(thief, 'nothing').waitFor();
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(thief, 'open-action').first().click();
  await hook(thief, 'approve').click();
  await hook(thief, `symbol-${symbol}`).click();
  await typeCode(thief, '38214'); // the right code, which does not help
  await thief.locator('[data-outcome="device_clone_suspected"]').waitFor();
  await hook(thief, 'suspended').waitFor();
  await holder.locator('[data-outcome="device_suspended"]').waitFor(); // by itself: its stream has ended
  await hook(holder, 'suspended').waitFor();
  assert.equal(await shop.locator('#waiting').count(), 1, 'the page learns nothing: it waits, as for a phone that is off (D7)');

  await holder.reload();
  await hook(holder, 'suspended').waitFor();
  await hook(holder, 'link-again').click();
  await hook(holder, 'link-phone').waitFor();

  // The friendly way back, to its end: the same card again.
  await linkBrowser(stack, holder, { persona: 'amelie', number });
  await thief.reload();
  await thief.locator('[data-outcome="device_unbound"]').waitFor();
  await (await login(holder, number)).locator('#name').waitFor();
});

test('T7_a_phone_that_stops_before_it_keeps_the_new_ratchet_is_not_suspended', async () => {
  const number = '0472 00 00 05';
  const phone = await newPhone();
  await linkBrowser(stack, phone, { persona: 'nadia', number });
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  // The server has judged, its answer gets lost, and the app is closed before it can ask again.
  await phone.route('**/answer', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  await typeCode(phone, '38214');
  await hook(phone, 'unsent').waitFor();
  await shop.locator('#name').waitFor();
  await phone.unroute('**/answer');
  await phone.reload();
  for (let n = 0; n < 2; ++n) {
    await (await login(phone, number)).locator('#name').waitFor();
    await home(phone);
  }
});
