// Whole journeys in a real browser, with the real card stack, the real server and a client that we did not write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as journey from '../web/demo/journey.mjs';
import { e164, nextSms } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

const execute = promisify(execFile);
const numbers = { lotte: '0470 11 22 33', bruno: '0470 44 55 66', stranger: '0470 99 99 99' };

let stack;
const { computer, phone, tabOf, pages } = useStackAndBrowser(async (begun) => {
  ({ stack } = begun);
});
const { hook, typeCode } = journey;

// A1 to A4. The phone's storage lives in its context, so a login goes on with the same page.
async function enrol(persona, language) {
  await stack.desk.insert(persona);
  const pc = await computer();
  const mobile = await phone();
  const number = numbers[persona];
  const first = await journey.register(pc, { idUrl: stack.idUrl, number, language });
  const person = await journey.readAndSign(pc, { desk: stack.desk, first, language });
  const token = await journey.identificationToken(pc);
  await journey.linkPhone(mobile, { phoneUrl: stack.phoneUrl, number, token, sms: nextSms(stack, number) });
  return { pc, mobile, number, person };
}

for (const [persona, generation, language] of [['lotte', '1.8', 'nl'], ['bruno', '1.7', 'fr']]) {
  test(`A1_A2_A3_A4_D1_with_a_${generation.replace('.', '_')}_card_from_the_registration_page_to_the_partners_page_with_the_name_from_the_card`, async () => {
    const { pc, mobile, number, person } = await enrol(persona, language);
    await hook(pc, 'done').waitFor();

    const contract = await pc.evaluate(async () => {
      const answer = await fetch('/enrolment/contract.pdf');
      return [...new Uint8Array(await answer.arrayBuffer())];
    });
    const file = join(stack.folder, `${persona}.pdf`);
    await writeFile(file, Buffer.from(contract));
    const { stdout } = await execute('pdfsig', [file]).catch((error) => error); // it fails for roots that it does not know
    assert.match(stdout, /Signature is Valid/, 'any PDF reader verifies the contract');
    assert.match(stdout, /Total document signed/);

    const shop = await computer();
    const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
    const shown = await journey.approve(mobile, { symbol });
    assert.match(shown.partner, /De Linde/);
    await shop.locator('#name').waitFor();
    const name = await shop.locator('#name').innerText();
    assert.ok(person.includes(name), `the shop says "${name}", the card said "${person}"`);
  });
}

test('A3_reloading_or_closing_the_page_comes_back_to_the_same_step', async () => {
  await stack.desk.insert('nadia');
  const pc = await computer();
  const first = await journey.register(pc, { idUrl: stack.idUrl, number: '0471 00 00 01', language: 'de' });
  await pc.reload();
  assert.equal((await journey.readerStep(pc)).symbol, first.symbol);
  await journey.readAndSign(pc, { desk: stack.desk, first: await journey.readerStep(pc), language: 'de' });
  const token = await journey.identificationToken(pc);
  const again = await tabOf(pc);
  await pc.close();
  await again.goto(`${stack.idUrl}/de/enrol/`);
  assert.equal(await journey.identificationToken(again), token);
});

test('A3_A5_the_journey_goes_on_after_kill_9_of_the_server', async () => {
  await stack.desk.insert('amelie');
  const pc = await computer();
  const first = await journey.register(pc, { idUrl: stack.idUrl, number: '0471 00 00 02', language: 'en' });
  await journey.readAndSign(pc, { desk: stack.desk, first, language: 'en' });
  const token = await journey.identificationToken(pc);
  await stack.restartServer('SIGKILL');
  await pc.goto(`${stack.idUrl}/en/enrol/`);
  assert.equal(await journey.identificationToken(pc), token, 'what was acknowledged is there');
  pc.troubles.length = 0; // the page said that its stream broke
});

test('A7_a_wrong_pin_is_told_on_the_page_with_the_tries_left_and_the_right_one_goes_on', async () => {
  await stack.desk.insert('jurgen');
  const pc = await computer();
  const first = await journey.register(pc, { idUrl: stack.idUrl, number: '0471 00 00 03', language: 'fr' });
  const read = await stack.desk.run({ ...first, pin: '1234', language: 'fr' });
  assert.equal(read.code, 0, read.said);
  await hook(pc, 'sign').click();
  const wrong = await stack.desk.run({ ...(await journey.readerStep(pc)), pin: '9999', language: 'fr' });
  assert.notEqual(wrong.code, 0);
  await hook(pc, 'progress').locator('[data-test="tries-left"]').waitFor();
  assert.match(await hook(pc, 'tries-left').first().innerText(), /2/);
  await hook(pc, 'progress').locator('[data-test="new-link"]').click();
  await pc.locator(`[data-test="reader-link"]`).waitFor();
  const right = await stack.desk.run({ ...(await journey.readerStep(pc)), pin: '1234', language: 'fr' });
  assert.equal(right.code, 0, right.said);
  await journey.identificationToken(pc);
});

