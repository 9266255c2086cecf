// The pages of the demo's bank in a real browser: usable by everybody, with and without a script.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { startBank } from '../../web/demo/bank/bank.mjs';
import { banks } from '../../web/demo/bank/banks.mjs';
import { identifyAtBank } from '../../web/demo/bank/customer.mjs';
import { cardOf, pin } from '../../web/demo/bank/people.mjs';
import { hook, launch, openPhone } from '../../web/demo/journey.mjs';
import { accessible } from '../../web/tests/browser.mjs';
import { clientOf, makeKeys, redeem } from '../lib/bank_client.mjs';

let bank, browser, client, landing, redirectUri;

before(async () => {
  landing = createServer((request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p id="landed">back</p>'));
  await new Promise((resolve) => landing.listen(0, '127.0.0.1', resolve));
  redirectUri = `http://localhost:${landing.address().port}/bank/return`;
  const keys = await makeKeys();
  bank = await startBank({ port: 0, clientJwks: keys.jwks, redirectUri });
  client = clientOf(bank, { keys, redirectUri });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await bank?.stop();
  landing?.close();
});

async function visit(id, { language = 'en', ...options } = {}) {
  const begun = await client.begin(id, { parameters: { ui_locales: language } });
  const page = await openPhone(browser, options);
  await page.goto(begun.url.href);
  return { begun, page };
}

const back = async (page) => {
  await page.locator('#landed').waitFor();
  return new URL(page.url());
};

test('F5_axe_finds_nothing_on_any_page_of_a_visit_light_dark_and_at_320_pixels', async () => {
  const { page } = await visit('belfius', { language: 'de' });
  const look = (name) => accessible(page, name);
  await look('card');
  await page.locator('summary').click();
  await look('people');
  await page.locator('#card').fill('123');
  await hook(page, 'with-reader').click();
  await hook(page, 'problem').waitFor();
  await look('card number wrong');
  await page.locator('#card').fill(cardOf('longest-names'));
  await hook(page, 'with-app').click();
  await hook(page, 'approve').waitFor();
  await look('app');
  await hook(page, 'with-reader').click();
  await page.locator('#pin').waitFor();
  await look('reader');
  await page.locator('#pin').fill(pin);
  await hook(page, 'reader-ok').click();
  await hook(page, 'reader-answer').waitFor();
  await look('answer shown');
  for (let left = 2; left > 0; --left) {
    await page.locator('#pin').fill('9999');
    await hook(page, 'reader-ok').click();
    await hook(page, 'reader-screen').filter({ hasText: String(left) }).waitFor();
  }
  await look('PIN wrong');
  await page.locator('#pin').fill('9999');
  await hook(page, 'reader-ok').click();
  await hook(page, 'unblock').waitFor();
  await look('blocked');
  await hook(page, 'unblock').click();
  await page.locator('#pin').waitFor();
  for (let i = 0; i < 3; ++i) {
    await page.locator('#answer').fill('00000000');
    await Promise.all([page.waitForEvent('load'), hook(page, 'identify').click()]);
    await look(`answer wrong ${i}`);
  }
  await hook(page, 'ended').waitFor();
  await hook(page, 'cancel').click();
  assert.equal((await back(page)).searchParams.get('error'), 'access_denied');
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

// WCAG 2.2, relative luminance and contrast ratio.
function contrast(one, other) {
  const [light, dark] = [one, other].map((colour) => {
    const [r, g, b] = colour.match(/[\da-f]{2}/g).map((hex) => Number.parseInt(hex, 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test('F5_each_banks_colours_have_contrast_in_both_schemes', async () => {
  const css = await readFile(new URL('../../web/demo/bank/bank.css', import.meta.url), 'utf8');
  const colour = (name) => new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css).slice(1);
  for (const { id, colour: own } of banks)
    for (const scheme of [0, 1])
      for (const beside of ['on-bank', 'ground', 'card'])
        assert.ok(contrast(own[scheme], colour(beside)[scheme]) >= 4.5, `${id} ${beside} ${scheme}: ${contrast(own[scheme], colour(beside)[scheme])}`);
});

test('two_visits_in_two_tabs_of_one_browser_do_not_disturb_each_other', async () => {
  const first = await visit('kbc');
  const second = { begun: await client.begin('kbc'), page: await first.page.context().newPage() };
  await second.page.goto(second.begun.url.href);
  await first.page.locator('#card').fill(cardOf('amelie'));
  await hook(first.page, 'with-app').click();
  await hook(first.page, 'approve').waitFor();
  await identifyAtBank(second.page, { person: 'lotte', by: 'app' });
  assert.equal((await redeem(second.begun, await back(second.page))).claims().given_name, 'Lotte Margriet');
  await hook(first.page, 'approve').click();
  assert.equal((await redeem(first.begun, await back(first.page))).claims().given_name, 'Amélie-Zoë Françoise');
  await first.page.context().close();
});

test('the_pages_beside_a_visit_are_usable_too', async () => {
  const page = await openPhone(browser);
  for (const url of [`${bank.url}/`, `${bank.issuer('kbc')}/app`, `${bank.issuer('kbc')}/visit/gone`, `${bank.issuer('kbc')}/authorize?client_id=nobody`]) {
    await page.goto(url);
    await accessible(page, url);
  }
  await page.context().close();
});

for (const javaScriptEnabled of [true, false])
  for (const by of ['reader', 'app'])
    test(`B1_a_customer_identifies_by_${by}_${javaScriptEnabled ? 'with' : 'without'}_a_script`, async () => {
      const { begun, page } = await visit('kbc', { javaScriptEnabled });
      await identifyAtBank(page, { person: 'amelie', by });
      assert.equal((await redeem(begun, await back(page))).claims().given_name, 'Amélie-Zoë Françoise');
      assert.deepEqual(page.troubles, []);
      await page.context().close();
    });

test('with_a_script_the_reader_answers_on_the_page_and_types_the_answer_in', async () => {
  const { begun, page } = await visit('ing');
  await page.locator('#card').fill(cardOf('lotte'));
  await hook(page, 'with-reader').click();
  await page.locator('#pin').fill(pin);
  await page.evaluate(() => { globalThis.still = 'the same page'; });
  await page.locator('#pin').press('Enter');
  await hook(page, 'reader-use').click();
  assert.match(await page.locator('#answer').inputValue(), /^\d{8}$/);
  assert.equal(await page.evaluate(() => globalThis.still), 'the same page');
  await hook(page, 'identify').click();
  assert.ok((await redeem(begun, await back(page))).claims().sub);
  await page.context().close();
});

test('B4_who_refuses_in_the_app_comes_back_and_a_reload_keeps_the_step', async () => {
  const { page } = await visit('ing');
  await page.locator('#card').fill(cardOf('lotte'));
  await hook(page, 'with-app').click();
  await hook(page, 'approve').waitFor();
  await page.reload();
  await hook(page, 'refuse').click();
  assert.equal((await back(page)).searchParams.get('error'), 'access_denied');
  await page.context().close();
});
