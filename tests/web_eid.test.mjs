// The card through the Web eID extension: an account comes to a new phone on the real stack, with a double of the
// extension that signs with a virtual card's key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as journey from '../web/demo/journey.mjs';
import { linkBrowser, nextSms } from './lib/holder.mjs';
import { useStackAndBrowser } from './lib/stack_tests.mjs';
import { cardOf, holderOf, installExtension, tokenOf } from './lib/web_eid.mjs';

let stack;
const { hook } = journey;
const { computer, phone } = useStackAndBrowser(async (begun) => {
  ({ stack } = begun);
});

/** The registration page at the card, with an extension. */
async function atCard({ number, extension, language = 'en' }) {
  const pc = await computer();
  await installExtension(pc, extension);
  await journey.register(pc, { idUrl: stack.idUrl, number, language });
  return pc;
}

async function linkNewPhone(pc, number) {
  const token = await journey.identificationToken(pc);
  const mobile = await phone();
  await journey.linkPhone(mobile, { phoneUrl: stack.phoneUrl, number, token, code: '59268', sms: nextSms(stack, number) });
  return mobile;
}

/** How the page says that the server refused. */
async function refusal(pc) {
  const notice = hook(pc, 'web-eid').locator('[data-test="failure"]');
  await notice.waitFor();
  return notice.getAttribute('data-outcome');
}

for (const [persona, generation, number, newNumber, name] of [
  ['lotte', '1_8', '0470 21 00 01', '0470 21 00 02', 'Lotte Margriet Vermeersch-Test'],
  ['bruno', '1_7', '0470 21 00 03', '0470 21 00 03', 'Bruno Étienne Delvaux-Essai'],
]) {
  test(`E1_E3_E7_a_${generation}_card_through_web_eid_brings_the_account_to_a_new_phone_that_logs_in`, async () => {
    const old = await phone();
    await linkBrowser(stack, old, { persona, number });
    const card = await cardOf(stack.pki, persona);

    const pc = await atCard({ number: newNumber, extension: holderOf(card) });
    await hook(pc, 'use-web-eid').click();
    await hook(pc, 'moves').waitFor();
    const mobile = await linkNewPhone(pc, newNumber);
    await hook(pc, 'done').waitFor();

    const shop = await computer();
    const symbol = await journey.startLogin(shop, { partnerUrl: stack.partner.url, number: newNumber });
    await journey.approve(mobile, { symbol, code: '59268' });
    await shop.locator('#name').waitFor();
    assert.equal(await shop.locator('#name').innerText(), name, 'what the card said at the first enrolment stays');
  });
}

test('who_has_no_account_is_told_so_and_goes_on_with_the_reader_program', async () => {
  const number = '0470 21 00 05';
  await stack.desk.insert('nadia');
  const card = await cardOf(stack.pki, 'nadia');
  const pc = await atCard({ number, extension: holderOf(card) });
  await hook(pc, 'use-web-eid').click();
  assert.equal(await refusal(pc), 'web_eid_no_account');
  assert.match(await hook(pc, 'web-eid').innerText(), /symbolon-eid/);
  await journey.readAndSign(pc, { desk: stack.desk, first: await journey.readerStep(pc), language: 'en' });
  await linkNewPhone(pc, number);
  await hook(pc, 'done').waitFor();
});

test('a_token_that_is_not_of_this_page_this_try_and_this_card_is_refused_and_the_next_try_counts', async () => {
  const number = '0470 21 00 06';
  const mobile = await phone();
  await linkBrowser(stack, mobile, { persona: 'jurgen', number });
  await stack.desk.insert('amelie');
  const mine = await cardOf(stack.pki, 'jurgen');
  const others = await cardOf(stack.pki, 'amelie');
  let first;
  const tries = [
    ['somebody else\'s certificate', (token) => ({ ...token, unverifiedCertificate: others.certificate.toString('base64') })],
    ['another origin', (_, { question }) => tokenOf(mine, { origin: 'https://elsewhere.example', nonce: question.challengeNonce })],
    ['another nonce', (_, { origin }) => tokenOf(mine, { origin, nonce: Buffer.alloc(32, 7).toString('base64') })],
    ['an earlier token', () => first],
  ];
  let change;
  const pc = await atCard({
    number,
    extension: holderOf(mine, (token, asked) => {
      first ??= token;
      return change ? change(token, asked) : token;
    }),
  });
  for (const [what, alter] of tries) {
    change = alter;
    const answered = pc.waitForResponse((response) => response.url().endsWith('/enrolment/web-eid'));
    await hook(pc, 'use-web-eid').click();
    assert.equal((await (await answered).json()).outcome, 'web_eid_signature_invalid', what);
    assert.equal(await refusal(pc), 'web_eid_signature_invalid', what);
  }
  change = undefined;
  await hook(pc, 'use-web-eid').click();
  await linkNewPhone(pc, number);
});

test('A7_a_revoked_suspended_or_expired_card_is_told_for_what_it_is', async () => {
  const numbers = { revoked: '0470 21 00 07', suspended: '0470 21 00 08', 'expired-certificates': '0470 21 00 09' };
  const outcomes = { revoked: 'certificate_revoked', suspended: 'certificate_suspended', 'expired-certificates': 'certificate_expired' };
  for (const [persona, number] of Object.entries(numbers)) {
    await stack.desk.insert(persona);
    const pc = await atCard({ number, extension: holderOf(await cardOf(stack.pki, persona)) });
    await hook(pc, 'use-web-eid').click();
    assert.equal(await refusal(pc), outcomes[persona]);
  }
});
