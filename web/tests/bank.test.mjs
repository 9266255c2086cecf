// Linking through a bank, in the app against the mock: B1 to B4, C1, C2, E1, E3, E5 to E7.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../demo/journey.mjs';
import { outcomeText } from '../dev/mock.ts';
import { accessible, calm, open, phone } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let browser, mock, page;

useMock({ lasts: 'test', page: phone }, (begun) => {
  ({ browser, mock, page } = begun);
});

const hook = (name) => page.locator(`[data-test="${name}"]`);
const outcome = (name) => page.locator(`[data-test="failure"][data-outcome="${name}"]`);
const app = (fragment = '') => page.goto(`${mock.phoneUrl}/app/${fragment}`);
const now = () => Math.floor(Date.now() / 1000);
const sent = (path) => mock.seen.filter((request) => request.path === path);
const says = (name, more) => ({ outcome: name, text: outcomeText('fr', name), way_out: 'choose_another', ...more });

const typeCode = (code) => journey.typeCode(page, code);

async function toBanks(number = '0470 12 34 56') {
  await app();
  await hook('link-bank').click();
  await page.fill('#number', number);
  await hook('next').click();
  await hook('banks').waitFor();
}

async function toBank(id = 'fintro') {
  await hook(`bank-${id}`).click();
  await hook('to-bank').click();
  await page.locator('#identify').waitFor();
}

async function visit(id, ends = null) {
  mock.bankOutcome = ends;
  await toBank(id);
  await page.click('#identify');
}

async function chooseCode() {
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await hook('keypad').waitFor();
  await typeCode('38214');
  await typeCode('38214');
  await hook('linked').waitFor();
}

/** The bank sends its answer to a browser that is not the one of the app. */
async function landElsewhere() {
  const address = await page.locator('#identify').getAttribute('href');
  const other = await open(browser);
  await other.goto(address);
  const digits = await other.locator('#landing-code').innerText();
  await other.context().close();
  return digits;
}

test('B1_a_phone_is_linked_through_a_bank_on_the_phone_alone', async () => {
  await app();
  await hook('link-bank').waitFor();
  await accessible(page, 'welcome');
  await hook('link-bank').click();
  await page.fill('#number', '0470 12 34 56');
  await hook('next').click();
  await hook('banks').waitFor();
  assert.deepEqual(
    await page.locator('[data-test^="bank-"] strong').allInnerTexts(),
    ['BNP Paribas Fortis', 'Hello bank!', 'Fintro', 'Belfius', 'KBC', 'CBC', 'ING'],
  );
  await accessible(page, 'banks');
  await hook('bank-fintro').click();
  await page.getByText('Vous quittez cette application pour la page de Fintro.').waitFor();
  assert.equal(sent('/d/enrol/bank/visit').length, 0, 'what will happen is told before');
  await accessible(page, 'before');
  await hook('to-bank').click();
  await page.click('#identify');
  await page.locator('#sms').waitFor();
  assert.equal(await hook('failure').count(), 0);
  await chooseCode();
  const [begun] = sent('/d/enrol/bank');
  assert.deepEqual(begun.body, { calling_code: '32', number: '0470 12 34 56', language: 'fr' });
  assert.equal(sent('/d/enrol/bank/visit')[0].body.bank, 'fintro');
  assert.equal(sent('/d/enrol/start').length, 0);
  assert.equal(mock.bound.name, 'Chrome sur Linux');
  await hook('to-home').click();
  await hook('nothing').waitFor();
  calm(page);
});

test('B1_the_whole_way_works_with_the_keyboard_alone', async () => {
  await app();
  const press = async (name, key = 'Enter') => {
    await hook(name).focus();
    await page.keyboard.press(key);
  };
  await press('link-bank');
  await page.focus('#number');
  await page.keyboard.type('0470 12 34 56');
  await page.keyboard.press('Enter');
  await hook('banks').waitFor();
  await press('bank-fintro', 'Space');
  await press('to-bank');
  await page.locator('#identify').press('Enter');
  await page.focus('#sms');
  await page.keyboard.type(mock.smsCode);
  await page.keyboard.press('Enter');
  await hook('keypad').waitFor();
});

