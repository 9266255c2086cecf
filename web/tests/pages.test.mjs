// The pages at the computer against the mock: A1 to A4, A7, F1, F5.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cardStep, doneStep, outcomeText, phoneStep, reviewStep, signStep } from '../dev/mock.ts';
import { accessible, calm, computer } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let browser, mock, page;

useMock({ lasts: 'file', page: computer }, (begun) => {
  ({ browser, mock, page } = begun);
  mock.setEnrolment(null);
  mock.refuseOnce.clear();
});

const hook = (name) => page.locator(`[data-test="${name}"]`);
const enrolPage = (language = 'fr') => page.goto(`${mock.idUrl}/${language}/enrol/`);

for (const language of ['fr', 'nl', 'de', 'en']) {
  test(`F5_the_start_and_help_pages_are_in_${language}`, async () => {
    for (const path of ['', 'help/']) {
      await page.goto(`${mock.idUrl}/${language}/${path}`);
      assert.equal(await page.getAttribute('html', 'lang'), language);
      await hook('test-banner').waitFor();
      await accessible(page, `${path ? 'help' : 'start'}-${language}`, language === 'fr' ? undefined : ['narrow']);
    }
    calm(page);
  });
}

test('F2_the_help_page_has_a_section_for_each_outcome', async () => {
  await page.goto(`${mock.idUrl}/fr/help/#pin_blocked`);
  const section = page.locator('#pin_blocked');
  assert.match(await section.innerText(), /commune/);
  assert.ok(await section.evaluate((element) => element.matches(':target')));
});

