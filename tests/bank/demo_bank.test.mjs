// The demo's bank before an OpenID client that we did not write: the npm package openid-client, with jose for what is encrypted.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { readFile } from 'node:fs/promises';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { parse } from 'smol-toml';
import { startBank } from '../../web/demo/bank/bank.mjs';
import { banks, bankTables, claimNames, loa } from '../../web/demo/bank/banks.mjs';
import { conducts } from '../../web/demo/bank/misbehaviour.mjs';
import { peopleAt, pin } from '../../web/demo/bank/people.mjs';
import { readerAnswer } from '../../web/demo/bank/reader.mjs';
import { makeAdapter, Shelf } from '../../web/demo/bank/store.mjs';
import { languages, texts } from '../../web/demo/bank/texts.mjs';
import { clientOf, makeKeys, redeem } from '../lib/bank_client.mjs';
import { FormsVisit, visitByForms } from '../lib/bank_visit.mjs';

const redirectUri = 'http://localhost:9/bank/return';
const said = [];
let bank, keys, configurationFor, begin;

before(async () => {
  keys = await makeKeys();
  bank = await startBank({ port: 0, clientJwks: keys.jwks, redirectUri, log: (line) => said.push(line) });
  ({ configurationFor, begin } = clientOf(bank, { keys, redirectUri }));
});
beforeEach(() => {
  bank.behave();
  bank.comeBack();
});
after(() => bank?.stop());

async function identify(id, options) {
  const begun = await begin(id);
  return (await redeem(begun, await visitByForms(begun.url, options))).claims();
}

const codeOf = async (promise) => promise.then(() => 'nothing was refused', (error) => error.error ?? error.code ?? error.message);

test('B1_each_of_the_seven_says_who_its_customer_is_by_card_reader', async (t) => {
  for (const { id, claims: own } of banks) {
    await t.test(id, async () => {
      const claims = await identify(id);
      const { lotte } = Object.fromEntries(peopleAt().map((one) => [one.id, one]));
      assert.equal(claims.iss, bank.issuer(id));
      assert.equal(claims.acr, loa('high'));
      assert.equal(claims[own?.national_number ?? 'national_number'], '85073099833');
      assert.deepEqual(claims.address, lotte.claims.address);
      for (const name of ['family_name', 'given_name', 'birthdate', 'gender', 'place_of_birth', 'nationality', 'document_number', 'document_valid_until', 'card_read_on'])
        assert.equal(claims[name], lotte.claims[name], name);
      assert.equal('phone_number' in claims, false, 'no bank knows a phone number of Lotte');
    });
  }
});

test('B1_the_banks_app_instead_of_the_card_gives_a_substantial_level', async () => {
  const claims = await identify('kbc', { by: 'app', person: 'jurgen' });
  assert.equal(claims.acr, loa('substantial'));
  assert.equal(claims.phone_number, '+32470987654');
  assert.equal(claims.given_name, 'Jürgen Matthäus');
});

test('a_customer_has_one_subject_at_a_bank_and_another_at_another', async () => {
  const [first, again, elsewhere] = [await identify('ing'), await identify('ing', { by: 'app' }), await identify('fintro')];
  assert.equal(first.sub, again.sub);
  assert.notEqual(first.sub, elsewhere.sub);
});

test('only_what_was_asked_for_is_said', async () => {
  const begun = await begin('hellobank', { claims: ['family_name'] });
  const claims = (await redeem(begun, await visitByForms(begun.url))).claims();
  assert.equal(claims.family_name, 'Vermeersch-Test');
  for (const name of claimNames.filter((one) => one !== 'family_name')) assert.equal(name in claims, false, name);
});

test('ID_tokens_are_signed_by_four_algorithms_and_two_banks_encrypt_them', async () => {
  const seen = {};
  for (const { id } of banks) {
    const begun = await begin(id);
    const back = await visitByForms(begun.url, { by: 'app' });
    const answered = new Promise((resolve) => {
      begun.config[oidc.customFetch] = async (...request) => {
        const answer = await fetch(...request);
        if (request[0].endsWith('/token')) resolve(await answer.clone().json());
        return answer;
      };
    });
    await redeem(begun, back);
    const outer = (await answered).id_token;
    const { alg, enc } = jose.decodeProtectedHeader(outer);
    const inner = enc ? new TextDecoder().decode((await jose.compactDecrypt(outer, keys.decrypt.privateKey)).plaintext) : outer;
    const { payload, protectedHeader } = await jose.jwtVerify(inner, jose.createRemoteJWKSet(new URL(`${bank.issuer(id)}/jwks`)), { issuer: bank.issuer(id), audience: 'symbolon' });
    assert.equal(payload.family_name, 'Vermeersch-Test');
    seen[id] = [protectedHeader.alg, ...(enc ? [alg, enc] : [])].join(' ');
  }
  assert.deepEqual(seen, {
    bnpparibasfortis: 'PS256', hellobank: 'ES256', fintro: 'RS256', belfius: 'RS256 RSA-OAEP-256 A256GCM', kbc: 'ES256 RSA-OAEP-256 A128CBC-HS256', cbc: 'PS256', ing: 'EdDSA',
  });
});

