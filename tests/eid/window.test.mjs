// The window of symbolon-eid with the keyboard alone, on a screen that nobody sees, with a virtual card through the real pcscd.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { defaultBinDir, initPki, startCardStack } from '../lib/card_stack.mjs';
import { startServer } from '../lib/reader_server.mjs';
import { startScreen } from '../lib/screen.mjs';

const program = join(defaultBinDir(), 'symbolon-eid');
let folder;
let pki;
let card;
let screen;
before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symbolon-window-'));
    pki = await initPki(join(folder, 'pki'));
    card = await startCardStack({ persona: 'bruno', pki });
    screen = await startScreen();
});
after(async () => {
    await screen?.stop();
    await card?.stop();
    await rm(folder, { recursive: true, force: true });
});

/** Runs `then` with the window of a program that was given the link of a played server, and waits for the program's end: { code, err, server }. */
async function withWindow(then, { served = {}, prepare, options = [], stack = card, csock = stack.csock } = {}) {
    const server = await startServer();
    server.open = { language: 'en', ...served };
    prepare?.(server);
    const child = spawn(program, ['--window', ...options, '--', server.link], { env: { ...stack.env, ...screen.env, PCSCLITE_CSOCK_NAME: csock, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
    const ended = new Promise((done) => child.once('close', (code) => done(code)));
    let pages;
    try {
        pages = await screen.pages('symbolon-eid');
        await then(pages, { server, child });
        return { code: await ended, said, server };
    } finally {
        await pages?.stop();
        if (child.exitCode === null) child.kill('SIGKILL');
        await server.stop();
    }
}

// What is in focus first is never a yes; the yes is the next button, the first symbol comes after the row of buttons.
const press = (...keys) => screen.press(...keys);
const type = (pin) => press(...pin, 'Return');
const agree = async (pages) => { await pages.next('consent'); await press('Tab', 'space'); };
const firstSymbol = async (pages) => { await pages.next('symbol'); await press('Tab', 'Tab', 'space'); };

for (const language of ['en', 'fr', 'nl', 'de']) {
    test(`A2_a_card_is_read_in_the_window_with_consent_symbol_and_PIN (${language})`, async () => {
        await card.insert('bruno');
        const { code, said, server } = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            await pages.next('pin');
            await press('9', '9', '9', '9', 'Return');
            await pages.next('pin');
            await press('1', '2', '3', '4', 'Return');
            await pages.next('done');
            await press('Return');
        }, { served: { language } });
        assert.equal(code, 0, said);
        assert.equal(server.sent('/eid/read').symbol, 'boat');
        assert.ok(server.sent('/eid/read').authentication_signature, 'the card answered after the PIN');
        assert.deepEqual(server.progress().map(({ at, outcome, tries_left }) => [at, outcome, tries_left]),
            [['reading', undefined, undefined], ['pin', undefined, undefined], ['pin', 'pin_wrong', 2], ['pin', undefined, undefined],
                ['sending', undefined, undefined]], 'each step is told to the page');
    });
}

test('A7_nothing_is_read_when_the_window_is_closed_at_the_consent', async () => {
    await card.insert('bruno');
    const { code, said, server } = await withWindow(async (pages) => {
        await pages.next('consent');
        await press('Escape');
    });
    assert.equal(code, 3, said);
    assert.match(said, /\[cancelled\]\s*$/);
    assert.deepEqual(server.asked.map(({ path }) => path), ['/eid/open']);
});

test('A7_the_key_that_was_meant_for_the_page_does_not_agree', async () => {
    const { code, server } = await withWindow(async (pages) => {
        await pages.next('consent');
        await press('Return');
    });
    assert.equal(code, 3);
    assert.deepEqual(server.asked.map(({ path }) => path), ['/eid/open']);
});

test('A7_a_page_whose_symbol_is_none_of_these_is_refused_with_a_sentence', async () => {
    const { code, said, server } = await withWindow(async (pages) => {
        await agree(pages);
        await pages.next('symbol');
        await press('Tab', 'space');
        await pages.next('failed');
        await press('Return');
    });
    assert.equal(code, 3, said);
    assert.match(said, /\[page_symbol_wrong\]\s*$/);
    assert.equal(server.sent('/eid/read'), undefined);
});

test('A7_the_window_waits_for_the_card_and_stops_when_it_is_closed_meanwhile', async () => {
    await card.remove();
    const { code, said, server } = await withWindow(async (pages, { server: played }) => {
        const asked = new Promise((done) => {
            played.on['/eid/progress'] = (body) => { if (body.at === 'card') done(); return 'go on'; };
        });
        await agree(pages);
        await firstSymbol(pages);
        await asked;
        await press('Escape');
    });
    assert.equal(code, 3, said);
    assert.deepEqual(server.progress().map(({ at, outcome }) => [at, outcome]), [['card', undefined], ['card', 'cancelled']]);
});

/** What the window's server says when a contract is to be signed with the card that is in the reader, and a judge of the signature. */
async function contractFor(stack) {
    const server = await startServer();
    const reader = spawn(program, ['--headless', '--yes', '--symbol', 'boat', '--pin-fd', '3', '--', server.link], { env: stack.env, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    reader.stdio[3].on('error', () => {}).end('1234\n');
    await new Promise((done) => { reader.once('close', done); });
    const read = server.sent('/eid/read');
    await server.stop();
    const file = (name) => Buffer.from(read.files[name], 'base64url');
    const [algorithm, dsaEncoding] = read.files.card_key ? ['sha384', 'ieee-p1363'] : ['sha256', undefined];
    const contract = Buffer.from('the signed attributes of a contract');
    const certificate = file('signature_certificate');
    const key = new X509Certificate(certificate.subarray(0, 4 + certificate.readUInt16BE(2))).publicKey;
    return {
        served: {
            purpose: 'sign', digest: createHash(algorithm).update(contract).digest('base64url'), digest_algorithm: algorithm,
            chip_number: file('card_data').subarray(0, 16).toString('base64url'), contract_title: 'Contract with Symbolon', challenge: undefined, symbols: undefined,
        },
        isSigned: (sent) => verify(algorithm, contract, { key, dsaEncoding }, Buffer.from(sent.signature, 'base64url')),
    };
}

for (const persona of ['bruno', 'lotte'])
    test(`A2_the_contract_is_signed_in_the_window_after_consent_and_the_second_PIN (${persona})`, async () => {
        await card.insert(persona);
        const { served, isSigned } = await contractFor(card);
        const { code, said, server } = await withWindow(async (pages) => {
            await agree(pages);
            assert.deepEqual((await pages.next('pin')).filter((page) => page === 'symbol'), [], 'the symbol belongs to the reading');
            await type('1234');
            await pages.next('done');
            await press('Return');
        }, { served });
        assert.equal(code, 0, said);
        assert.ok(isSigned(server.sent('/eid/sign')), 'by the signature key, over the digest of the contract');
        assert.equal(server.sent('/eid/read'), undefined);
    });

test('A2_a_contract_that_is_not_agreed_to_is_not_signed_and_the_card_is_not_asked', async () => {
    await card.insert('bruno');
    const { served } = await contractFor(card);
    const { code, said, server } = await withWindow(async (pages) => {
        await pages.next('consent');
        await press('space');
    }, { served });
    assert.equal(code, 3, said);
    assert.deepEqual(server.asked.map(({ path }) => path), ['/eid/open']);
});

test('A7_wrong_PINs_count_down_to_the_last_try_which_is_only_used_when_that_is_confirmed', async () => {
    await card.insert('bruno');
    const first = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        for (const wrong of ['9999', '8888']) {
            await pages.next('pin');
            await type(wrong);
        }
        assert.ok(!(await pages.next('last_try')).includes('pin'), 'first the warning');
        await press('Return'); // in focus: stop
        await pages.next('failed');
        await press('Return');
    });
    assert.equal(first.code, 5, first.said);
    assert.match(first.said, /\[pin_last_try\]\s*$/);
    assert.deepEqual(first.server.progress().filter(({ outcome }) => outcome).map(({ outcome, tries_left }) => [outcome, tries_left]),
        [['pin_wrong', 2], ['pin_wrong', 1], ['pin_last_try', 1]]);
    assert.match(await card.status(), /bruno \w+ 1$/, 'the last try is still there');

    const second = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        await pages.next('last_try');
        await press('Tab', 'space');
        await pages.next('pin');
        await type('1234');
        await pages.next('done');
        await press('Return');
    });
    assert.equal(second.code, 0, second.said);
    assert.match(await card.status(), /bruno \w+ 3$/, 'the right PIN gives all tries back');
});

