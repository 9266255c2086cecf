// What lies on the server's disk: no name, number or address of anybody in any file, whatever is done with the keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../web/demo/process.mjs';
import { enrolUpToToken, makeHolder, signIn } from './lib/holder.mjs';
import { useStack } from './lib/stack_tests.mjs';

let stack;
const holders = [];

const { atEnd } = useStack((begun) => {
  ({ stack } = begun);
});

const symbolon = (...args) => run(stack.program('symbolon'), [...args, '--config', stack.config]);

async function holderOf(persona, number) {
  const holder = await makeHolder(stack, { persona, number });
  atEnd(holder.stop);
  holders.push(holder);
  return holder;
}

/** An authorization request as the demo's partner makes it. */
async function authorizationUrl() {
  const answer = await fetch(`${stack.partner.url}/login`, { redirect: 'manual' });
  return answer.headers.get('location');
}

async function* filesIn(folder) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const what = await stat(path);
    if (what.isDirectory()) yield* filesIn(path);
    else if (what.isFile()) yield path;
  }
}

/** What people are known by, as it may stand in a file: UTF-8, UTF-16, base64 at each of its three offsets, digits apart. */
function formsOf(text) {
  const forms = [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(encodeURIComponent(text))];
  for (let before = 0; before < 3; ++before) {
    const whole = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString('base64');
    forms.push(Buffer.from(whole.slice(before === 0 ? 0 : before + 1, Math.floor(((before + Buffer.byteLength(text)) * 8) / 6) - 1)));
  }
  return forms.filter((form) => form.length >= 5);
}

async function foundOnDisk(texts) {
  const found = [];
  for (const folder of [stack.state, stack.logs])
    for await (const file of filesIn(folder)) {
      const content = await readFile(file).catch(() => Buffer.alloc(0)); // gone since
      for (const text of texts) if (formsOf(text).some((form) => content.includes(form))) found.push(`${text} in ${file.slice(stack.folder.length)}`);
    }
  return found;
}

/** Whatever the enrolment page says of a person, whole and each longer word of it; with the number in two forms. */
const knownBy = ({ person, email }, number) => {
  const said = Object.values(person).filter((value) => typeof value === 'string' && !/^\d{4}-\d\d-\d\d$|^data:/.test(value));
  const words = said.flatMap((value) => value.split(/[\s,/]+/)).filter((word) => word.length >= 6);
  const national = number.replaceAll(' ', '').slice(1);
  return [...new Set([...said.filter((value) => value.length >= 6), ...words, email, `+32${national}`, national])];
};

test('the_search_finds_what_it_looks_for', async () => {
  const { writeFile } = await import('node:fs/promises');
  const file = join(stack.logs, 'planted');
  for (const written of ['x Peeters-Janssens y', Buffer.from('..Peeters-Janssens!').toString('base64'), Buffer.from('Peeters-Janssens', 'utf16le')]) {
    await writeFile(file, written);
    assert.equal((await foundOnDisk(['Peeters-Janssens'])).length, 1);
  }
  await writeFile(file, '');
});

test('no_file_of_the_server_says_who_its_holders_are', async () => {
  const number = '0473 00 00 01';
  const { state } = await enrolUpToToken(stack, { persona: 'amelie', number, email: 'amelie.unter.wegs@example.be' });
  const texts = knownBy(state, number);
  assert.ok(texts.length > 5, texts.join());
  const holder = await holderOf('lotte', '0473 00 00 02');
  const landed = await signIn(stack, holder, await authorizationUrl());
  assert.ok(landed.searchParams.has('code'));
  assert.deepEqual(await foundOnDisk([...texts, '473000002']), []);
});

test('H3_the_master_key_is_rotated_while_the_server_runs_and_people_go_on', async () => {
  const [holder] = holders;
  const key = () => readFile(join(stack.state, 'master.key'));
  const before = await key();
  assert.match(await symbolon('keys', 'rotate-master'), /[1-9]\d* data keys/);
  assert.ok(!before.equals(await key()));
  assert.ok((await signIn(stack, holder, await authorizationUrl())).searchParams.has('code'), 'while both are there');
  const late = await holderOf('bruno', '0473 00 00 03');
  assert.match(await symbolon('keys', 'rotate-master'), /^0 data keys/, 'a second time changes nothing');
  assert.match(await symbolon('keys', 'rotate-master', '--finish'), /^0 data keys/);
  assert.ok(!(await readdir(stack.state)).includes('master.previous.key'));
  assert.ok((await signIn(stack, late, await authorizationUrl())).searchParams.has('code'));
  await stack.restartServer('SIGKILL');
  for (const one of [holder, late]) assert.ok((await signIn(stack, one, await authorizationUrl())).searchParams.has('code'), 'after a restart');
  await symbolon('verify-log');
});

test('F4_a_person_who_is_erased_is_nobody_to_the_server_and_may_enrol_anew', async () => {
  const number = '0473 00 00 03';
  const late = holders.pop();
  await late.stop();
  await symbolon('person', 'erase', '+32473000003');
  await assert.rejects(symbolon('person', 'erase', '+32473000003'), /nobody has that number/);
  await symbolon('verify-log');
  const again = await holderOf('bruno', number);
  assert.ok((await signIn(stack, again, await authorizationUrl())).searchParams.has('code'));
});
