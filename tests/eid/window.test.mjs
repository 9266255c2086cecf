// The window of symbolon-eid with the keyboard alone, on a screen that nobody sees, with a virtual card through the real pcscd.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { defaultBinDir, initPki, startCardStack } from '../lib/card_stack.mjs';
import { startServer } from '../lib/reader_server.mjs';
import { startScreen } from '../lib/screen.mjs';

const program = join(defaultBinDir(), 'symbolon-eid');
let folder;
let card;
let screen;
before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symbolon-window-'));
    card = await startCardStack({ persona: 'bruno', pki: await initPki(join(folder, 'pki')) });
    screen = await startScreen();
});
after(async () => {
    await screen?.stop();
    await card?.stop();
    await rm(folder, { recursive: true, force: true });
});

/** Runs `then` with the window of a program that was given the link of a played server, and waits for the program's end: { code, err, server }. */
async function withWindow(then, { served = {}, prepare, options = [] } = {}) {
    const server = await startServer();
    server.open = { language: 'en', ...served };
    prepare?.(server);
    const child = spawn(program, ['--window', ...options, '--', server.link], { env: { ...card.env, ...screen.env, PCSCLITE_CSOCK_NAME: card.csock, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
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