test('a_client_with_an_elliptic_key_gets_its_ID_tokens_by_ECDH_ES', async () => {
  const elliptic = await makeKeys('ECDH-ES');
  bank.useClientKeys(elliptic.jwks, 'kbc');
  try {
    const config = await configurationFor('kbc', { key: elliptic.sign.privateKey, decrypt: elliptic.decrypt.privateKey, encryption: 'ECDH-ES' });
    const begun = await begin('kbc', { config });
    assert.equal((await redeem(begun, await visitByForms(begun.url))).claims().given_name, 'Lotte Margriet');
  } finally {
    bank.useClientKeys(keys.jwks, 'kbc');
  }
});

test('a_pushed_request_is_refused_without_the_clients_key', async () => {
  const stranger = await jose.generateKeyPair('ES256');
  const config = await configurationFor('belfius', { key: stranger.privateKey });
  assert.equal(await codeOf(begin('belfius', { config })), 'invalid_client');
  const bare = await fetch(`${bank.issuer('belfius')}/par`, { method: 'POST', body: new URLSearchParams({ client_id: 'symbolon', response_type: 'code', redirect_uri: redirectUri, scope: 'openid' }) });
  assert.equal(bare.status, 401);
});

test('a_request_that_was_not_pushed_is_refused', async () => {
  const config = await configurationFor('cbc');
  const url = oidc.buildAuthorizationUrl(config, { redirect_uri: redirectUri, scope: 'openid', state: 's', nonce: 'n', response_type: 'code',
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()), code_challenge_method: 'S256' });
  const answer = await fetch(url, { redirect: 'manual' });
  assert.equal(new URL(answer.headers.get('location')).searchParams.get('error'), 'invalid_request');
});

test('a_pushed_request_is_refused_without_PKCE_with_plain_with_another_redirect_or_for_another_flow', async (t) => {
  for (const [what, parameters] of Object.entries({
    'no PKCE': { code_challenge: '', code_challenge_method: '' }, plain: { code_challenge_method: 'plain' },
    'another redirect_uri': { redirect_uri: 'http://localhost:10/bank/return' }, implicit: { response_type: 'id_token' }, hybrid: { response_type: 'code id_token' },
  })) await t.test(what, async () => assert.match(await codeOf(begin('fintro', { parameters })), /^(invalid_request|invalid_redirect_uri|unsupported_response_type)$/));
});

test('a_code_is_redeemed_once_and_only_with_its_verifier', async () => {
  const begun = await begin('fintro');
  const back = await visitByForms(begun.url);
  const guessed = { ...begun, kept: { ...begun.kept, pkceCodeVerifier: oidc.randomPKCECodeVerifier() } };
  assert.equal(await codeOf(redeem(guessed, back)), 'invalid_grant');
  await redeem(begun, back);
  assert.equal(await codeOf(redeem(begun, back)), 'invalid_grant');
});

test('a_request_uri_serves_one_visit', async () => {
  const { url } = await begin('ing');
  await visitByForms(url);
  const again = new FormsVisit(url);
  await again.open();
  assert.equal(again.at, undefined);
});

test('B4_who_cancels_comes_back_with_access_denied_from_each_page', async (t) => {
  const ways = {
    card: async () => {},
    reader: (visit) => visit.press('reader', { card: peopleAt()[0].card }),
    app: (visit) => visit.press('app', { card: peopleAt()[0].card }),
  };
  for (const [page, way] of Object.entries(ways)) {
    await t.test(page, async () => {
      const begun = await begin('kbc');
      const visit = new FormsVisit(begun.url);
      await visit.open();
      await way(visit);
      assert.equal(visit.at, page);
      const back = await visit.press('cancel');
      assert.equal(back.origin + back.pathname, redirectUri);
      assert.equal(back.searchParams.get('error'), 'access_denied');
      assert.equal(back.searchParams.get('state'), begun.kept.expectedState);
      assert.equal(back.searchParams.get('iss'), bank.issuer('kbc'));
      assert.equal(await codeOf(redeem(begun, back)), 'access_denied');
    });
  }
});

