// Every card that can be put into the reader, through pcscd and symbolon-eid to the server's judgement: what the page is told of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { solve } from '../../web/shared/person-check.ts';
import { startTestStack } from '../../web/demo/stack.mjs';
import { Browser } from '../lib/holder.mjs';

let stack;
before(async () => {
    stack = await startTestStack();
});
after(() => stack?.stop());

/** An enrolment page that waits for a card. */
async function begin(number) {
    const browser = new Browser();
    const check = await browser.json(`${stack.idUrl}/enrolment/person-check`);
    const begun = await browser.json(`${stack.idUrl}/enrolment`, {
        calling_code: '32', number, email: 'holder@example.be', language: 'en', location_consent: false, person_check: await solve(check.body),
    });
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    const post = async (verb) => (await browser.json(`${stack.idUrl}/enrolment/${verb}`, {})).body;
    return { link: () => post('link'), sign: () => post('sign'), state: async () => (await browser.json(`${stack.idUrl}/enrolment`)).body };
}
const run = ({ link, symbol }, pin = '1234') => stack.desk.run({ link, symbol, pin, language: 'en' });

const refused = {
    card_expired: ['expired', 'expired-card'],
    certificate_expired: ['expired-certificates'],
    certificate_not_yet_valid: ['not-yet-valid'],
    certificate_suspended: ['suspended', 'never-activated', 'signature-never-activated'],
    certificate_revoked: ['revoked', 'revoked-17', 'signature-revoked', 'crl-says-revoked'],
    certificate_status_unknown: ['unknown-to-responder'],
    revocation_unreachable: ['responder-down'],
    revocation_answer_stale: ['stale-answer'],
    revocation_responder_unauthorised: ['wrong-responder'],
    revocation_answer_invalid: ['forged-answer', 'replayed-answer'],
    identity_signature_invalid: ['wrong-identity-signature', 'wrong-identity-signature-17', 'old-hashes'],
    address_signature_invalid: ['wrong-address-signature', 'swapped-address'],
    photo_hash_mismatch: ['wrong-photo'],
    card_key_hash_mismatch: ['wrong-key-hash'],
    card_not_genuine: ['cloned', 'cloned-17'],
    national_number_mismatch: ['other-persons-certificates'],
    national_number_invalid: ['wrong-check-digits'],
    name_mismatch: ['other-name'],
    certificates_disagree: ['leaves-disagree'],
    chip_number_mismatch: ['other-chip'],
    certificate_root_unknown: ['untrusted-root'],
    document_type_not_allowed: ['habilitation'],
    too_young: ['kid', 'minor-15'],
    minor_needs_bank: ['minor-16', 'minor-17', 'turns-18-soon'],
    signature_certificate_missing: ['no-signature-certificate'],
};

test('A7_C1_C2_C3_each_card_that_is_not_good_has_its_own_sentence_and_the_next_card_goes_on_where_it_was', async () => {
    const page = await begin('0473 00 00 01');
    for (const [outcome, personas] of Object.entries(refused)) {
        for (const persona of personas) {
            await stack.desk.insert(persona);
            const read = await run(await page.link());
            const state = await page.state();
            assert.notEqual(read.code, 0, `${persona} is refused`);
            assert.equal(state.step, 'card', `${persona}: the step stays`);
            assert.equal(state.outcome?.outcome ?? state.progress?.outcome, outcome, `${persona}: ${read.said}`);
            const told = state.outcome ?? state.progress;
            assert.ok(told.text.length > 20, `${persona} is told in a sentence`);
            assert.equal('open_at' in told, outcome === 'too_young', `${persona}: a date only where time mends it`);
            assert.equal(state.phone_number, '+32473000001', 'what was typed is kept');
            assert.doesNotMatch(JSON.stringify(told), /\d{11}|Test|Essai|Proef/, 'nothing of the card stands in the sentence');
        }
    }
    await stack.desk.insert('lotte');
    const good = await run(await page.link());
    assert.equal(good.code, 0, good.said);
    const state = await page.state();
    assert.equal(state.step, 'review');
    assert.equal(state.outcome, undefined, 'nothing of the failures is left');
});

const honest = {
    bruno: { name: 'Bruno Étienne Delvaux-Essai', birth_date: '1971-03-09' },
    nadia: {},
    jurgen: {},
    amelie: {},
    'longest-names': {},
    millennium: { birth_date: /^20/ },
    'young-adult': {},
    foreigner: {},
    'foreigner-17': {},
    'single-name': { name: /^\S+$/ },
    'bis-number': {},
    'unknown-birth-day': { birth_date: /^\d{4}$/ },
    'known-birth-month': { birth_date: /^\d{4}-\d{2}$/ },
    'crl-only': {},
    renewed: {},
    moved: { address: /Verhuisplein/ },
};

test('A2_every_honest_card_comes_to_the_contract_with_what_stands_on_it', async () => {
    let number = 0;
    for (const [persona, expected] of Object.entries(honest)) {
        await stack.desk.insert(persona);
        number += 1;
        const page = await begin(`0473 00 01 ${String(number).padStart(2, '0')}`);
        const read = await run(await page.link());
        assert.equal(read.code, 0, `${persona}: ${read.said}`);
        const { step, person } = await page.state();
        assert.equal(step, 'review', persona);
        for (const [member, value] of Object.entries(expected)) {
            if (value instanceof RegExp) assert.match(person[member], value, persona);
            else assert.equal(person[member], value, persona);
        }
        const signed = await run(await page.sign());
        assert.equal(signed.code, 0, `${persona} signs: ${signed.said}`);
        assert.equal((await page.state()).step, 'phone', persona);
    }
});

test('A7_a_long_PIN_signs_a_blocked_one_is_told_and_the_last_try_is_not_spent_unasked', async () => {
    for (const [persona, pin, outcome] of [['long-pin', '123456789012', null], ['blocked-pin', '1234', 'pin_blocked'], ['last-try', '1234', 'pin_last_try']]) {
        await stack.desk.insert(persona);
        const page = await begin('0473 00 02 01');
        const read = await run(await page.link(), pin);
        assert.equal(read.code, 0, `${persona}: ${read.said}`);
        await run(await page.sign(), pin);
        const state = await page.state();
        assert.equal(state.step, outcome ? 'sign' : 'phone', persona);
        assert.equal(state.progress?.outcome, outcome ?? undefined, persona);
    }
});

test('A7_a_reader_without_a_card_is_told_and_the_card_that_comes_then_is_read', async () => {
    const page = await begin('0473 00 03 01');
    await stack.card.remove();
    // The service notices an empty reader a moment later; until then the card was taken out under the program's hands.
    const look = async () => {
        const empty = await run(await page.link());
        assert.notEqual(empty.code, 0);
        return (await page.state()).progress.outcome;
    };
    let outcome = await look();
    while (outcome === 'card_removed') outcome = await look();
    assert.equal(outcome, 'card_missing');
    await stack.desk.insert('bruno');
    const read = await run(await page.link());
    assert.equal(read.code, 0, read.said);
    assert.equal((await page.state()).step, 'review');
});