test('a_number_that_is_none_is_told_beside_its_field_and_stays', async () => {
  await app();
  await hook('link-bank').click();
  await page.fill('#number', '02 123 45 67');
  await hook('next').click();
  await hook('error-number').getByText(outcomeText('fr', 'phone_number_invalid')).waitFor();
  assert.equal(await page.inputValue('#number'), '02 123 45 67');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'number');
  await page.fill('#number', '0470 12 34 56');
  assert.equal(await hook('error-number').count(), 0);
  await hook('next').click();
  await hook('banks').waitFor();
});

test('B2_the_banks_app_is_asked_for_before_the_journey_with_the_way_there', async () => {
  await toBanks();
  assert.match(await hook('bank-kbc').innerText(), /l’application de la banque/);
  assert.doesNotMatch(await hook('bank-fintro').innerText(), /application/);
  await hook('bank-kbc').click();
  await hook('app-first').getByText('KBC').first().waitFor();
  assert.equal(await hook('bank-app').getAttribute('href'), 'https://kbc.example/app');
  await accessible(page, 'before-with-its-app');
  assert.equal(sent('/d/enrol/bank/visit').length, 0);
  await hook('other-bank').click();
  await hook('bank-fintro').click();
  await hook('to-bank').waitFor();
  assert.equal(await hook('app-first').count(), 0);
});

test('an_address_that_is_a_script_is_neither_shown_nor_followed', async () => {
  mock.banks[4].app_url = 'javascript:alert(1)';
  await toBanks();
  await hook('bank-kbc').click();
  await hook('app-first').waitFor();
  assert.equal(await hook('bank-app').count(), 0);
  mock.refuseOnce.set('POST /d/enrol/bank/visit', { status: 200, body: { url: 'javascript:document.title="x"' } });
  await hook('to-bank').click();
  await outcome('unreachable').waitFor();
  assert.notEqual(await page.title(), 'x');
  calm(page);
});

test('B3_out_of_date_data_are_named_in_words_and_the_card_is_offered_with_the_number_kept', async () => {
  await toBanks();
  await visit('kbc', says('bank_data_outdated', { fields: ['card_read_on since 2026-05-01', 'address', 'shoe_size'] }));
  await outcome('bank_data_outdated').waitFor();
  const listed = await hook('fields').locator('li').allInnerTexts();
  assert.deepEqual(listed, ['la date à laquelle la banque a lu votre carte d’identité (depuis le 1er mai 2026)', 'votre adresse', 'd’autres données à votre sujet']);
  await accessible(page, 'data-outdated');
  await hook('link-phone').click();
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
  await hook('next').click();
  await page.fill('#token', mock.token);
  await hook('next').click();
  await page.locator('#sms').waitFor();
  assert.equal(sent('/d/enrol/start').length, 1);
});

test('B3_after_a_bank_the_qr_code_of_the_computers_page_goes_on_with_the_card', async () => {
  await toBanks();
  await visit('kbc', says('bank_data_outdated', { fields: ['address'] }));
  await outcome('bank_data_outdated').waitFor();
  await page.goto('about:blank');
  await app(`#token=${encodeURIComponent(mock.token)}`);
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
  await hook('next').click();
  assert.equal(await page.inputValue('#token'), mock.token);
  await page.reload();
  await page.locator('#number').waitFor();
});

test('B4_a_visit_that_was_cancelled_returns_to_the_choice_with_what_happened', async () => {
  await toBanks();
  await toBank('fintro');
  await page.click('#cancel');
  await outcome('bank_cancelled').waitFor();
  await hook('banks').waitFor();
  await page.reload();
  await outcome('bank_cancelled').waitFor();
  await visit('kbc');
  await page.locator('#sms').waitFor();
  assert.equal(await hook('failure').count(), 0);
});