test('F2_every_outcome_has_its_section_on_the_help_page_with_what_to_do_in_the_four_languages', async () => {
  const rows = readFileSync(new URL('../../src/base/outcomes.def', import.meta.url), 'utf8').matchAll(/^OUTCOME\((\w+),/gm);
  const names = Array.from(rows, ([, name]) => name);
  assert.ok(names.length > 100);
  for (const language of ['fr', 'nl', 'de', 'en']) {
    await page.goto(`${mock.idUrl}/${language}/help/`);
    const told = await page.locator('.outcome').evaluateAll((all) =>
      all.map((each) => ({ id: each.id, said: each.querySelector('h3').textContent, way: each.querySelector('p').textContent })),
    );
    assert.deepEqual(told.map(({ id }) => id).sort(), [...names].sort());
    for (const { id, said, way } of told) {
      assert.equal(said, outcomeText(language, id));
      assert.ok(way.length > 20, `${language} ${id}`);
    }
    // What is said of a code that is too easy is not said of a bank.
    const wayOf = (name) => told.find(({ id }) => id === name).way;
    for (const name of names.filter((each) => each.startsWith('bank_'))) assert.notEqual(wayOf(name), wayOf('code_trivial'), name);
  }
});

test('the_start_page_is_whole_without_a_script', async () => {
  const context = await browser.newContext({ ...computer, javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto(`${mock.idUrl}/nl/`);
  assert.ok(await plain.getByRole('link', { name: /Registreren/ }).isVisible());
  await plain.goto(`${mock.idUrl}/nl/enrol/`);
  assert.match(await plain.locator('main').innerText(), /JavaScript/);
  await context.close();
});

test('A1_an_error_stands_beside_its_field_and_what_was_typed_stays', async () => {
  await enrolPage();
  await page.fill('#number', '02 123 45 67');
  await page.fill('#email', 'marie@');
  await hook('continue').click();
  assert.match(await hook('error-number').innerText(), /mobile/);
  assert.match(await hook('error-email').innerText(), /complète/);
  assert.equal(await page.inputValue('#number'), '02 123 45 67');
  assert.equal(await page.getAttribute('#number', 'aria-invalid'), 'true');
  await page.locator('[data-test="errors"]:focus').waitFor();
  await accessible(page, 'enrol-errors');
  // Another language keeps it too, and so does a reload.
  await page.click('a[hreflang="de"]');
  await page.waitForURL('**/de/enrol/');
  assert.equal(await page.inputValue('#number'), '02 123 45 67');
  await page.reload();
  assert.equal(await page.inputValue('#email'), 'marie@');
  calm(page);
});

test('A1_the_number_is_understood_in_any_writing_and_the_form_leads_to_the_card', async () => {
  await enrolPage();
  assert.equal(await page.inputValue('#region'), 'BE');
  await accessible(page, 'enrol-form');
  await page.fill('#number', '0470/12.34.56');
  await page.fill('#email', 'marie@exemple.be');
  await page.getByText('+32 470 12 34 56').waitFor();
  await hook('continue').click();
  await hook('reader-link').waitFor();
  const sent = mock.seen.findLast(({ path, method }) => path === '/enrolment' && method === 'POST').body;
  assert.deepEqual(
    { ...sent, person_check: 0 },
    {
      calling_code: '32',
      number: '0470/12.34.56',
      email: 'marie@exemple.be',
      language: 'fr',
      location_consent: false,
      person_check: 0,
    },
  );
  assert.ok(Number.isInteger(sent.person_check.solution.counter));
  assert.equal(await hook('symbol').getAttribute('data-symbol'), 'boat');
  assert.match(await hook('symbol').innerText(), /bateau/);
  await accessible(page, 'enrol-card');
  calm(page);
});

test('A1_a_refusal_of_the_server_stands_beside_its_field', async () => {
  await enrolPage();
  mock.refuseOnce.set('POST /enrolment', {
    status: 422,
    body: { outcome: 'phone_number_invalid', field: 'number', text: 'Phrase du serveur.', way_out: 'correct_it' },
  });
  await page.fill('#number', '0470123456');
  await page.fill('#email', 'marie@exemple.be');
  await hook('continue').click();
  await hook('error-number').getByText('Phrase du serveur.').waitFor();
  mock.refuseOnce.set('POST /enrolment', {
    status: 429,
    body: {
      outcome: 'too_many_requests',
      text: 'Trop d’essais.',
      way_out: 'wait',
      open_at: Math.floor(Date.now() / 1000) + 600,
    },
  });
  await hook('continue').click();
  await page.locator('[data-outcome="too_many_requests"]').waitFor();
  assert.match(await hook('open-at').innerText(), /\d{2}:\d{2}/);
  calm(page);
});

test('a_server_that_does_not_answer_is_said_and_tried_again', async () => {
  mock.refuseOnce.set('GET /enrolment', { status: 0 });
  // The browser itself repeats a request whose connection broke.
  await page.route('**/enrolment', (route) => route.abort(), { times: 1 });
  await enrolPage();
  await page.locator('[data-outcome="unreachable"]').waitFor();
  await accessible(page, 'enrol-unreachable');
  mock.refuseOnce.clear();
  await hook('retry').click();
  await hook('enrolment-form').waitFor();
});

test('A3_a_reload_comes_back_to_the_same_step', async () => {
  mock.setEnrolment(cardStep());
  for (const [part, hookName] of [
    [{}, 'reader-link'],
    [reviewStep(), 'person'],
    [signStep(), 'reader-link'],
    [phoneStep(mock.phoneUrl, 'aB3+kR7?'), 'token'],
  ]) {
    mock.setEnrolment(part);
    await enrolPage();
    await hook(hookName).waitFor();
    await page.reload();
    await hook(hookName).waitFor();
  }
  calm(page);
});

test('A7_what_the_reader_meets_is_said_as_it_happens', async () => {
  mock.setEnrolment(cardStep());
  await enrolPage();
  await hook('reader-link').waitFor();
  assert.equal(await hook('reader-link').getAttribute('href'), mock.enrolment.link);
  // The program has taken the link.
  mock.setEnrolment({ link: undefined, command: undefined });
  for (const at of ['reader', 'card', 'reading', 'pin', 'sending']) {
    mock.setEnrolment({ progress: { at } });
    await page.locator(`[data-test="progress"][data-at="${at}"]`).waitFor();
  }
  mock.setEnrolment({
    progress: { at: 'pin', outcome: 'pin_wrong', text: 'Le code PIN est incorrect.', tries_left: 2 },
  });
  await page.locator('[data-outcome="pin_wrong"]').waitFor();
  assert.match(await hook('tries-left').innerText(), /2 essais/);
  await accessible(page, 'enrol-card-error');
  await hook('new-link').click();
  await page.locator('[data-test="progress"][data-at=""]').waitFor();
  assert.match(await hook('reader-link').getAttribute('href'), /NEWTICKET/);
  await page.locator('summary').click();
  assert.match(await hook('command').innerText(), /^symbolon-eid symbolon-eid:\/\//);
  await accessible(page, 'enrol-card-command');
  calm(page);
});

test('a_link_that_is_too_old_is_replaced', async () => {
  mock.setEnrolment({ ...cardStep(), link_expires_at: Math.floor(Date.now() / 1000) - 1 });
  await enrolPage();
  assert.equal(await hook('reader-link').count(), 0);
  await hook('new-link').click();
  await hook('reader-link').waitFor();
});

test('A2_the_person_is_shown_and_the_contract_read_before_it_is_signed', async () => {
  mock.setEnrolment({ ...cardStep(), ...reviewStep() });
  await enrolPage();
  const person = (await hook('person').innerText()).replaceAll('\u00a0', ' ');
  for (const text of ['Marie-Louise Van den Bossche', '30 juillet 1953', '…60', '+32 470 12 34 56'])
    assert.ok(person.includes(text), text);
  assert.equal(await hook('contract').getAttribute('href'), '/enrolment/contract.pdf');
  await accessible(page, 'enrol-review');
  await hook('sign').click();
  await hook('reader-link').waitFor();
  await accessible(page, 'enrol-sign');
  calm(page);
});

test('A2_somebody_else_on_the_card_ends_it', async () => {
  mock.setEnrolment({ ...cardStep(), ...reviewStep() });
  await enrolPage();
  await hook('not-me').click();
  await hook('start-again').waitFor();
  await accessible(page, 'enrol-ended');
  await hook('start-again').click();
  await hook('enrolment-form').waitFor();
});

test('A3_the_token_cannot_be_misread_is_spelled_out_and_is_a_qr_code', async () => {
  mock.setEnrolment({ ...cardStep(), ...phoneStep(mock.phoneUrl, 'aB3+kR7?') });
  await enrolPage();
  await hook('token').waitFor();
  assert.equal(await hook('token').getAttribute('data-token'), 'aB3+kR7?');
  const spelled = await hook('token-spelled').locator('li').allTextContents();
  assert.deepEqual(spelled, [
    'minuscule a',
    'majuscule B',
    'chiffre 3',
    'signe plus',
    'minuscule k',
    'majuscule R',
    'chiffre 7',
    'point d’interrogation',
  ]);
  assert.match(await page.locator('[data-test="never-tell"]').innerText(), /personne/);
  const { default: decodeQR } = await import('qr/decode.js');
  const size = 232;
  const pixels = await hook('qr')
    .evaluate(async (svg, size) => {
      const picture = svg.cloneNode(true);
      picture.setAttribute('width', size);
      picture.setAttribute('height', size);
      const image = new Image();
      image.src = 'data:image/svg+xml,' + encodeURIComponent(new XMLSerializer().serializeToString(picture));
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = size;
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      return Array.from(context.getImageData(0, 0, size, size).data);
    }, size)
    .catch(() => null);
  if (pixels)
    assert.equal(
      decodeQR({ width: size, height: size, data: Uint8ClampedArray.from(pixels) }),
      mock.enrolment.token_qr,
    );
  await accessible(page, 'enrol-phone');
});

test('A3_a_token_that_is_too_old_or_used_up_is_replaced', async () => {
  mock.setEnrolment({
    ...cardStep(),
    ...phoneStep(mock.phoneUrl, 'aB3+kR7?'),
    token_expires_at: Math.floor(Date.now() / 1000) - 5,
  });
  await enrolPage();
  await hook('new-token').click();
  await hook('token').waitFor();
  mock.setEnrolment({
    token_tries_left: 0,
    outcome: {
      outcome: 'tries_used_up',
      text: 'Tous les essais sont utilisés.',
      way_out: 'wait',
      open_at: Math.floor(Date.now() / 1000) + 900,
    },
  });
  await hook('new-token').waitFor();
  assert.equal(await hook('token').count(), 0);
  await hook('open-at').waitFor();
  await accessible(page, 'enrol-token-used-up');
  calm(page);
});

test('A4_the_page_says_by_itself_that_the_phone_is_linked_and_lets_it_be_undone', async () => {
  mock.setEnrolment({ ...cardStep(), ...phoneStep(mock.phoneUrl, 'aB3+kR7?') });
  await enrolPage();
  await hook('token').waitFor();
  mock.setEnrolment(doneStep('Chrome on Android'));
  await hook('done').waitFor();
  assert.equal(await hook('phone-name').innerText(), 'Chrome on Android');
  await accessible(page, 'enrol-done');
  await hook('undo').click();
  await hook('undo-yes').click();
  await page.locator('[data-outcome="enrolment_undone"]').waitFor();
  calm(page);
});

test('a_stream_that_breaks_is_opened_again', async () => {
  mock.setEnrolment({ ...cardStep(), ...phoneStep(mock.phoneUrl, 'aB3+kR7?') });
  await enrolPage();
  await hook('token').waitFor();
  mock.cutStreams();
  mock.setEnrolment(doneStep('Chrome on Android'));
  await hook('done').waitFor();
});

test('A1_the_form_works_with_the_keyboard_alone', async () => {
  await enrolPage();
  await hook('enrolment-form').waitFor();
  await page.focus('#region');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0470 12 34 56');
  await page.keyboard.press('Tab');
  await page.keyboard.type('marie@exemple.be');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  assert.ok(await page.isChecked('#location'));
  await page.keyboard.press('Enter');
  await hook('reader-link').waitFor();
  assert.equal(
    mock.seen.findLast(({ path, method }) => path === '/enrolment' && method === 'POST').body.location_consent,
    true,
  );
});

test('every_installation_says_when_it_takes_test_cards_and_no_other_does', async () => {
  mock.testPki = false;
  await page.goto(`${mock.idUrl}/fr/`);
  await page.waitForLoadState('networkidle');
  assert.equal(await hook('test-banner').count(), 0);
  mock.testPki = true;
});

for (const language of ['nl', 'de', 'en']) {
  test(`F5_each_step_of_the_enrolment_holds_in_${language}_at_320_pixels`, async () => {
    const steps = {
      card: { ...cardStep(language), progress: { at: 'reading' } },
      review: reviewStep(),
      sign: signStep(),
      phone: phoneStep(mock.phoneUrl, 'Wm3+k?7='),
      done: doneStep('Chrome on Android'),
    };
    await enrolPage(language);
    await hook('enrolment-form').waitFor();
    await accessible(page, `enrol-form-${language}`, ['narrow']);
    for (const [name, state] of Object.entries(steps)) {
      mock.setEnrolment(state);
      await enrolPage(language);
      await page.locator('h1[tabindex="-1"]').waitFor();
      await accessible(page, `enrol-${name}-${language}`, ['narrow']);
    }
    calm(page);
  });
}
