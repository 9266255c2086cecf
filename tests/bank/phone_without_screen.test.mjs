// symbolon-phone enrols through the demo's bank: the holder opens what it prints in a browser, and types the code of the page where the visit ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { startTestStack } from '../../web/demo/stack.mjs';
import { visitByForms } from '../lib/bank_visit.mjs';
import { Browser } from '../lib/holder.mjs';

let stack;

before(async () => {
  stack = await startTestStack({ bank: true });
});
after(() => stack?.stop());

/** Starts `symbolon-phone enrol --bank`. `next()`: its next line. `type(line)`. `ended`: its exit status, and what it said. */
function enrolling(number, bank) {
  const state = join(stack.folder, `phone-at-${bank}-${number}.json`);
  const child = spawn(stack.program('symbolon-phone'), ['--server', stack.phoneUrl, '--state', state, '--code', '73195', 'enrol', '--number', number, '--bank', bank, '--outbox', stack.outbox.url], { timeout: 60_000 });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let said = '';
  child.stderr.on('data', (part) => (said += part));
  return {
    next: async () => JSON.parse((await lines.next()).value),
    type: (line) => child.stdin.write(`${line}\n`),
    ended: new Promise((resolve) => child.once('exit', (status) => resolve({ status, said }))),
  };
}

test('B1_a_phone_without_a_screen_enrols_through_a_bank', async () => {
  const phone = enrolling('0475000001', 'kbc');
  const { url } = await phone.next();
  const back = await visitByForms(url);
  const page = await (await new Browser().fetch(back)).text();
  phone.type(/data-code="(\d{6})"/.exec(page)[1]);
  assert.equal((await phone.next()).phone_number, '+32475000001');
  assert.deepEqual((await phone.ended).status, 0);
});

test('B4_a_cancelled_visit_is_what_it_says', async () => {
  const phone = enrolling('0475000002', 'kbc');
  const { url } = await phone.next();
  await new Browser().fetch(await visitByForms(url, { by: 'cancel' }));
  phone.type('');
  const { status, said } = await phone.ended;
  assert.equal(status, 7);
  assert.match(said, /\[bank_cancelled\]/);
});
