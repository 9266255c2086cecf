// All of Symbolon on one machine: what ./demo runs, and what the tests of whole journeys run against.
import { mkdir, readFile, rm, writeFile, access, appendFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { initPki, startCardStack, startPkiServer } from '../../tests/lib/card_stack.mjs';
import { startBank } from './bank/bank.mjs';
import { bankTables } from './bank/banks.mjs';
import { startOutbox } from './outbox.mjs';
import { startPartner } from './partner.mjs';
import { freePort, run, start } from './process.mjs';
import { startReaderPage } from './reader_page.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const defaultBinDir = () => resolve(process.env.SYMBOLON_BIN ?? join(root, 'build/release/bin'));

const there = (path) => access(path).then(() => true, () => false);

export const demoPorts = { id: 8400, phone: 8401, desk: 8402, partner: 8403, bank: 8404, outbox: 8405, reader: 8406, pki: 8407 };

export async function freePorts() {
  const ports = {};
  for (const name of Object.keys(demoPorts)) ports[name] = await freePort();
  return ports;
}

const settings = ({ ports, pki, extra, gateway, bank }) => `
[server]
id_url = "http://localhost:${ports.id}"
phone_url = "http://localhost:${ports.phone}"
desk_url = "http://localhost:${ports.desk}"

[web]
directory = "${join(root, 'web/dist')}"

[sms]
gateway = "${gateway ?? `http://127.0.0.1:${ports.outbox}/cgi-bin/sendsms`}"
report_url = "http://127.0.0.1:${ports.id}/sms/report"
user = "symbolon"
password_file = "sms.password"
sender = "Symbolon"

[card]
anchors = [{ file = "${join(pki, 'roots/root-ec.pem')}" }, { file = "${join(pki, 'roots/root-rsa.pem')}" }]
ocsp_hosts = ["127.0.0.1:${ports.pki}"]
crl_hosts = ["127.0.0.1:${ports.pki}"]
test_pki = true

[enrolment]
reader_page = "http://localhost:${ports.reader}/"
${extra}
${bank ? bankTables(`http://localhost:${ports.bank}`) : ''}`;

async function partnerKey(folder) {
  const file = join(folder, 'partner.key.json');
  if (!(await there(file))) {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await writeFile(file, JSON.stringify(await crypto.subtle.exportKey('jwk', pair.privateKey)), { mode: 0o600 });
  }
  const { kty, crv, x, y, d } = JSON.parse(await readFile(file, 'utf8'));
  const privateKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return { privateKey, jwks: { keys: [{ kty, crv, x, y, kid: 'linde-1', use: 'sig', alg: 'ES256' }] } };
}

/**
 * Starts everything, in `folder` (kept between runs). `extra`: more lines for symbolon.toml; `gateway`: another one than the
 * outbox, whose password for "symbolon" is "outbox" too; `bank`: with the demo's seven banks in the configuration, and running.
 * Gives addresses, the parts, and what tests need to add partners or to stop and start the server.
 */
export async function startStack({ folder, ports, binDir = defaultBinDir(), extra = '', gateway, persona, say = () => {}, reader = true, bank: withBank = false }) {
  await mkdir(folder, { recursive: true });
  const parts = [];
  const stop = async () => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  };
  const state = join(folder, 'state');
  const config = join(state, 'symbolon.toml');
  const pki = join(folder, 'pki');
  const logs = join(folder, 'logs');
  const program = (name) => join(binDir, name);
  try {
    await mkdir(logs, { recursive: true });

    say('the test PKI and its OCSP responder');
    await initPki(pki, { binDir, url: `http://127.0.0.1:${ports.pki}` });
    const responder = await startPkiServer({ pki, binDir, port: ports.pki });
    parts.push(responder);

    say('the outbox of SMS');
    const outbox = await startOutbox({ port: ports.outbox, password: 'outbox' });
    parts.push(outbox);

    if (!(await there(config))) await run(program('symbolon'), ['init', state]);
    await writeFile(config, settings({ ports, pki, extra, gateway, bank: withBank }));
    await writeFile(join(state, 'sms.password'), 'outbox\n', { mode: 0o600 });

    let bank;
    if (withBank) {
      say('the banks');
      const clientJwks = JSON.parse(await run(program('symbolon'), ['bank', 'keys', '--config', config]));
      // The customers' ages and dates count from the day on which the folder was made: a holder of 16 stays the same person tomorrow.
      const since = join(folder, 'bank.since');
      if (!(await there(since))) await writeFile(since, new Date().toISOString());
      bank = await startBank({ port: ports.bank, clientJwks, redirectUri: `http://localhost:${ports.phone}/bank/return`, now: new Date(await readFile(since, 'utf8')),
        log: (line) => void appendFile(join(logs, 'bank.log'), `${line}\n`) });
      parts.push(bank);
    }

    say('the vault');
    const vaultFolder = join(state, 'vault');
    if (!(await there(join(vaultFolder, 'vault.sqlite'))) && !(await there(vaultFolder))) await run(program('symbolon-vault'), ['--init', vaultFolder]);
    const startVault = () => start({ name: 'symbolon-vault', program: program('symbolon-vault'), args: ['--dir', vaultFolder, '--socket', join(vaultFolder, 'vault.sock')],
      logFile: join(logs, 'vault.log'), ready: /ready/ });
    let vault = await startVault();
    parts.push({ stop: () => vault.stop() });

    const addPartner = async (options) => {
      const args = Object.entries(options).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).flatMap((one) => [`--${name}`, one]));
      return JSON.parse(await run(program('symbolon'), ['partner', 'add', '--config', config, '--json', ...args]));
    };

    const { privateKey, jwks } = await partnerKey(folder);
    const partnerFile = join(folder, 'partner.json');
    if (!(await there(partnerFile))) {
      await writeFile(join(folder, 'partner.jwks.json'), JSON.stringify(jwks));
      const added = await addPartner({
        name: 'De Linde Bookshop', 'name-fr': 'Librairie De Linde', 'name-nl': 'Boekhandel De Linde', 'name-de': 'Buchhandlung De Linde',
        'redirect-uri': `http://localhost:${ports.partner}/callback`, auth: 'private_key_jwt', jwks: join(folder, 'partner.jwks.json'),
      });
      await writeFile(partnerFile, JSON.stringify(added));
    }
    const { client_id: clientId } = JSON.parse(await readFile(partnerFile, 'utf8'));

    say('the server');
    const startServer = () => start({ name: 'symbolond', program: program('symbolond'), args: ['--config', config], logFile: join(logs, 'symbolond.log'), ready: /symbolond: ready/ });
    let server = await startServer();
    parts.push({ stop: () => server.stop() });

    let card;
    let desk;
    const idUrl = `http://localhost:${ports.id}`;
    if (reader) {
      say('the card reader: pcscd with a virtual card');
      card = await startCardStack({ pki, binDir, persona });
      parts.push(card);
      const listed = await run(program('symbolon-card'), ['personas'], { cwd: root });
      const personas = listed.trim().split('\n').map((line) => /^(\S+)\s+(.*)$/.exec(line)).filter(Boolean).map(([, name, shows]) => ({ name, shows }));
      const symbols = Object.keys(JSON.parse(await readFile(join(root, 'web/shared/symbols.json'), 'utf8'))).filter((name) => name !== 'apart');
      desk = await startReaderPage({ port: ports.reader, program: program('symbolon-eid'), environment: card.env, personas, symbols,
        control: (line) => (line === 'remove' ? card.remove() : card.insert(line.slice('insert '.length))), idOrigin: idUrl });
      parts.push(desk);
    }

    say('the partner site');
    const partner = await startPartner({ port: ports.partner, issuer: idUrl, clientId, privateKey, keyId: 'linde-1', buttonUrl: `${idUrl}/assets/button/en.svg` });
    parts.push(partner);

    return {
      folder, config, state, ports, binDir, pki, outbox, bank, card, desk, partner, responder, clientId, logs, addPartner, program,
      idUrl, phoneUrl: `http://localhost:${ports.phone}`,
      get server() {
        return server;
      },
      get vault() {
        return vault;
      },
      // How the programs end and come back: gracefully, or by SIGKILL.
      async restartServer(signal = 'SIGTERM') {
        server.kill(signal);
        await server.gone;
        server = await startServer();
      },
      async restartVault(signal = 'SIGTERM') {
        vault.kill(signal);
        await vault.gone;
        vault = await startVault();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A stack in a folder of its own that goes with it. For tests. */
export async function startTestStack(options = {}) {
  const { mkdtemp } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'symbolon-test-'));
  // A test logs in more often within a minute than a person does.
  const extra = '[limits]\nsign_ins_a_minute_per_address = 100000\nauthorization_requests_a_minute_per_address = 100000\nlookups_a_minute_per_address = 10000\n';
  const stack = await startStack({ folder, ports: await freePorts(), extra, ...options });
  return {
    ...Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(stack)).filter(([, d]) => 'value' in d).map(([k, d]) => [k, d.value])),
    get server() {
      return stack.server;
    },
    get vault() {
      return stack.vault;
    },
    async stop() {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