test('a_visit_that_was_cancelled_does_not_go_on_by_the_back_button', async () => {
  const visit = new FormsVisit((await begin('kbc')).url);
  await visit.open();
  const page = visit.url;
  await visit.press('cancel');
  visit.url = page;
  await visit.press('reader', { card: peopleAt()[0].card });
  assert.equal(visit.status, 400);
  assert.ok(visit.text('error'));
});

test('the_card_is_blocked_after_three_wrong_PINs_and_works_again_once_unblocked', async () => {
  const { card } = peopleAt().find(({ id }) => id === 'amelie');
  const begun = await begin('ing');
  const visit = new FormsVisit(begun.url);
  await visit.open();
  await visit.press('reader', { card });
  for (const left of ['2', '1']) {
    await visit.press('compute', { pin: '9999', challenge: visit.challenge });
    assert.equal(visit.problem, 'pin_wrong');
    assert.match(visit.text('problem'), new RegExp(left));
  }
  await visit.press('compute', { pin: '9999', challenge: visit.challenge });
  assert.match(visit.html, /data-test="unblock"/);
  await visit.press('compute', { pin, challenge: visit.challenge });
  assert.equal(visit.readerAnswer, undefined, 'a blocked card answers nothing, not even to its PIN');
  await visit.press('identify', { answer: readerAnswer(card, pin, visit.challenge) });
  assert.equal(visit.problem, 'answer_wrong', 'nor is an answer believed that a blocked card cannot have given');
  await visit.press('unblock');
  await visit.press('compute', { pin, challenge: visit.challenge });
  const back = await visit.press('identify', { answer: visit.readerAnswer });
  assert.equal((await redeem(begun, back)).claims().given_name, 'Amélie-Zoë Françoise');
});

test('a_card_that_is_blocked_at_one_bank_works_at_another', async () => {
  const { card } = peopleAt().find(({ id }) => id === 'bruno');
  const visit = new FormsVisit((await begin('ing')).url);
  await visit.open();
  await visit.press('reader', { card });
  for (let i = 0; i < 3; ++i) await visit.press('compute', { pin: '0000', challenge: visit.challenge });
  assert.equal((await identify('kbc', { person: 'bruno' })).family_name, 'Delvaux-Essai');
});

test('three_wrong_answers_end_the_visit_and_a_badly_typed_one_does_not_count', async () => {
  const begun = await begin('cbc');
  const visit = new FormsVisit(begun.url);
  await visit.open();
  await visit.press('reader', { card: peopleAt()[0].card });
  await visit.press('identify', { answer: '123' });
  assert.equal(visit.problem, 'answer_malformed');
  const wrong = String((Number(readerAnswer(peopleAt()[0].card, pin, visit.challenge)) + 1) % 1e8).padStart(8, '0');
  for (let i = 0; i < 2; ++i) {
    await visit.press('identify', { answer: wrong });
    assert.equal(visit.problem, 'answer_wrong');
  }
  await visit.press('identify', { answer: wrong });
  assert.equal(visit.at, 'ended');
  await visit.press('approve');
  assert.equal(visit.at, 'ended', 'no button of another page goes on from here');
  const back = await visit.press('cancel');
  assert.equal(back.searchParams.get('error'), 'access_denied');
});

test('nobody_goes_past_the_card_number_or_the_answer', async () => {
  const begun = await begin('kbc');
  const visit = new FormsVisit(begun.url);
  await visit.open();
  for (const button of ['approve', 'identify', 'compute', 'nonsense', 'constructor']) {
    assert.equal(await visit.press(button, { answer: '00000000' }), undefined);
    assert.equal(visit.at, 'card');
  }
  await visit.press('reader', { card: '12' });
  assert.equal(visit.problem, 'card_malformed');
  await visit.press('reader', { card: '9056 0000 0000 9999' });
  assert.equal(visit.problem, 'card_unknown');
  await visit.press('reader', { card: '9056 0000 0000 0001' });
  assert.equal(visit.at, 'reader');
  await visit.press('approve');
  assert.equal(visit.at, 'reader');
});

test('the_answer_is_of_this_card_and_this_challenge', () => {
  const [one, other] = peopleAt();
  assert.match(readerAnswer(one.card, pin, '12345678'), /^\d{8}$/);
  assert.equal(readerAnswer(one.card, pin, '12345678'), readerAnswer(one.card, pin, '12345678'));
  assert.notEqual(readerAnswer(one.card, pin, '12345678'), readerAnswer(other.card, pin, '12345678'));
  assert.notEqual(readerAnswer(one.card, pin, '12345678'), readerAnswer(one.card, pin, '12345679'));
  assert.notEqual(readerAnswer(one.card, pin, '12345678'), readerAnswer(one.card, '1235', '12345678'));
});