test('B4_a_bank_that_is_down_is_shown_as_such_before_it_is_chosen_and_can_be_chosen_once_it_is_there', async () => {
  mock.banks[5].down_until = now() - 1;
  await toBanks();
  const cbc = page.locator('[data-test="bank-cbc"][data-state="down"]');
  await cbc.getByText(/Ne répond pas pour le moment\. Nouvel essai à \d\d:\d\d/).waitFor();
  await cbc.click({ force: true });
  assert.equal(await hook('to-bank').count(), 0);
  await accessible(page, 'bank-down');
  delete mock.banks[5].down_until;
  await page.locator('[data-test="bank-cbc"][data-state="open"]').waitFor();
});

test('B4_a_bank_that_does_not_answer_when_it_is_left_for_is_told_on_the_choice', async () => {
  await toBanks();
  await hook('bank-fintro').click();
  mock.banks[2].down_until = now() + 300;
  mock.refuseOnce.set('POST /d/enrol/bank/visit', { status: 503, body: says('bank_unreachable', { open_at: now() + 300 }) });
  await hook('to-bank').click();
  await outcome('bank_unreachable').waitFor();
  await page.locator('[data-test="bank-fintro"][data-state="down"]').waitFor();
});

test('C1_who_is_too_young_is_told_the_date_from_which_it_is_possible', async () => {
  await toBanks();
  await visit('kbc', says('too_young', { open_at: Date.UTC(2031, 4, 4, 12) / 1000 }));
  await outcome('too_young').waitFor();
  await hook('open-at').getByText('4 mai 2031').waitFor();
});

test('C2_under_18_the_other_banks_are_greyed_out_with_the_reason_also_after_another_visit', async () => {
  await toBanks();
  assert.match(await hook('bank-fintro').innerText(), /Dès 18 ans/);
  await visit('fintro', says('bank_not_for_minors'));
  await outcome('bank_not_for_minors').waitFor();
  const states = () =>
    page.locator('[data-test^="bank-"]').evaluateAll((all) => all.map((each) => `${each.dataset.test.slice(5)} ${each.dataset.state}`));
  const greyed = ['bnpparibasfortis open', 'hellobank minor', 'fintro minor', 'belfius open', 'kbc open', 'cbc minor', 'ing open'];
  assert.deepEqual(await states(), greyed);
  await hook('bank-cbc').getByText('Impossible avant 18 ans').waitFor();
  await accessible(page, 'not-for-minors');
  await toBank('ing');
  await page.click('#cancel');
  await outcome('bank_cancelled').waitFor();
  assert.deepEqual(await states(), greyed);
});

test('B1_back_in_another_browser_the_six_digits_of_its_page_are_typed_in_the_app', async () => {
  mock.moves = true;
  await toBanks();
  await toBank('kbc');
  const digits = await landElsewhere();
  await app();
  await page.locator('#landing').waitFor();
  await accessible(page, 'landed');
  await hook('next').click();
  await hook('error-landing').waitFor();
  assert.equal(sent('/d/enrol/bank/landing').length, 0);
  await page.fill('#landing', '000000');
  await hook('next').click();
  await outcome('landing_code_wrong').waitFor();
  assert.match(await hook('tries-left').innerText(), /2 essais/);
  await page.fill('#landing', `${digits.slice(0, 3)} ${digits.slice(3)}`);
  await hook('next').click();
  await page.locator('#sms').waitFor();
  await hook('moves').waitFor();
  await chooseCode();
  calm(page);
});

test('B1_an_app_that_is_still_open_hears_by_itself_that_the_bank_came_back_elsewhere', async () => {
  await toBanks();
  let address;
  await page.route(`${mock.bankUrl}/**`, (route) => {
    address = route.request().url();
    return route.fulfill({ status: 204 }); // the bank's own app has taken over: the page stays
  });
  await hook('bank-kbc').click();
  await hook('to-bank').click();
  await hook('at-bank').waitFor();
  const other = await open(browser);
  await other.goto(address);
  await other.click('#identify');
  await other.locator('#landing-code').waitFor();
  await other.context().close();
  await page.locator('#landing').waitFor();
});