test('A7_cards_that_are_not_good_are_refused_each_by_its_own_outcome', async () => {
  for (const [persona, outcome] of [['revoked', 'certificate_revoked'], ['suspended', 'certificate_suspended'], ['cloned', 'card_not_genuine'],
    ['wrong-identity-signature', 'identity_signature_invalid'], ['swapped-address', 'address_signature_invalid'], ['responder-down', 'revocation_unreachable']]) {
    await stack.desk.insert(persona);
    const pc = await computer();
    const first = await journey.register(pc, { idUrl: stack.idUrl, number: '0471 00 00 04', language: 'en' });
    const read = await stack.desk.run({ ...first, pin: '1234', language: 'en' });
    assert.notEqual(read.code, 0, `${persona} is refused`);
    await pc.locator(`[data-outcome="${outcome}"]`).first().waitFor();
  }
});

test('D6_a_wrong_symbol_ends_the_action_and_D7_unknown_numbers_look_like_phones_that_do_not_answer', async () => {
  numbers.millennium = '0471 00 00 05';
  const { mobile, number } = await enrol('millennium', 'en');
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  const structure = () => shop.locator('main').evaluate((main) => main.innerHTML.replace(/\/sign-in\/[\w-]+/g, '').replace(/symbols\.svg#[\w-]+/g, '').replace(/\d+/g, '').length > 0
    && [...main.querySelectorAll('*')].map((e) => e.tagName + [...e.attributes].map((a) => a.name).join()).join());
  const known = await structure();

  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'approve').click();
  const other = mobile.locator(`[data-test^="symbol-"]:not([data-test="symbol-${symbol}"]):not([data-test="symbol-none"])`).first();
  await other.click();
  await typeCode(mobile, '38214');
  await mobile.locator('[data-test="result"]').waitFor();
  await shop.locator('code#error', { hasText: 'symbol_wrong' }).or(shop.locator('code#error', { hasText: 'access_denied' })).waitFor();

  const symbolOfNobody = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number: numbers.stranger });
  assert.ok(symbolOfNobody);
  assert.equal(await structure(), known, 'the page is built alike for a number that nobody has');
});

test('D6_three_wrong_codes_block_the_account_also_over_a_restart_of_server_and_vault', async () => {
  numbers['young-adult'] = '0471 00 00 06';
  const { mobile, number } = await enrol('young-adult', 'en');
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'approve').click();
  await hook(mobile, `symbol-${symbol}`).click();
  const type = (code) => typeCode(mobile, code);
  await type('90210');
  await mobile.locator('[data-outcome="code_wrong"]').waitFor();
  assert.match(await hook(mobile, 'tries-left').first().innerText(), /2/);
  await stack.restartVault('SIGKILL');
  await stack.restartServer('SIGKILL');
  await type('90211');
  await mobile.locator('[data-outcome="code_wrong"]').waitFor();
  await hook(mobile, 'tries-left').first().getByText(/1|one/i).waitFor();
  await type('90212');
  await mobile.locator('[data-outcome="code_blocked"], [data-outcome="account_blocked"], [data-test="blocked"]').first().waitFor();
  for (const page of pages) page.troubles.length = 0; // streams broke when the server was killed
});

// The holder's computer up to the identification token, for an account that is there already.
async function cardAgain(persona, number, language = 'en') {
  await stack.desk.insert(persona);
  const pc = await computer();
  const first = await journey.register(pc, { idUrl: stack.idUrl, number, language });
  const read = await stack.desk.run({ ...first, pin: '1234', language });
  assert.equal(read.code, 0, read.said);
  await hook(pc, 'moves').waitFor();
  await hook(pc, 'sign').click();
  const signed = await stack.desk.run({ ...(await journey.readerStep(pc)), pin: '1234', language });
  assert.equal(signed.code, 0, signed.said);
  return { pc, token: await journey.identificationToken(pc) };
}
async function link(mobile, number, token, code) {
  await journey.linkPhone(mobile, { phoneUrl: stack.phoneUrl, number, token, code, sms: nextSms(stack, number) });
}

test('A8_E1_the_same_card_again_moves_the_account_to_a_new_phone_and_the_old_one_is_told_at_once', async () => {
  numbers['longest-names'] = '0471 00 00 07';
  const { mobile: old, number } = await enrol('longest-names', 'en');
  const { pc, token } = await cardAgain('longest-names', number);
  const mobile = await phone();
  await link(mobile, number, token, '61937');
  await hook(pc, 'done').waitFor();
  await old.locator('[data-outcome="device_unbound"]').waitFor(); // by itself: its stream has ended
  await old.reload();
  await old.locator('[data-outcome="device_unbound"]').waitFor();
  await hook(old, 'link-again').waitFor();

  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(mobile, { symbol, code: '61937' });
  await shop.locator('#name').waitFor();
});