test('a_visit_belongs_to_the_browser_that_began_it_and_to_the_banks_own_page', async () => {
  const visit = new FormsVisit((await begin('kbc')).url);
  await visit.open();
  assert.equal((await fetch(visit.url)).status, 400);
  const foreign = await visit.browser.fetch(visit.url, { method: 'POST', headers: { origin: 'http://localhost:9', 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ do: 'cancel' }) });
  assert.equal(foreign.status, 403);
});

test('a_bank_remembers_nobody_between_two_visits_of_one_browser', async () => {
  const begun = await begin('kbc');
  const first = new FormsVisit(begun.url);
  await first.open();
  await first.press('app', { card: peopleAt()[0].card });
  await redeem(begun, await first.press('approve'));
  const next = await begin('kbc');
  const back = await visitByForms(next.url, { person: 'amelie', browser: first.browser });
  assert.equal((await redeem(next, back)).claims().given_name, 'Amélie-Zoë Françoise');
});

test('the_pages_speak_the_language_that_was_asked_for_or_the_browsers', async () => {
  const titleOf = async (ui_locales, headers) => {
    const visit = new FormsVisit((await begin('kbc', { parameters: { ui_locales } })).url, { headers });
    await visit.open();
    return /<html lang="(\w\w)">[^]*<h1>([^<]*)</.exec(visit.html).slice(1).join(' ');
  };
  assert.deepEqual(await Promise.all(['en', 'fr-BE', 'nl', 'de'].map((one) => titleOf(one))), ['en Who are you?', 'fr Qui êtes-vous ?', 'nl Wie bent u?', 'de Wer sind Sie?']);
  assert.equal(await titleOf('it fr'), 'fr Qui êtes-vous ?');
  assert.equal(await titleOf('it', { 'accept-language': 'pt, en;q=0.3, de;q=0.9' }), 'de Wer sind Sie?');
});

test('each_text_exists_in_four_languages_with_the_same_places_to_fill_in', () => {
  const places = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();
  for (const language of languages) {
    assert.deepEqual(Object.keys(texts[language]), Object.keys(texts.en), language);
    for (const [key, text] of Object.entries(texts.en)) assert.equal(places(texts[language][key]), places(text), `${language} ${key}`);
    for (const person of peopleAt()) assert.ok(person.shows[language], `${person.id} ${language}`);
  }
});

test('a_key_that_is_rotated_signs_from_then_on_and_the_old_one_may_stay_published', async () => {
  const kids = async () => (await (await fetch(`${bank.issuer('cbc')}/jwks`)).json()).keys.map(({ kid }) => kid);
  const [old] = await kids();
  const begun = await begin('cbc');
  const visit = new FormsVisit(begun.url);
  await visit.open();
  await bank.rotateKeys('cbc', { keepOld: true });
  const [fresh, kept] = await kids();
  assert.equal(kept, old);
  assert.notEqual(fresh, old);
  await visit.press('app', { card: peopleAt()[0].card });
  await redeem(begun, await visit.press('approve'));
  await bank.rotateKeys('cbc');
  assert.equal((await kids()).length, 1);
  assert.equal((await kids()).includes(fresh), false);
  assert.equal((await identify('cbc')).given_name, 'Lotte Margriet');
});

test('B4_a_bank_that_is_down_is_down_alone_and_comes_back', async () => {
  const discovery = (id) => fetch(`${bank.issuer(id)}/.well-known/openid-configuration`);
  bank.goDown('ing');
  assert.equal((await discovery('ing')).status, 503);
  assert.equal((await discovery('kbc')).status, 200);
  bank.goDown('ing', 'closed');
  await assert.rejects(discovery('ing'));
  bank.comeBack('ing');
  assert.equal((await discovery('ing')).status, 200);
});

