// Every card reader of Debian's packages against the virtual card, through the real pcscd (eid-card.md §10).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { initPki, startCardStack, startPkiServer } from '../lib/card_stack.mjs';

const pkcs11Module = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const patience = 60_000;

/** Runs a reader; { code, out, err }. Whether its exit status means anything is the caller's affair. */
function read(program, options, env) {
    return new Promise((done) => {
        execFile(program, options, { env, timeout: patience, encoding: 'utf8' }, (error, out, err) => {
            done({ code: error ? (error.code ?? error.signal) : 0, out, err });
        });
    });
}

const pemIn = (text) => text.slice(text.indexOf('-----BEGIN'), text.indexOf('-----END CERTIFICATE-----') + 25);

const cards = [
    {
        persona: 'bruno', generation: '1.7', rsa: true, atr: '3b:98:13:40:0a:a5:03:01:01:01:ad:13:11',
        identity: { CARDNUMBER: /^9990000102\d\d$/, NATIONALNUMBER: /^710309997\d\d$/, NAME: 'Delvaux-Essai', FIRSTNAMES: 'Bruno Étienne', INITIAL: 'P',
            NATIONALITY: 'Belge', BIRTHLOCATION: 'Namur', BIRTHDATE: '09 MARS 1971', SEX: 'M', DOCUMENTTYPE: '1', ZIPCODE: '5000', MUNICIPALITY: 'Namur' },
    },
    {
        persona: 'nadia', generation: '1.7 re-keyed', rsa: true, atr: '3b:98:13:40:0a:a5:03:01:01:01:ad:13:11',
        identity: { NAME: 'Benali-Proef', FIRSTNAMES: 'Nadia Yasmine', SEX: 'V', BIRTHDATE: '21 NOV  1992', MUNICIPALITY: 'Antwerpen' },
    },
    {
        persona: 'lotte', generation: '1.8', rsa: false, atr: '3b:7f:96:00:00:80:31:80:65:b0:85:04:01:20:12:0f:ff:82:90:00',
        identity: { CARDNUMBER: /^9990000101\d\d$/, NATIONALNUMBER: /^850730998\d\d$/, NAME: 'Vermeersch-Test', FIRSTNAMES: 'Lotte Margriet', SEX: 'V',
            NATIONALITY: 'Belg', BIRTHDATE: '30 JUL  1985', SPECIALSTATUS: '0', ZIPCODE: '9000', MUNICIPALITY: 'Gent' },
    },
];