test('E3_a_new_phone_and_a_new_number_come_with_the_card_and_the_old_number_finds_nobody', async () => {
  numbers.foreigner = '0471 00 00 08';
  const { number: before } = await enrol('foreigner', 'en');
  const number = '0471 00 00 09';
  const { pc, token } = await cardAgain('foreigner', number);
  const seen = stack.outbox.messages.length;
  const mobile = await phone();
  await link(mobile, number, token, '61937');
  await hook(pc, 'done').waitFor();
  const { text } = await stack.outbox.next(e164(before), seen);
  assert.match(text, /^Symbolon: .*another/);
  assert.doesNotMatch(text, /https?:|\d/, 'no link, no code, no number');

  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(mobile, { symbol, code: '61937' });
  await shop.locator('#name').waitFor();
  await hook(mobile, 'to-home').click();
  await journey.startLogin(await computer(), { partnerUrl: stack.partner.url, number: before });
  await mobile.reload();
  await hook(mobile, 'nothing').waitFor();
});

test('E6_E7_a_blocked_account_and_a_forgotten_code_come_back_with_the_card_on_the_same_phone', async () => {
  numbers['single-name'] = '0471 00 00 10';
  const { mobile, number } = await enrol('single-name', 'en');
  const shop = await computer();
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'approve').click();
  await hook(mobile, `symbol-${symbol}`).click();
  for (const [at, code] of ['90210', '90211', '90212'].entries()) {
    await hook(mobile, 'keypad').waitFor();
    for (const digit of code) await hook(mobile, `key-${digit}`).click();
    await hook(mobile, 'confirm-code').click();
    await mobile.locator(`[data-outcome="${at < 2 ? 'code_wrong' : 'code_blocked'}"]`).waitFor();
    if (at < 2) await hook(mobile, 'tries-left').first().getByText(at === 0 ? /2/ : /1|one/i).waitFor();
  }
  await mobile.reload();
  await hook(mobile, 'blocked').waitFor();
  await hook(mobile, 'link-again').click();
  const { token } = await cardAgain('single-name', number);
  await link(mobile, number, token, '61937');
  const again = await journey.startLogin(await computer(), { partnerUrl: stack.partner.url, number });
  await journey.approve(mobile, { symbol: again, code: '61937' });
});

test('A3_A5_kill_9_of_server_and_vault_between_any_two_steps_and_the_journey_goes_on_where_it_was', async () => {
  const number = '0471 00 00 11';
  const kill = async () => {
    await stack.restartVault('SIGKILL');
    await stack.restartServer('SIGKILL');
  };
  await stack.desk.insert('bis-number');
  const pc = await computer();
  const first = await journey.register(pc, { idUrl: stack.idUrl, number, language: 'en' });
  await kill();
  const read = await stack.desk.run({ ...first, pin: '1234', language: 'en' });
  assert.equal(read.code, 0, `the link is good still: ${read.said}`);
  await kill();
  await pc.reload();
  await hook(pc, 'sign').click();
  const second = await journey.readerStep(pc);
  await kill();
  const signed = await stack.desk.run({ ...second, pin: '1234', language: 'en' });
  assert.equal(signed.code, 0, signed.said);
  await kill();
  await pc.reload();
  const token = await journey.identificationToken(pc);

  const mobile = await phone();
  const seen = stack.outbox.messages.length;
  await mobile.goto(`${stack.phoneUrl}/app/`);
  await hook(mobile, 'link-phone').click();
  await mobile.fill('#number', number);
  await hook(mobile, 'next').click();
  await mobile.fill('#token', token);
  await hook(mobile, 'next').click();
  await mobile.locator('#sms').waitFor();
  const { text } = await stack.outbox.next(e164(number), seen);
  await kill();
  await mobile.reload();
  await mobile.fill('#sms', /\b\d{6}\b/.exec(text)[0]);
  await hook(mobile, 'next').click();
  await hook(mobile, 'keypad').waitFor();
  await kill();
  await mobile.reload();
  for (let twice = 0; twice < 2; ++twice) {
    await hook(mobile, 'keypad').waitFor();
    for (const digit of '38214') await hook(mobile, `key-${digit}`).click();
    await hook(mobile, 'confirm-code').click();
  }
  await hook(mobile, 'linked').waitFor();
  await kill();
  await mobile.reload();
  await hook(mobile, 'nothing').waitFor();
  await pc.reload();
  await hook(pc, 'done').waitFor();
  assert.equal(stack.outbox.messages.length, seen + 1, 'one SMS, whatever fell over');
  for (const page of pages) page.troubles.length = 0; // streams broke when the server was killed
});
