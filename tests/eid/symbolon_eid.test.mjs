// symbolon-eid with a virtual card through the real pcscd, against a server that is played here (docs/reader-protocol.md).
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { defaultBinDir, initPki, startCardStack } from '../lib/card_stack.mjs';
import { startServer, ticket } from '../lib/reader_server.mjs';

const program = join(defaultBinDir(), 'symbolon-eid');
const bytes = (text) => Buffer.from(text, 'base64url');

/** Runs the program; { code, out, err, outcome }. `pin`: what file descriptor 3 gives. */
function run(link, { env, pin, options = [], headless = true, input } = {}) {
    return new Promise((done, failed) => {
        const child = spawn(program, [link, ...(headless ? ['--headless', '--yes', '--symbol', 'boat'] : []),
            ...(pin === undefined ? [] : ['--pin-fd', '3']), ...options],
        { env: { ...env, LC_ALL: 'C.UTF-8' }, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], timeout: 60_000 });
        let [out, err] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
        child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
        child.stdin.on('error', () => {}).end(input ?? '');
        child.stdio[3].on('error', () => {}).end(pin === undefined ? '' : `${pin}\n`);
        child.once('error', failed);
        child.once('close', (code) => done({ code, out, err, outcome: /\[(\w+)\]\s*$/.exec(err)?.[1] }));
    });
}

const certificateIn = (file) => {
    const der = bytes(file);
    return new X509Certificate(der.subarray(0, 4 + der.readUInt16BE(2)));
};

let folder;
let pki;
let server;
const servers = [];
const newServer = async (open = {}) => {
    server = await startServer();
    servers.push(server);
    server.open = open;
    return server;
};
before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symbolon-eid-'));
    pki = await initPki(join(folder, 'pki'));
});
after(async () => {
    await Promise.all(servers.map((one) => one.stop()));
    await rm(folder, { recursive: true, force: true });
});

const cards = [
    { persona: 'lotte', generation: '1.8', algorithm: 'sha384', file: '85073099' },
    { persona: 'bruno', generation: '1.7', algorithm: 'sha256', file: '71030999' },
];

