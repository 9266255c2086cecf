// What the sign-in assets add to the server's pages (D1 at the computer).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, calm, computer } from './browser.mjs';
import { useMock } from './with_mock.mjs';

let mock, page;

useMock({ lasts: 'file', page: computer }, (begun) => {
  ({ mock, page } = begun);
});

const waiting = () => page.goto(`${mock.idUrl}/sign-in/S1`);

test('D1_the_waiting_page_goes_on_by_itself_when_the_phone_approved', async () => {
  await waiting();
  await page.getByText('bateau').waitFor();
  await page
    .locator('#countdown')
    .getByText(/2:5\d|3:00/)
    .waitFor();
  await accessible(page, 'sign-in-waiting');
  mock.signIn({ at: 'shown' });
  await page.getByText('Votre téléphone affiche la demande.').waitFor();
  mock.signIn({ at: 'approved' });
  await page.locator('#arrived').waitFor();
  assert.ok(page.url().endsWith('/sign-in/S1/continue'));
  calm(page);
});

test('D1_a_hint_comes_when_the_phone_shows_nothing', async () => {
  await page.clock.install();
  await waiting();
  assert.ok(!(await page.locator('#hint').isVisible()));
  const places = () => page.locator('button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  const before = await places();
  assert.notEqual(before.length, 0);
  await page.clock.fastForward(8500);
  await page.locator('#hint').waitFor({ state: 'visible' });
  assert.deepEqual(await places(), before, 'nothing moves under a finger');
  calm(page);
});

test('the_countdown_is_said_aloud_at_60_30_and_10_seconds_only', async () => {
  await page.clock.install();
  await waiting();
  await page
    .locator('#countdown')
    .getByText(/\d:\d\d/)
    .waitFor();
  assert.equal(await page.locator('#announce').textContent(), '');
  await page.clock.runFor(150_000);
  assert.match(await page.locator('#announce').textContent(), /^Encore 0:30$/);
});

test('D1_the_form_for_the_number_is_accessible', async () => {
  await page.goto(`${mock.idUrl}/sign-in/S1/form`);
  await accessible(page, 'sign-in-form');
  calm(page);
});