test('B1_three_wrong_digits_end_the_visit_and_lead_back_to_the_choice', async () => {
  await toBanks();
  await toBank('kbc');
  await landElsewhere();
  await app();
  for (const left of ['2', '1']) {
    await page.fill('#landing', '000000');
    await hook('next').click();
    await hook('tries-left').getByText(left).waitFor();
  }
  await page.fill('#landing', '000000');
  await hook('next').click();
  await outcome('tries_used_up').waitFor();
  await hook('banks').waitFor();
  assert.equal(await hook('open-at').count(), 0, 'nothing is to be waited for');
  await page.reload();
  await outcome('tries_used_up').getByText(/Retournez chez votre banque/).waitFor();
});

test('B1_digits_that_come_too_late_lead_back_to_the_choice_with_that_reason', async () => {
  await toBanks();
  await toBank('kbc');
  await landElsewhere();
  await app();
  await page.locator('#landing').waitFor();
  await page.route('**/d/enrol/bank/landing', async (route) => {
    await page.request.post(`${mock.phoneUrl}/d/enrol/bank/again`, { data: { session: route.request().postDataJSON().session } });
    await route.fulfill({ status: 410, json: says('bank_visit_expired') });
  });
  await page.fill('#landing', '730154');
  await hook('next').click();
  await outcome('bank_visit_expired').waitFor();
  await hook('banks').waitFor();
});

test('B1_after_the_digits_a_network_that_is_away_is_told_and_they_are_typed_again', async () => {
  await toBanks();
  await toBank('kbc');
  const digits = await landElsewhere();
  await app();
  await page.locator('#landing').waitFor();
  await page.route('**/d/enrol/state', (route) => route.abort());
  await page.fill('#landing', digits);
  await hook('next').click();
  await outcome('unreachable').waitFor();
  await page.unroute('**/d/enrol/state');
  await page.fill('#landing', digits);
  await hook('next').click();
  await page.locator('#sms').waitFor();
});

test('B1_from_the_six_digits_the_way_leads_back_to_the_choice', async () => {
  await toBanks();
  await toBank('kbc');
  await landElsewhere();
  await app();
  await hook('to-banks').click();
  await hook('banks').waitFor();
  assert.equal(sent('/d/enrol/bank/again').length, 1);
  await page.reload();
  await hook('banks').waitFor();
});

test('B4_closed_half_way_the_app_says_where_the_holder_was_and_goes_on_or_chooses_again', async () => {
  await toBanks();
  await toBank('kbc');
  const context = page.context();
  await page.close();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await app();
  await page.getByRole('heading', { name: 'Vous êtes chez KBC' }).waitFor();
  await accessible(page, 'half-way');
  await hook('to-bank').click();
  await page.locator('#identify').waitFor();
  await page.goBack();
  await hook('at-bank').waitFor();
  await hook('other-bank').click();
  await hook('banks').waitFor();
  assert.equal(sent('/d/enrol/bank/again').length, 1);
  await page.reload();
  await hook('banks').waitFor();
  await visit('fintro');
  await page.locator('#sms').waitFor();
});

test('an_app_without_network_when_it_is_opened_half_way_loses_nothing', async () => {
  await toBanks();
  await toBank('kbc');
  await page.route('**/d/enrol/state', (route) => route.abort());
  await app();
  await outcome('unreachable').waitFor();
  await page.unroute('**/d/enrol/state');
  mock.refuseOnce.set('GET /d/enrol/state', { status: 429, body: says('too_many_requests') });
  await hook('retry').click();
  await outcome('too_many_requests').waitFor();
  await hook('retry').click();
  await hook('at-bank').waitFor();
});

test('an_enrolment_through_a_bank_that_is_too_old_begins_again_with_the_number_kept', async () => {
  await toBanks();
  mock.refuseOnce.set('GET /d/enrol/state', { status: 410, body: says('enrolment_expired') });
  await page.reload();
  await outcome('enrolment_expired').waitFor();
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
  await hook('next').click();
  await hook('banks').waitFor();
});