for (const { persona, generation, algorithm, file } of cards) {
    describe(`a card of generation ${generation}`, () => {
        let stack;
        before(async () => { stack = await startCardStack({ persona, pki }); });
        after(() => stack.stop());
        const pin = generation === '1.7' ? '1234' : undefined;
        let chipNumber;

        test(`A2_the_card_is_read_and_answers_the_challenge_of_this_origin (${generation})`, async () => {
            await newServer();
            const ended = await run(server.link, { env: stack.env, pin });
            assert.equal(ended.code, 0, ended.err);
            assert.deepEqual(server.sent('/eid/open'), { ticket, version: '0.1.0' });

            const read = server.sent('/eid/read');
            assert.equal(read.session, 'S');
            assert.equal(read.symbol, 'boat');
            assert.match(bytes(read.files.identity).toString('latin1'), new RegExp(file));
            assert.equal(bytes(read.files.photo).readUInt16BE(0), 0xffd8);
            for (const name of ['identity_signature', 'address', 'address_signature', 'card_data', 'authentication_certificate',
                'signature_certificate', 'ca_certificate', 'root_certificate', 'register_certificate'])
                assert.ok(bytes(read.files[name]).length > 0, name);
            chipNumber = bytes(read.files.card_data).subarray(0, 16).toString('base64url');

            const answered = Buffer.concat([server.challenge, Buffer.from(server.origin)]);
            if (generation === '1.8') {
                const key = createPublicKey({ key: bytes(read.files.card_key), format: 'der', type: 'spki' });
                assert.ok(verify('sha384', answered, { key, dsaEncoding: 'ieee-p1363' }, bytes(read.internal_authenticate)));
                assert.equal(read.authentication_signature, undefined);
            } else {
                const { publicKey } = certificateIn(read.files.authentication_certificate);
                assert.ok(verify('sha256', answered, publicKey, bytes(read.authentication_signature)));
                assert.equal(read.internal_authenticate, undefined);
                assert.equal(read.files.card_key, undefined);
            }
            const at = server.progress().map((one) => one.at);
            assert.deepEqual(at, generation === '1.7' ? ['reading', 'pin', 'sending'] : ['reading', 'sending']);
            assert.ok(server.progress().every((one) => one.session === 'S' && one.outcome === undefined));
        });

        test(`A2_the_signature_key_signs_the_contract (${generation})`, async () => {
            const contract = Buffer.from('the signed attributes of a contract');
            await newServer();
            await run(server.link, { env: stack.env, pin });
            const { files } = server.sent('/eid/read');
            await newServer({
                purpose: 'sign', digest: createHash(algorithm).update(contract).digest('base64url'), digest_algorithm: algorithm,
                chip_number: chipNumber, contract_title: 'Contrat Symbolon', challenge: undefined, symbols: undefined,
            });
            const ended = await run(server.link, { env: stack.env, pin: '1234' });
            assert.equal(ended.code, 0, ended.err);
            assert.match(ended.out, /Contrat Symbolon/);
            const signed = server.sent('/eid/sign');
            assert.equal(signed.chip_number, chipNumber);
            assert.equal('symbol' in signed, false);
            const key = certificateIn(files.signature_certificate).publicKey;
            assert.ok(verify(algorithm, contract, generation === '1.8' ? { key, dsaEncoding: 'ieee-p1363' } : key, bytes(signed.signature)));
            assert.match(await stack.status(), /3/, 'all tries are there');
        });

        test(`A7_another_card_than_the_one_that_was_read_signs_nothing (${generation})`, async () => {
            await newServer({
                purpose: 'sign', digest: Buffer.alloc(algorithm === 'sha384' ? 48 : 32, 1).toString('base64url'),
                digest_algorithm: algorithm, chip_number: Buffer.alloc(16, 7).toString('base64url'), contract_title: 'C',
            });
            const ended = await run(server.link, { env: stack.env, pin: '1234' });
            assert.equal(ended.code, 4);
            assert.equal(ended.outcome, 'other_card_than_read');
            assert.equal(server.sent('/eid/sign'), undefined);
            assert.equal(server.progress().at(-1).outcome, 'other_card_than_read');
        });

        test(`another_program_that_resets_the_card_does_no_harm (${generation})`, async () => {
            await newServer();
            let resets = 0;
            const reset = () => new Promise((done) => {
                execFile('opensc-tool', ['--reset'], { env: stack.env }, (error) => { if (!error) resets += 1; done('go on'); });
            });
            server.on['/eid/progress'] = reset;
            const ended = await run(server.link, { env: stack.env, pin });
            assert.equal(ended.code, 0, ended.err);
            assert.ok(resets > 0, 'the card was reset');
        });

        test(`neither_PIN_nor_national_number_are_printed_or_sent_where_they_do_not_belong (${generation})`, async () => {
            await newServer();
            const ended = await run(server.link, { env: stack.env, pin: '1234' });
            const said = ended.out + ended.err;
            assert.doesNotMatch(said, new RegExp(`1234(?!56)|${file}`), said);
            assert.doesNotMatch(JSON.stringify(server.asked.filter(({ path }) => path !== '/eid/read')), /1234(?!56)|Vermeersch|Delvaux/);
        });

        test(`A7_a_card_that_is_pulled_out_while_it_is_read (${generation})`, async () => {
            await newServer();
            server.on['/eid/progress'] = async (body) => {
                if (body.at === 'reading' && !body.outcome) await stack.remove();
                return 'go on';
            };
            const ended = await run(server.link, { env: stack.env, pin });
            assert.equal(ended.code, 4, ended.err);
            assert.equal(ended.outcome, 'card_removed');
            assert.deepEqual(server.progress().at(-1), { session: 'S', at: 'reading', outcome: 'card_removed' });
            assert.equal(server.sent('/eid/read'), undefined);
            await stack.insert(persona);
        });
    });
}

