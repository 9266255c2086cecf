// F3: what a phone shows of the log, and what the operator's check says of one that was changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as journey from '../web/demo/journey.mjs';
import { run } from '../web/demo/process.mjs';
import { linkBrowser } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';

const number = '0470 11 22 33';
const { hook } = journey;
let stack, browser, mobile, shop;

useStackAndBrowser(async (begun) => {
  ({ stack, browser } = begun);
  mobile = await journey.openPhone(browser, { locale: 'en-GB' });
  await linkBrowser(stack, mobile, { persona: 'lotte', number });
  shop = await journey.openComputer(browser);
});

/** The state directory as it is now, after `change` was done to its database behind the program's back. */
async function verdictAfter(change) {
  const copy = join(stack.folder, 'copy');
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  await cp(stack.state, copy, { recursive: true, filter: (path) => !/store\.db|vault\.sock/.test(path) });
  const live = new DatabaseSync(join(stack.state, 'store.db'), { readOnly: true });
  live.exec(`VACUUM INTO '${join(copy, 'store.db')}'`);
  live.close();
  const database = new DatabaseSync(join(copy, 'store.db'));
  database.exec('DROP TRIGGER log_entry_is_never_changed; DROP TRIGGER log_entry_is_never_removed; DROP TRIGGER log_head_is_never_changed; DROP TRIGGER log_head_is_never_removed');
  change?.(database);
  database.close();
  return run(stack.program('symbolon'), ['verify-log', '--config', join(copy, 'symbolon.toml')]).then(
    (said) => said,
    (error) => String(error.stderr ?? error.message),
  );
}

test('F3_the_phone_shows_every_action_with_partner_data_time_and_place_each_proven', async () => {
  const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number });
  await journey.approve(mobile, { symbol });
  await shop.locator('#name').waitFor();
  await hook(mobile, 'to-home').click();

  const other = await journey.openComputer(browser);
  await journey.startLogin(other, { partnerUrl: stack.partner.url, number });
  await hook(mobile, 'open-action').first().click();
  await hook(mobile, 'refuse').click();
  await hook(mobile, 'not-me').click();
  await hook(mobile, 'result').waitFor();
  await hook(mobile, 'to-home').click();

  await hook(mobile, 'to-history').click();
  await hook(mobile, 'history-proven').waitFor();
  const entries = hook(mobile, 'history-entry');
  assert.deepEqual(await entries.evaluateAll((all) => all.map((entry) => entry.dataset.kind)), ['refused', 'approved', 'enrolled']);
  const approved = await entries.nth(1).innerText();
  assert.match(approved, /De Linde Bookshop/);
  assert.match(approved, /Chrom/, 'from where it was asked');
  assert.match(approved, /Shared: .*Name/);
  assert.match(approved, new RegExp(String(new Date().getUTCFullYear())));
  assert.match(await entries.nth(0).innerText(), /not me/);
  await hook(mobile, 'to-home').click();
});

test('F3_a_login_that_its_page_cancelled_before_an_answer_is_shown_too', async () => {
  const third = await journey.openComputer(browser);
  await journey.startLogin(third, { partnerUrl: stack.partner.url, number });
  await third.locator('[name="cancel"]').click();
  await third.waitForURL((url) => url.href.startsWith(stack.partner.url));
  await hook(mobile, 'to-history').click();
  await hook(mobile, 'history-proven').waitFor();
  const newest = hook(mobile, 'history-entry').first();
  assert.equal(await newest.getAttribute('data-kind'), 'cancelled');
  assert.match(await newest.innerText(), /Cancelled on the page before you answered[^]*De Linde Bookshop/);
  await hook(mobile, 'to-home').click();
});

test('F3_verify_log_accepts_the_log_and_names_what_was_changed_in_it', async () => {
  assert.match(await verdictAfter(), /4 entries, whole[^]*2 records of evidence, all as they were logged[^]*signed heads, all of this log/);
  const flip = (table, column, where) => (database) => {
    const row = database.prepare(`SELECT ${column} AS value FROM ${table} WHERE ${where}`).get();
    const bytes = Uint8Array.from(row.value);
    bytes[bytes.length >> 1] ^= 1;
    database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(bytes);
  };
  assert.match(await verdictAfter(flip('log_entry', 'content', 'sequence = 2')), /entry 2 was changed/);
  assert.match(await verdictAfter(flip('log_entry', 'body', 'sequence = 2')), /the body of entry 2 was changed/);
  assert.match(await verdictAfter(flip('log_entry', 'subtrees', 'sequence = 2')), /the subtrees of entry 2 were changed/);
  assert.match(await verdictAfter((database) => database.exec('DELETE FROM log_entry WHERE sequence = 2')), /entry 2 is missing/);
  assert.match(await verdictAfter((database) => database.exec('DELETE FROM log_entry WHERE sequence > 2')), /cut off/);
  const evidence = 'id = (SELECT id FROM log_entry WHERE sequence = 2)';
  assert.match(await verdictAfter(flip('evidence', 'body', evidence)), /the evidence of entry 2 was changed/);
  assert.match(await verdictAfter((database) => database.exec(`DELETE FROM evidence WHERE ${evidence}`)), /the evidence of entry 2 is missing/);
  assert.match(await verdictAfter((database) => database.exec(`UPDATE log_head SET id = '2', body = (SELECT body FROM log_head LIMIT 1) WHERE 0;
    UPDATE log_entry SET sequence = -sequence WHERE sequence IN (2, 3); UPDATE log_entry SET sequence = 5 + sequence WHERE sequence < 0`)), /entry 2 does not follow/);
});

test('F3_a_phone_that_saw_the_log_does_not_believe_one_that_was_written_anew', async () => {
  // The server comes back with a database from before: what the phone saw is not in it.
  await stack.restartServer();
  await mobile.reload();
  await hook(mobile, 'to-history').click();
  await hook(mobile, 'history-proven').waitFor();
  await hook(mobile, 'to-home').click();
  await mobile.evaluate(async () => {
    const open = indexedDB.open('symbolon', 1);
    const database = await new Promise((done) => (open.onsuccess = () => done(open.result)));
    const store = database.transaction('phone', 'readwrite').objectStore('phone');
    const read = store.get('log');
    await new Promise((done) => (read.onsuccess = done));
    const log = read.result;
    // The same head, but one that no key of this log signed.
    const [header, payload] = log.head.split('.');
    store.put({ ...log, head: `${header}.${payload}.${'A'.repeat(86)}` }, 'log');
    await new Promise((done) => (store.transaction.oncomplete = done));
  });
  await mobile.reload();
  await hook(mobile, 'to-history').click();
  await hook(mobile, 'history-doubt').waitFor();
  assert.equal(await hook(mobile, 'history-entry').count(), 0, 'nothing of it is shown');
});
