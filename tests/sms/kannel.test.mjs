// SMS through a real gateway: Debian's Kannel, with its fake SMSC as the network.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestStack } from '../../web/demo/stack.mjs';
import { run } from '../../web/demo/process.mjs';
import { enrolUpToToken } from '../lib/holder.mjs';
import { startKannel } from '../lib/kannel.mjs';

let folder, kannel, stack;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symbolon-kannel-'));
  kannel = await startKannel(folder);
  stack = await startTestStack({ gateway: kannel.url });
});
after(async () => {
  await stack?.stop();
  await kannel?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const post = async (path, body) => {
  const answer = await fetch(`${stack.phoneUrl}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
};
const start = (number, token) => post('/d/enrol/start', { calling_code: '32', number, token });
const e164 = (number) => `+32${number.replaceAll(' ', '').slice(1)}`;
const codeIn = (message) => /\b\d{6}\b/.exec(message.text)[0];
const texts = async (language) => JSON.parse(await readFile(new URL(`../../texts/sms.${language}.json`, import.meta.url), 'utf8'));

for (const [language, persona, number] of [['fr', 'lotte', '0470 20 00 01'], ['nl', 'bruno', '0470 20 00 02'], ['de', 'amelie', '0470 20 00 03'], ['en', 'nadia', '0470 20 00 04']])
  test(`F5_A4_the_code_comes_whole_in_one_sms_in_${language}`, async () => {
    const { token } = await enrolUpToToken(stack, { persona, number, language });
    const begun = await start(number, token);
    assert.equal(begun.body.sms_sent, true);
    const message = await kannel.next(e164(number));
    const code = codeIn(message);
    assert.equal(message.text, (await texts(language)).code.replace('{code}', code).replace('{minutes}', '10'));
    assert.equal(message.from, 'Symbolon');
    assert.equal(kannel.messages.filter(({ to }) => to === e164(number)).length, 1);
    const given = await post('/d/enrol/sms', { session: begun.body.session, code });
    assert.equal(given.status, 200, JSON.stringify(given.body));
  });

test('A4_a_phone_enrols_with_the_code_that_the_gateway_delivered', async () => {
  const number = '0470 20 00 05';
  const { token } = await enrolUpToToken(stack, { persona: 'young-adult', number });
  // symbolon-phone reads its SMS where an outbox shows them: here, what the network delivered.
  const outbox = createServer((_, response) => response.end(JSON.stringify(kannel.messages))).listen(0, '127.0.0.1');
  await new Promise((resolve) => outbox.once('listening', resolve));
  try {
    await run(stack.program('symbolon-phone'), ['--server', stack.phoneUrl, '--state', join(folder, 'phone.json'), '--code', '38214', 'enrol',
      '--number', number, '--token', token, '--outbox', `http://127.0.0.1:${outbox.address().port}`, '--name', 'Test phone']);
  } finally {
    outbox.close();
  }
});

test('A5_a_number_that_the_gateway_refuses_is_told_at_once_and_costs_no_try', async () => {
  const number = '0479 99 00 01';
  const { token } = await enrolUpToToken(stack, { persona: 'foreigner', number });
  const { body: begun } = await start(number, token);
  assert.equal(begun.sms_sent, false);
  for (let again = 0; again < 4; ++again)
    assert.equal((await post('/d/enrol/sms-again', { session: begun.session })).body.outcome, 'sms_not_sent');
});

test('A5_a_network_that_is_away_for_a_while_delivers_later', async () => {
  const number = '0470 20 00 06';
  const { token } = await enrolUpToToken(stack, { persona: 'jurgen', number });
  await kannel.disconnect();
  const { body: begun } = await start(number, token);
  assert.equal(begun.sms_sent, true, 'the gateway keeps it');
  assert.equal(kannel.messages.filter(({ to }) => to === e164(number)).length, 0);
  await kannel.connect();
  const code = codeIn(await kannel.next(e164(number)));
  assert.equal((await post('/d/enrol/sms', { session: begun.session, code })).status, 200);
});

test('E9_a_gateway_that_is_down_costs_no_try_and_the_enrolment_goes_on_when_it_is_back', async () => {
  const number = '0470 20 00 07';
  const { token } = await enrolUpToToken(stack, { persona: 'unknown-birth-day', number });
  await kannel.down();
  const { body: begun } = await start(number, token);
  assert.equal(begun.sms_sent, false);
  const refused = await post('/d/enrol/sms-again', { session: begun.session });
  assert.equal(refused.body.outcome, 'sms_not_sent');
  await kannel.up();
  assert.equal((await post('/d/enrol/sms-again', { session: begun.session })).status, 200, 'at once');
  const code = codeIn(await kannel.next(e164(number)));
  assert.equal((await post('/d/enrol/sms', { session: begun.session, code })).status, 200);
});

test('no_log_holds_a_number_or_a_code', async () => {
  const log = await readFile(join(stack.logs, 'symbolond.log'), 'utf8');
  assert.match(log, /"sms_report".*"delivered"/);
  assert.doesNotMatch(log, /47020000|47999000/);
  for (const { text } of kannel.messages) assert.ok(!log.includes(codeIn({ text })));
});