describe('the PIN', () => {
    let stack;
    before(async () => { stack = await startCardStack({ persona: 'bruno', pki }); });
    after(() => stack.stop());

    test('A7_a_wrong_PIN_tells_the_tries_that_are_left_and_the_last_one_is_not_spent_unasked', async () => {
        for (const left of [2, 1]) {
            await newServer();
            const wrong = await run(server.link, { env: stack.env, pin: '9999' });
            assert.equal(wrong.code, 5, wrong.err);
            assert.equal(wrong.outcome, 'pin_wrong');
            assert.match(wrong.err, new RegExp(`: ${left}\\.`));
            assert.deepEqual(server.progress().at(-1), { session: 'S', at: 'pin', outcome: 'pin_wrong', tries_left: left });
            assert.equal(server.sent('/eid/read'), undefined);
        }
        await newServer();
        const last = await run(server.link, { env: stack.env, pin: '1234' });
        assert.equal(last.code, 5);
        assert.equal(last.outcome, 'pin_last_try');
        const confirmed = await run(server.link, { env: stack.env, pin: '1234', options: ['--last-try'] });
        assert.equal(confirmed.code, 0, confirmed.err);
    });

    test('A7_a_blocked_PIN_is_said_to_be_blocked', async () => {
        await stack.insert('blocked-pin');
        await newServer();
        const read = await run(server.link, { env: stack.env });
        assert.equal(read.code, 0, `a 1.8 card is read without its PIN: ${read.err}`);
        const chipNumber = bytes(server.sent('/eid/read').files.card_data).subarray(0, 16).toString('base64url');

        await newServer({
            purpose: 'sign', digest: Buffer.alloc(48, 1).toString('base64url'), digest_algorithm: 'sha384', chip_number: chipNumber,
            contract_title: 'C',
        });
        const ended = await run(server.link, { env: stack.env, pin: '1234' });
        assert.equal(ended.code, 5, ended.err);
        assert.equal(ended.outcome, 'pin_blocked');
        assert.deepEqual(server.progress().at(-1), { session: 'S', at: 'pin', outcome: 'pin_blocked' });
    });

    test('a_PIN_that_cannot_be_one_is_not_tried', async () => {
        await stack.insert('bruno');
        for (const pin of ['', '12', '12345678901234', '12a4', '1'.repeat(5000)]) {
            await newServer();
            const ended = await run(server.link, { env: stack.env, pin });
            assert.equal(ended.code, 5, ended.err);
            assert.equal(ended.outcome, 'pin_malformed');
        }
        assert.match(await stack.status(), /3/, 'no try was spent');
    });

    test('without_a_PIN_to_read_nothing_is_tried', async () => {
        await newServer();
        const ended = await run(server.link, { env: stack.env });
        assert.equal(ended.code, 3, ended.err);
        assert.equal(ended.outcome, 'cancelled');
    });
});

describe('no card', () => {
    let stack;
    before(async () => { stack = await startCardStack({ pki }); });
    after(() => stack.stop());

    test('A7_no_card_in_the_reader', async () => {
        await newServer();
        const ended = await run(server.link, { env: stack.env });
        assert.equal(ended.code, 4, ended.err);
        assert.equal(ended.outcome, 'card_missing');
        assert.deepEqual(server.progress().map(({ at, outcome }) => [at, outcome]), [['card', undefined], ['card', 'card_missing']]);
    });

    test('A7_a_card_that_comes_while_the_program_waits_is_read', async () => {
        await newServer();
        server.on['/eid/progress'] = async (body) => {
            if (body.at === 'card') await stack.insert('lotte');
            return 'go on';
        };
        const ended = await run(server.link, { env: stack.env, options: ['--wait', '30'] });
        assert.equal(ended.code, 0, ended.err);
        assert.deepEqual(server.progress().map(({ at }) => at), ['card', 'reading', 'sending']);
        await stack.remove();
    });

    test('A7_no_reader_of_that_name', async () => {
        await newServer();
        const ended = await run(server.link, { env: stack.env, options: ['--reader', 'Another Reader'] });
        assert.equal(ended.code, 4, ended.err);
        assert.equal(ended.outcome, 'reader_missing');
    });

    test('A7_no_service_for_readers', async () => {
        await newServer();
        const ended = await run(server.link, { env: { ...stack.env, PCSCLITE_CSOCK_NAME: join(folder, 'nobody') } });
        assert.equal(ended.code, 4, ended.err);
        assert.equal(ended.outcome, 'reader_service_missing');
    });
});

