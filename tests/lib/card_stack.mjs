// A virtual identity card in a real PC/SC stack: pcscd with the vpcd reader in a network namespace of its own, and symbolon-card.
// Used by the tests of the card, by the browser tests and by the demo.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { end } from './child.mjs';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where the programs are: SYMBOLON_BIN, or the release build. */
export const defaultBinDir = () => resolve(process.env.SYMBOLON_BIN ?? join(root, 'build/release/bin'));

/** The first line of a child's output that `fits`; rejects with what it said on stderr when it ends before. */
function lineOf(child, fits) {
    return new Promise((done, failed) => {
        let complaints = '';
        child.stderr.setEncoding('utf8').on('data', (text) => { complaints = (complaints + text).slice(-4000); });
        createInterface({ input: child.stdout }).on('line', (line) => { if (fits(line)) done(line); });
        child.once('error', failed);
        child.once('exit', (code, signal) => failed(new Error(`${child.spawnfile} ended (${signal ?? code}): ${complaints}`)));
    });
}

/** One command to symbolon-card's control socket; its answer, a line. */
export function command(socket, line) {
    return new Promise((done, failed) => {
        const connection = createConnection(socket);
        createInterface({ input: connection }).once('line', (answer) => {
            connection.destroy();
            done(answer);
        });
        connection.once('error', failed);
        connection.once('close', () => failed(new Error(`symbolon-card did not answer "${line}"`)));
        connection.write(`${line}\n`);
    });
}

/** Makes a PKI in `folder` unless there is one. `url`: where its responder will be. */
export async function initPki(folder, { binDir = defaultBinDir(), url } = {}) {
    await run(join(binDir, 'symbolon-card'), ['init-pki', folder, ...(url ? ['--url', url] : [])]);
    return folder;
}

/**
 * Starts the responder of a PKI. `port`: that of the PKI's address unless given; 0: any.
 * Gives { url, setStanding(persona, { authentication, signature, responder }), stop() }.
 */
export async function startPkiServer({ pki, binDir = defaultBinDir(), port }) {
    const program = join(binDir, 'symbolon-card');
    const child = spawn(program, ['pki-server', '--pki', pki, ...(port === undefined ? [] : ['--port', String(port)])],
        { stdio: ['ignore', 'pipe', 'pipe'] });
    const line = await lineOf(child, (text) => text.startsWith('listening on '));
    return {
        url: `http://${line.slice('listening on '.length)}`,
        setStanding: async (persona, change) => {
            const options = Object.entries(change).flatMap(([key, value]) => [`--${key}`, value]);
            await run(program, ['standing', '--pki', pki, persona, ...options]);
        },
        stop: () => end(child),
    };
}

/**
 * Starts pcscd and a card. `persona`: whose card is in the reader at the start; none: the reader is empty. `pki`: a folder that
 * initPki made; none: one of its own, gone with stop(). `pinPad`: the reader has keys, and this says what is typed on them: an async function
 * that is given how many digits { shortest, longest } are asked for, and gives the digits, 'cancel', or nothing:
 * the reader's time is over.
 *
 * Gives { csock, env, control, insert(name), remove(), status(), stop() }: `csock` is the socket that PC/SC clients reach by
 * PCSCLITE_CSOCK_NAME, `env` holds that and a HOME without caches, `control` is the path of symbolon-card's control socket.
 */
export async function startCardStack({ persona, pki, pinPad, binDir = defaultBinDir() } = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'symbolon-card-'));
    const csock = join(folder, 'pcscd.comm');
    const control = join(folder, 'control');
    const cardPki = pki ?? await initPki(join(folder, 'pki'), { binDir });
    const keys = pinPad && createServer((connection) => {
        connection.on('error', () => {});
        createInterface({ input: connection }).once('line', async (line) => {
            const [, shortest, longest] = line.split(' ').map(Number);
            const keys = await pinPad({ shortest, longest });
            connection.end(keys === undefined ? '' : `${keys}\n`);
        });
    });
    if (keys) await new Promise((done) => { keys.listen(join(folder, 'keys'), done); });
    const child = spawn(join(binDir, 'symbolon-card'),
        ['run', '--pki', cardPki, '--own-reader', csock, '--control', control, ...(persona ? ['--persona', persona] : []), ...(keys ? ['--pin-pad'] : [])],
        { env: { ...process.env, SYMBOLON_PIN_PAD: join(folder, 'keys') }, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = async () => {
        await end(child);
        keys?.close();
        await rm(folder, { recursive: true, force: true });
    };
    try {
        await lineOf(child, (line) => line === 'ready');
    } catch (error) {
        await stop();
        throw error;
    }
    const obeyed = async (line) => {
        const answer = await command(control, line);
        if (!answer.startsWith('ok')) throw new Error(`symbolon-card: ${line}: ${answer}`);
    };
    // pcscd may miss a card that comes in the moment in which it powers the reader down after a client has left: as at a
    // real desk, taking it out and putting it in again helps.
    const insert = async (name) => {
        for (let again = 0; ; ++again) {
            const answer = await command(control, `insert ${name}`);
            if (answer.startsWith('ok')) return;
            if (!answer.startsWith('waiting') || again === 3) throw new Error(`symbolon-card: insert ${name}: ${answer}`);
            await obeyed('remove');
        }
    };
    return {
        csock,
        control,
        pki: cardPki,
        env: { ...process.env, PCSCLITE_CSOCK_NAME: csock, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') },
        insert,
        remove: () => obeyed('remove'),
        status: () => command(control, 'status'),
        stop,
    };
}