test('A7_the_third_wrong_PIN_blocks_the_card_and_the_window_says_so', async () => {
    await card.insert('nadia');
    const { code, said, server } = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        for (const wrong of ['9999', '8888']) {
            await pages.next('pin');
            await type(wrong);
        }
        await pages.next('last_try');
        await press('Tab', 'space');
        await pages.next('pin');
        await type('7777');
        await pages.next('failed');
        await press('Return');
    });
    assert.equal(code, 5, said);
    assert.match(said, /\[pin_blocked\]\s*$/);
    assert.equal(server.progress().at(-1).outcome, 'pin_blocked');

    const again = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        assert.deepEqual((await pages.next('failed')).filter((page) => page === 'pin' || page === 'last_try'), [], 'no PIN is asked for');
        await press('Return');
    });
    assert.match(again.said, /\[pin_blocked\]\s*$/);
});

test('A7_a_card_that_is_taken_out_before_the_PIN_came_is_missed_with_a_sentence', async () => {
    await card.insert('bruno');
    const { code, said, server } = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        await pages.next('pin');
        await card.remove();
        await type('1234');
        await pages.next('failed');
        await press('Return');
    });
    assert.equal(code, 4, said);
    assert.match(said, /\[card_removed\]\s*$/);
    assert.equal(server.progress().at(-1).outcome, 'card_removed');
    assert.equal(server.sent('/eid/read'), undefined);
});