describe('the holder and the server', () => {
    let stack;
    before(async () => { stack = await startCardStack({ persona: 'lotte', pki }); });
    after(() => stack.stop());
    const ended = async (options) => run(server.link, { env: stack.env, ...options });

    test('the_host_the_number_and_the_address_are_shown_before_anything_is_read', async () => {
        await newServer();
        const refused = await ended({ headless: false, input: 'n\n', options: ['--lang', 'en'] });
        assert.equal(refused.code, 3);
        assert.equal(refused.outcome, 'cancelled');
        assert.match(refused.out, new RegExp(server.origin.slice('http://'.length)));
        assert.match(refused.out, /\+32\u00a0470\u00a012\u00a034\u00a056/);
        assert.match(refused.out, /a@b\.example/);
        assert.deepEqual(server.asked.map(({ path }) => path), ['/eid/open']);
    });

    test('the_language_is_the_pages_unless_the_holder_chose_one', async () => {
        await newServer();
        assert.match((await ended()).out, /Votre carte a été lue/);
        assert.equal(server.asked.at(-1).language, 'fr');
        await newServer();
        assert.match((await ended({ options: ['--lang', 'de'] })).out, /Ihr Ausweis wurde gelesen/);
        assert.equal(server.asked.at(-1).language, 'de');
    });

    test('the_symbol_is_chosen_by_number_or_by_its_name', async () => {
        for (const [input, symbol] of [['o\n2\n', 'dog'], ['o\nlune\n', 'moon'], ['o\nTREE\n', 'tree']]) {
            await newServer();
            const done = await ended({ headless: false, input });
            assert.equal(done.code, 0, done.err);
            assert.equal(server.sent('/eid/read').symbol, symbol);
        }
    });

    test('a_symbol_that_is_not_offered_ends_it_before_the_card_is_read', async () => {
        await newServer();
        const wrong = await ended({ headless: false, input: 'o\n', options: ['--symbol', 'hammer'] });
        assert.equal(wrong.code, 3, wrong.err);
        assert.equal(wrong.outcome, 'page_symbol_wrong');
        assert.equal(server.sent('/eid/read'), undefined);
    });

    test('a_refusal_is_told_in_the_words_of_the_server', async () => {
        await newServer();
        server.on['/eid/read'] = (body, answer) => answer(422, { outcome: 'certificate_revoked', text: 'Ce certificat a été révoqué.' });
        const refused = await ended();
        assert.equal(refused.code, 7);
        assert.equal(refused.outcome, 'certificate_revoked');
        assert.match(refused.err, /Ce certificat a été révoqué\./);
        await newServer();
        server.on['/eid/open'] = (body, answer) => answer(410, { outcome: 'ticket_expired' });
        const expired = await ended({ options: ['--lang', 'nl'] });
        assert.equal(expired.code, 7);
        assert.equal(expired.outcome, 'ticket_expired');
        assert.ok(expired.err.length > '[ticket_expired]\n'.length, 'a sentence of its own');
    });

    test('what_is_not_of_the_protocol_is_not_followed', async () => {
        const hostile = {
            'another origin': (body, answer) => answer(200, { ...server.answerToOpen(), origin: 'https://id.example' }),
            'a redirect': (body, answer) => answer(302, '', { Location: 'http://127.0.0.1:9/' }),
            'no JSON': (body, answer) => answer(200, '<html>'),
            'a list': (body, answer) => answer(200, '[]'),
            'endless': (body, answer) => answer(200, `{"session":"${'a'.repeat(300_000)}"}`),
            'no challenge': (body, answer) => answer(200, { ...server.answerToOpen(), challenge: undefined }),
            'a short challenge': (body, answer) => answer(200, { ...server.answerToOpen(), challenge: 'AAAA' }),
            'one symbol': (body, answer) => answer(200, { ...server.answerToOpen(), symbols: ['boat'] }),
            'a symbol that paints the terminal': (body, answer) => answer(200, { ...server.answerToOpen(), symbols: ['boat', '\u001b[2J'] }),
            'a number that paints the terminal': (body, answer) => answer(200, { ...server.answerToOpen(), phone_number: '\u001b[2J' }),
            'another purpose': (body, answer) => answer(200, { ...server.answerToOpen(), purpose: 'unlock' }),
            'a digest of another length': (body, answer) => answer(200, {
                ...server.answerToOpen(), purpose: 'sign', digest: 'AAAA', digest_algorithm: 'sha384',
                chip_number: Buffer.alloc(16).toString('base64url'), contract_title: 'C',
            }),
            'a server error': (body, answer) => answer(500, 'oops'),
        };
        for (const [what, answer] of Object.entries(hostile)) {
            await newServer();
            server.on['/eid/open'] = answer;
            const stopped = await ended();
            assert.equal(stopped.code, 6, `${what}: ${stopped.err}`);
            assert.deepEqual(server.asked.map(({ path }) => path), ['/eid/open'], what);
            assert.doesNotMatch(stopped.out + stopped.err, /\u001b/, what);
        }
    });

    test('a_server_that_is_not_there_is_said_to_be_out_of_reach', async () => {
        await newServer();
        await server.stop();
        const stopped = await ended();
        assert.equal(stopped.code, 6);
        assert.equal(stopped.outcome, 'upstream_unreachable');
    });

    test('a_link_that_is_none_is_refused_before_anybody_is_asked', async () => {
        for (const link of ['https://id.example/x', 'symbolon-eid://id.example', `symbolon-eid://a@b/${ticket}`, 'symbolon-eid:///x',
            `symbolon-eid://id.example/${ticket}/..`, 'symbolon-eid://id.example/short', `symbolon-eid://id.example:99999/${ticket}`]) {
            const refused = await run(link, { env: stack.env });
            assert.equal(refused.code, 2, `${link}: ${refused.err}`);
        }
    });

    test('https_is_spoken_with_every_host_that_is_not_this_machine', async () => {
        // Nothing listens there; the point is that no plain http is tried and that the failure is a plain one.
        const stopped = await run(`symbolon-eid://127.0.0.2:9/${ticket}`, { env: stack.env });
        assert.equal(stopped.code, 6, stopped.err);
    });
});