let folder;
let pki;
before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symbolon-readers-'));
    pki = await initPki(join(folder, 'pki'));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const { persona, generation, rsa, atr, identity } of cards) {
    describe(`a card of generation ${generation}`, () => {
        let stack;
        before(async () => { stack = await startCardStack({ persona, pki }); });
        after(() => stack.stop());

        test('opensc-tool reads its ATR and names it', async () => {
            const shown = await read('opensc-tool', ['-a'], stack.env);
            assert.equal(shown.code, 0, shown.err);
            assert.equal(shown.out.trim(), atr);
            const named = await read('opensc-tool', ['-n'], stack.env);
            assert.equal(named.code, 0, named.err);
            assert.match(named.out, /Belpic cards/);
        });

        test('pcsc_scan lists its reader', async () => {
            const listed = await read('pcsc_scan', ['-r'], stack.env);
            assert.match(listed.out, /Virtual PCD 00 00/);
        });

        test('eidenv reads identity and address', async () => {
            // Its exit status is 1 on success, and Debian's version prints no street.
            const shown = await read('eidenv', [], stack.env);
            const fields = Object.fromEntries(shown.out.split('\n').filter((line) => line.startsWith('BELPIC_'))
                .map((line) => [line.slice(7, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
            for (const [name, expected] of Object.entries(identity)) {
                if (expected instanceof RegExp) assert.match(fields[name], expected, name);
                else assert.equal(fields[name], expected, name);
            }
            assert.doesNotMatch(shown.err, /rror|ASN/);
        });

        test('pkcs15-tool finds PIN, two keys and four certificates', async () => {
            const dumped = await read('pkcs15-tool', ['-D'], stack.env);
            assert.equal(dumped.code, 0, dumped.err);
            assert.match(dumped.out, /PKCS#15 Card \[BELPIC\]/);
            assert.match(dumped.out, /PIN \[Basic PIN\]/);
            const kind = rsa ? 'RSA' : 'EC';
            assert.match(dumped.out, new RegExp(`Private ${kind} Key \\[Authentication\\][^]*Key ref +: 130`));
            assert.match(dumped.out, new RegExp(`Private ${kind} Key \\[Signature\\][^]*nonRepudiation[^]*Key ref +: 131`));
            assert.match(dumped.out, rsa ? /ModLength +: 2048/ : /FieldLength +: 384/);
            const listed = await read('pkcs15-tool', ['-c'], stack.env);
            for (const label of ['Authentication', 'Signature', 'CA', 'Root']) assert.match(listed.out, new RegExp(`X.509 Certificate \\[${label}\\]`));
            assert.equal(listed.out.match(/Authority +: yes/g).length, 2);
        });

        test('pkcs15-tool reads a path of certificates', async () => {
            const certificates = {};
            for (const [name, id] of [['authentication', '02'], ['signature', '03'], ['ca', '04'], ['root', '06']]) {
                const shown = await read('pkcs15-tool', ['--read-certificate', id], stack.env);
                assert.equal(shown.code, 0, shown.err);
                certificates[name] = new X509Certificate(pemIn(shown.out));
            }
            for (const leaf of ['authentication', 'signature']) assert.ok(certificates[leaf].verify(certificates.ca.publicKey), leaf);
            assert.ok(certificates.ca.verify(certificates.root.publicKey));
            assert.match(certificates.root.subject, /VIRTUAL TEST/);
            assert.match(certificates.authentication.subject, new RegExp(`SN=${identity.NAME}`));
        });

        // Debian's OpenSC signs with RSA keys only; the EC card gets the same commands one by one.
        if (rsa) {
            test('pkcs11-tool signs with the authentication key', async () => {
                const text = join(folder, 'text');
                const signature = join(folder, `${persona}.signature`);
                await writeFile(text, 'a text to sign');
                const signed = await read('pkcs11-tool', ['--module', pkcs11Module, '--login', '--pin', '1234', '--sign', '-m', 'SHA256-RSA-PKCS',
                    '--id', '02', '-i', text, '-o', signature], stack.env);
                assert.equal(signed.code, 0, signed.err);
                const shown = await read('pkcs15-tool', ['--read-certificate', '02'], stack.env);
                const key = createPublicKey(pemIn(shown.out));
                assert.ok(verify('sha256', await readFile(text), key, await readFile(signature)));
            });
        } else {
            for (const [name, reference, id] of [['authentication', '82', '02'], ['signature', '83', '03']]) {
                test(`opensc-tool signs with the ${name} key: MSE, VERIFY, PSO`, async () => {
                    const text = 'a text to sign';
                    const digest = createHash('sha384').update(text).digest('hex');
                    const sent = await read('opensc-tool', ['-s', `002241B605048002 84${reference}`, '-s', '0020000108241234FFFFFFFFFF',
                        '-s', `002A9E9A30${digest}60`].map((option) => option.replaceAll(' ', '')), stack.env);
                    assert.equal(sent.code, 0, sent.err);
                    const last = sent.out.slice(sent.out.lastIndexOf('Received'));
                    assert.match(last, /SW1=0x90, SW2=0x00/);
                    const signature = Buffer.from(last.split('\n').slice(1).map((line) => line.slice(0, 48).replaceAll(' ', '')).join(''), 'hex');
                    assert.equal(signature.length, 96);
                    const shown = await read('pkcs15-tool', ['--read-certificate', id], stack.env);
                    const key = createPublicKey(pemIn(shown.out));
                    assert.ok(verify('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, signature));
                });
            }

            test('opensc-tool has the chip prove its basic key', async () => {
                const challenge = Buffer.alloc(48, 0xa7);
                const sent = await read('opensc-tool', ['-s', `00880281329430${challenge.toString('hex')}60`], stack.env);
                assert.match(sent.out, /SW1=0x90, SW2=0x00/);
                assert.equal(sent.out.split('\n').slice(2).filter((line) => /^([0-9A-F]{2} ){16}/.test(line)).length, 6);
            });
        }

        test('a wrong PIN costs a try that outlives the card\'s removal', async () => {
            const wrong = await read('pkcs11-tool', ['--module', pkcs11Module, '--login', '--pin', '9999', '--test'], stack.env);
            assert.match(wrong.out + wrong.err, /CKR_PIN_INCORRECT/);
            assert.equal(await stack.status(), `card ${persona} present 2`);
            await stack.remove();
            assert.equal(await stack.status(), 'empty');
            await stack.insert(persona);
            assert.equal(await stack.status(), `card ${persona} present 2`);
            const right = await read('pkcs15-tool', ['--verify-pin', '--pin', '1234'], stack.env);
            assert.equal(right.code, 0, right.err);
            assert.equal(await stack.status(), `card ${persona} present 3`);
        });
    });
}

describe('several cards', () => {
    test('two stacks stand side by side, each with its own card', async () => {
        const stacks = await Promise.all([startCardStack({ persona: 'jurgen', pki }), startCardStack({ persona: 'amelie', pki })]);
        try {
            const shown = await Promise.all(stacks.map((stack) => read('eidenv', [], stack.env)));
            assert.match(shown[0].out, /BELPIC_NAME: Größling-Probe\n[^]*BELPIC_BIRTHDATE: 13.MÄR.1996\n/);
            assert.match(shown[1].out, /BELPIC_NAME: D'Œuvré-Cœurjolly\n[^]*BELPIC_NOBLECONDITION: Baronne\n/);
        } finally {
            await Promise.all(stacks.map((stack) => stack.stop()));
        }
    });

    test('cards are changed while pcscd runs, and an unknown one is refused', async () => {
        const stack = await startCardStack({ pki });
        try {
            assert.equal(await stack.status(), 'empty');
            assert.match((await read('opensc-tool', ['-a'], stack.env)).err, /Card not present|No smart card readers found/);
            for (const [name, surname] of [['longest-names', 'Van-den-Allerlangste-'], ['single-name', 'Suharto-Test'], ['unknown-birth-day', 'Haidari-Test'],
                ['minor-16', 'Zestien-Test'], ['foreigner-17', 'Okonkwo-Test'], ['kid', 'Vermeersch-Klein']]) {
                await stack.insert(name);
                assert.match((await read('eidenv', [], stack.env)).out, new RegExp(`BELPIC_NAME: ${surname}`), name);
            }
            await assert.rejects(stack.insert('nobody'), /no persona is called nobody/);
            await stack.insert('minor-16');
            const listed = await read('pkcs15-tool', ['-c'], stack.env);
            assert.match(listed.out, /\[Authentication\]/);
            assert.doesNotMatch(listed.out, /\[Signature\]/);
        } finally {
            await stack.stop();
        }
    });

    test('A7_blocked_PIN_is_told_to_the_reader', async () => {
        const stack = await startCardStack({ persona: 'blocked-pin', pki });
        try {
            const tried = await read('pkcs11-tool', ['--module', pkcs11Module, '--login', '--pin', '1234', '--test'], stack.env);
            assert.match(tried.out + tried.err, /CKR_PIN_LOCKED/);
        } finally {
            await stack.stop();
        }
    });
});

describe('the responder', () => {
    const openssl = (options) => read('openssl', options, process.env);

    test('tells openssl ocsp what the standings say, at once', async () => {
        const leaf = join(folder, 'leaf.pem');
        const own = await startCardStack({ persona: 'lotte', pki });
        try {
            await writeFile(leaf, pemIn((await read('pkcs15-tool', ['--read-certificate', '03'], own.env)).out));
        } finally {
            await own.stop();
        }
        const server = await startPkiServer({ pki, port: 0 });
        try {
            const ask = (method) => openssl(['ocsp', '-issuer', join(pki, 'authorities/citizen-ca-ec.pem'), '-cert', leaf,
                '-CAfile', join(pki, 'roots/root-ec.pem'), '-verify_other', join(pki, 'authorities/citizen-ca-ec.pem'), '-url', `${server.url}/ocsp`, ...method]);
            const good = await ask([]);
            assert.match(good.err, /Response verify OK/);
            assert.match(good.out, /: good/);
            await server.setStanding('lotte', { signature: 'suspended' });
            assert.match((await ask([])).out, /: revoked[^]*certificateHold/);
            await server.setStanding('lotte', { signature: 'good', responder: 'stranger' });
            assert.match((await ask([])).err, /Response Verify Failure/);
            await server.setStanding('lotte', { responder: 'honest' });
            await server.setStanding('all', { responder: 'down' });
            assert.match((await ask([])).err, /503|Error querying OCSP/);
            await server.setStanding('all', { responder: 'honest' });
            assert.match((await ask([])).out, /: good/);
        } finally {
            await server.stop();
        }
    });

    test('gives CRLs and CA certificates, and refuses what it does not know', async () => {
        const server = await startPkiServer({ pki, port: 0 });
        const get = (path, method = 'GET') => new Promise((done, failed) => {
            httpRequest(`${server.url}${path}`, { method, agent: false }, (answer) => {
                const parts = [];
                answer.on('data', (part) => parts.push(part));
                answer.on('end', () => done({ status: answer.statusCode, type: answer.headers['content-type'], body: Buffer.concat(parts) }));
            }).once('error', failed).end();
        });
        try {
            const crl = await get('/crl/root-ec.crl');
            assert.equal(crl.type, 'application/pkix-crl');
            await writeFile(join(folder, 'root.crl'), crl.body);
            const checked = await openssl(['crl', '-inform', 'DER', '-in', join(folder, 'root.crl'), '-CAfile', join(pki, 'roots/root-ec.pem'), '-noout']);
            assert.match(checked.out + checked.err, /verify OK/);
            assert.match(new X509Certificate((await get('/crt/citizen-ca-rsa.crt')).body).subject, /VIRTUAL TEST Citizen CA/);
            assert.equal((await get('/nothing')).status, 404);
            assert.equal((await get('/ocsp')).status, 405);
            assert.equal((await get('/ocsp/AAA')).status, 400);
        } finally {
            await server.stop();
        }
    });
});