test('each_misbehaviour_is_one_that_a_careful_client_refuses', async (t) => {
  // What this client takes: it does not know what a person is, which levels are enough, or that this bank encrypts.
  const taken = ['low_assurance', 'no_assurance', 'long_names', 'turned_names', 'names_not_text', 'no_data', 'wrong_national_number', 'other_birth_in_national_number', 'no_national_number',
    'no_phone_number', 'endless', 'without_kid', 'from_the_future', 'in_the_clear'];
  for (const name of Object.keys(conducts)) {
    await t.test(name, async () => {
      bank.misbehave(name, 'kbc');
      if (name === 'other_issuer_in_metadata') return assert.equal(await codeOf(begin('kbc')), 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED');
      const begun = await begin('kbc');
      const back = await visitByForms(begun.url);
      const outcome = await redeem(begun, back).then(() => 'taken', () => 'refused');
      bank.behave('kbc');
      return assert.equal(outcome, taken.includes(name) ? 'taken' : 'refused');
    });
  }
});

test('a_misbehaving_bank_says_what_it_was_told_to', async () => {
  bank.misbehave({ otherPerson: 'amelie', acr: loa('low') }, 'belfius');
  const claims = await identify('belfius');
  assert.equal(claims.given_name, 'Amélie-Zoë Françoise');
  assert.equal(claims.acr, loa('low'));
  bank.misbehave('wrong_national_number', 'cbc');
  assert.notEqual((await identify('cbc'))['https://cbc.example/claims/register_number'], '85073099833');
});

test('what_the_banks_remember_is_bounded_and_ends_in_time', async (t) => {
  const shelf = new Shelf(3);
  for (let i = 0; i < 10; ++i) shelf.set(i, i, 60);
  assert.equal(shelf.size, 3);
  assert.equal(shelf.get(9), 9);
  assert.equal(shelf.get(0), undefined);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const adapter = makeAdapter(10)('AuthorizationCode');
  await adapter.upsert('a', { grantId: 'g', uid: 'u' }, 60);
  assert.equal((await adapter.findByUid('u')).grantId, 'g');
  t.mock.timers.tick(61_000);
  assert.equal(await adapter.find('a'), undefined);
  assert.equal(await adapter.findByUid('u'), undefined);
  await adapter.upsert('b', { grantId: 'g' }, 60);
  await adapter.revokeByGrantId('g');
  assert.equal(await adapter.find('b'), undefined);
});

test('customers_who_have_a_virtual_card_are_the_same_people_on_it', async () => {
  const personas = parse(await readFile(new URL('../../data/personas.toml', import.meta.url), 'utf8'));
  const whole = (name) => ({ ...(personas[name].like ? whole(personas[name].like) : {}), ...personas[name] });
  for (const { id, claims } of peopleAt(new Date('2026-03-01'))) {
    const card = whole(id);
    assert.equal(claims.family_name, card.surname, id);
    assert.equal(claims.given_name, card.given_names, id);
    assert.equal(claims.gender, card.sex, id);
    assert.equal(claims.place_of_birth, card.birth_place, id);
    assert.equal(claims.nationality, card.nationality, id);
    assert.deepEqual(claims.address, { street_address: card.street, postal_code: card.postal_code, locality: card.municipality }, id);
    assert.equal(Number(claims.national_number.slice(6, 9)), card.sequence, id);
    if (!('age' in personas[id]) && personas[id].birth) assert.equal(claims.birthdate, card.birth, id);
    if (claims.document_number) assert.equal(claims.document_number.slice(0, card.card_number.length), card.card_number, id);
  }
});

test('C2_the_young_customers_have_their_ages_on_any_day', () => {
  const ageOn = (born, day) => Number(day.slice(0, 4)) - Number(born.slice(0, 4)) - (day.slice(5) < born.slice(5) ? 1 : 0);
  for (const day of ['2026-01-01', '2026-06-15', '2027-12-31', '2028-02-29', '2027-08-14']) {
    const ages = Object.fromEntries(peopleAt(new Date(`${day}T12:00:00Z`)).map(({ id, claims }) => [id, ageOn(claims.birthdate, day)]));
    assert.deepEqual([ages['minor-15'], ages['minor-16'], ages['minor-17']], [15, 16, 17], day);
  }
});

test('B2_the_tables_for_the_configuration_name_the_seven_in_their_order_and_rules', () => {
  const { bank: tables } = parse(bankTables('http://localhost:8404'));
  assert.deepEqual(tables.map(({ id }) => id), ['bnpparibasfortis', 'hellobank', 'fintro', 'belfius', 'kbc', 'cbc', 'ing']);
  assert.deepEqual(tables.filter(({ minors }) => minors).map(({ id }) => id), ['bnpparibasfortis', 'belfius', 'kbc', 'ing']);
  assert.deepEqual(tables.filter((one) => one.app_first).map(({ id }) => id), ['belfius', 'kbc', 'ing']);
  assert.ok(tables.every(({ id, issuer, client_id: client }) => issuer === `http://localhost:8404/${id}` && client === 'symbolon'));
});

test('nothing_went_wrong_in_the_bank_itself', () => assert.deepEqual(said, []));