test('E1_that_the_account_comes_to_this_phone_is_said_before_it_does', async () => {
  mock.moves = true;
  await toBanks();
  await visit('kbc');
  await hook('moves').getByText('Il passe sur ce téléphone').waitFor();
  await chooseCode();
});

test('E3_a_new_number_on_a_new_phone_points_at_the_card_and_at_the_number', async () => {
  await toBanks();
  await visit('kbc', says('new_number_needs_card'));
  await outcome('new_number_needs_card').waitFor();
  await hook('link-phone').waitFor();
  await hook('change-number').click();
  assert.equal(await page.inputValue('#number'), '0470 12 34 56');
  await hook('next').click();
  await hook('banks').waitFor();
  assert.equal(await hook('failure').count(), 0);
  assert.equal(sent('/d/enrol/bank').length, 2);
});

test('E6_another_source_than_enrolled_is_told_with_the_card_and_the_banks_as_the_way_out', async () => {
  await toBanks();
  await visit('kbc', says('other_source_than_enrolled'));
  await outcome('other_source_than_enrolled').waitFor();
  await hook('link-phone').waitFor();
  await hook('bank-ing').waitFor();
});

test('E6_an_account_that_changed_at_the_last_step_leads_back_to_the_choice_of_bank', async () => {
  await toBanks();
  await visit('kbc');
  await page.fill('#sms', mock.smsCode);
  await hook('next').click();
  await typeCode('38214');
  await page.route('**/d/enrol/finish', async (route) => {
    await page.request.post(`${mock.phoneUrl}/d/enrol/bank/again`, { data: { session: route.request().postDataJSON().session } });
    await route.fulfill({ status: 409, json: says('moved_meanwhile') });
  });
  await typeCode('38214');
  await outcome('moved_meanwhile').waitFor();
  await hook('banks').waitFor();
});

test('E5_E6_E7_each_way_back_offers_the_bank_beside_the_card', async () => {
  await toBanks();
  await visit('kbc');
  await chooseCode();
  await hook('to-home').click();
  await hook('nothing').waitFor();
  await hook('forgot').locator('summary').click();
  await hook('forgot').getByText('via votre banque ou avec votre carte').waitFor();
  mock.account = 'blocked';
  await page.reload();
  await page.locator('[data-test="blocked-by"][data-bank="KBC"]').waitFor();
  assert.match(await hook('blocked').innerText(), /la même banque, ou votre carte d’identité/);
  mock.account = 'active';
  mock.refuseOnce.set('GET /d/me', { status: 403, body: says('account_deactivated') });
  await page.reload();
  await outcome('account_deactivated').waitFor();
  await page.getByRole('heading', { name: 'Votre compte est désactivé' }).waitFor();
  await accessible(page, 'deactivated');
  await hook('link-again').click();
  await hook('link-bank').waitFor();
  await hook('link-phone').waitFor();
});

test('where_there_are_no_banks_only_the_card_is_offered_and_where_they_cannot_be_read_both_are', async () => {
  mock.banks = [];
  await app();
  await hook('link-phone').waitFor();
  assert.equal(await hook('link-bank').count(), 0);
  await page.route('**/d/banks', (route) => route.abort());
  await page.reload();
  await hook('link-bank').click();
  await page.fill('#number', '0470 12 34 56');
  // The choice asks by itself once more.
  const asked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/d/banks'));
  await hook('next').click();
  await asked;
  await outcome('unreachable').waitFor();
  await page.unroute('**/d/banks');
  await hook('retry').click();
  await page.getByText('il n’y a aucune banque').waitFor();
  await hook('other-way').click();
  await hook('link-phone').waitFor();
});

test('F5_the_language_can_be_changed_in_the_middle_and_nothing_is_lost', async () => {
  await toBanks();
  await page.click('header a[hreflang="nl"]');
  await page.getByRole('heading', { name: 'Kies uw bank' }).waitFor();
  await toBank('kbc');
  await page.click('#cancel');
  await page.getByRole('heading', { name: 'Kies uw bank' }).waitFor();
});