test('A7_no_reader_and_no_service_for_readers_are_said_in_the_window', async () => {
    for (const [how, outcome] of [[{ options: ['--reader', 'a reader that is not there', '--wait', '1'] }, 'reader_missing'],
        [{ csock: join(folder, 'nobody') }, 'reader_service_missing']]) {
        const { code, said, server } = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            await pages.next('failed');
            await press('Return');
        }, how);
        assert.equal(code, 4, said);
        assert.match(said, new RegExp(`\\[${outcome}\\]\\s*$`));
        assert.equal(server.progress().at(-1).outcome, outcome);
    }
});

test('A7_stopping_at_the_PIN_uses_no_try', async () => {
    await card.insert('bruno');
    const { code, said, server } = await withWindow(async (pages) => {
        await agree(pages);
        await firstSymbol(pages);
        await pages.next('pin');
        await press('9', '9', '9', '9', 'Escape');
    });
    assert.equal(code, 3, said);
    assert.equal(server.progress().at(-1).outcome, 'cancelled');
    assert.match(await card.status(), /bruno \w+ 3$/);
});

// The PIN pad is pcscd's driver of the virtual reader with keys put before it (src/virtual_card/pin_pad_reader.cpp): symbolon-eid, libpcsclite
// and pcscd are the real ones, and what PC/SC part 10 says travels through all of them.
describe('a reader with keys of its own', () => {
    let stack;
    let typed;
    let asked;
    before(async () => { stack = await startCardStack({ persona: 'bruno', pki, pinPad: (digits) => { asked.push(digits); return typed.shift(); } }); });
    after(() => stack?.stop());
    const onReader = async (...keys) => {
        [typed, asked] = [keys, []];
        await stack.insert('bruno');
    };
    const withoutField = (pages) => assert.deepEqual(pages.filter((page) => page === 'pin'), [], 'nothing is typed on this computer');

    test('A2_the_PIN_is_typed_on_the_reader_and_nowhere_else', async () => {
        await onReader('9999', '1234');
        const { code, said, server } = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('done'));
            await press('Return');
        }, { stack });
        assert.equal(code, 0, said);
        assert.ok(server.sent('/eid/read').authentication_signature);
        assert.deepEqual(asked, Array(2).fill({ shortest: 4, longest: 12 }));
        assert.deepEqual(server.progress().map(({ at, outcome, tries_left }) => [at, outcome, tries_left]),
            [['reading', undefined, undefined], ['pin', undefined, undefined], ['pin', 'pin_wrong', 2], ['pin', undefined, undefined],
                ['sending', undefined, undefined]]);
    });

    test('A2_the_contract_is_signed_with_the_PIN_from_the_reader', async () => {
        await onReader('1234', '1234');
        const { served, isSigned } = await contractFor(stack);
        const { code, said, server } = await withWindow(async (pages) => {
            await agree(pages);
            withoutField(await pages.next('done'));
            await press('Return');
        }, { stack, served });
        assert.equal(code, 0, said);
        assert.ok(isSigned(server.sent('/eid/sign')));
    });

    test('A7_cancelled_on_the_reader_too_short_there_or_nothing_typed_uses_no_try', async () => {
        await onReader('cancel');
        const cancelled = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('failed'));
            await press('Return');
        }, { stack });
        assert.equal(cancelled.code, 3, cancelled.said);
        assert.match(cancelled.said, /\[cancelled\]\s*$/);

        await onReader('12', '1234'); // a PIN that can't be one is asked for again
        const short = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('done'));
            await press('Return');
        }, { stack });
        assert.equal(short.code, 0, short.said);
        assert.equal(short.server.progress().find(({ outcome }) => outcome)?.outcome, 'pin_malformed');
        assert.match(await stack.status(), /bruno \w+ 3$/);
    });

    test('A7_nothing_typed_on_the_reader_in_time_is_said_uses_no_try_and_may_be_tried_again', async () => {
        await onReader(undefined, '1234');
        const late = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('done'));
            await press('Return');
        }, { stack });
        assert.equal(late.code, 0, late.said);
        assert.equal(asked.length, 2, 'the reader asked again');
        assert.ok(late.server.sent('/eid/read').authentication_signature);
        assert.match(await stack.status(), /bruno \w+ 3$/);

        await onReader(undefined, undefined, undefined);
        const gone = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('failed'));
            await press('Return');
        }, { stack });
        assert.equal(gone.code, 3, gone.said);
        assert.match(gone.said, /No try was used|Aucun essai|geen poging|Kein Versuch/);
        assert.match(gone.said, /\[cancelled\]\s*$/);
        assert.equal(asked.length, 3, 'nobody sits there: it is not asked for ever');
        assert.match(await stack.status(), /bruno \w+ 3$/);
    });

    test('A7_the_last_try_is_confirmed_before_the_reader_asks_for_it', async () => {
        await onReader('9999', '8888', '1234');
        const { code, said } = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            await pages.next('last_try');
            assert.equal(asked.length, 2, 'the reader has not asked yet');
            await press('Tab', 'space');
            withoutField(await pages.next('done'));
            await press('Return');
        }, { stack });
        assert.equal(code, 0, said);
        assert.equal(asked.length, 3);
    });

    test('A7_a_card_taken_out_while_the_reader_asks_is_missed_with_a_sentence', async () => {
        await onReader();
        typed = { shift: async () => { await stack.remove(); return '1234'; } };
        const { code, said } = await withWindow(async (pages) => {
            await agree(pages);
            await firstSymbol(pages);
            withoutField(await pages.next('failed'));
            await press('Return');
        }, { stack });
        assert.equal(code, 4, said);
        assert.match(said, /\[card_removed\]\s*$/);
    });
});
