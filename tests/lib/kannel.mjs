// Debian's Kannel on loopback: bearerbox, smsbox, and its fake SMSC as the network of the phones.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, start } from '../../web/demo/process.mjs';
import { waitingRoom } from '../../web/demo/waiting.mjs';

const fakeSmsc = '/usr/lib/kannel/test/fakesmsc';

// Groups are told apart by blank lines.
const configuration = ({ folder, ports }) => `
group = core
admin-port = ${ports.admin}
admin-interface = 127.0.0.1
admin-password = none
smsbox-port = ${ports.smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
store-type = file
store-location = "${join(folder, 'kannel.store')}"
sms-resend-freq = 1

group = smsc
smsc = fake
smsc-id = network
host = 127.0.0.1
port = ${ports.smsc}
connect-allow-ip = "127.0.0.1"
denied-prefix = "+3247999"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = ${ports.sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = symbolon
password = outbox
max-messages = 1
concatenation = false
`;

// What the fake SMSC prints of a message: "<sender receiver text words…>"; in UCS-2 the text is URL-encoded UTF-16.
function messageOf(line) {
  const found = /Got message \d+: <(\S+) (\S+) (text|ucs-2|data|udh) (.*)>$/.exec(line);
  if (!found) return null;
  const [, from, to, form, rest] = found;
  return { from, to, form, text: form === 'ucs-2' ? fromUcs2(rest) : rest };
}

function fromUcs2(raw) {
  const bytes = [];
  for (let at = 0; at < raw.length; ++at) {
    if (raw[at] === '%') {
      bytes.push(parseInt(raw.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(raw[at] === '+' ? 0x20 : raw.charCodeAt(at));
    }
  }
  return new TextDecoder('utf-16be').decode(Uint8Array.from(bytes));
}

/**
 * Starts the gateway in `folder`. `url` is its sendsms; `next(number)` waits for the next message that the network
 * delivers to a number; `connect`/`disconnect` the network; `down`/`up` the whole gateway.
 * Numbers that begin with +3247999 are refused by the network.
 */
export async function startKannel(folder) {
  await mkdir(folder, { recursive: true });
  const ports = {};
  for (const name of ['admin', 'smsbox', 'smsc', 'sendsms']) ports[name] = await freePort();
  const config = join(folder, 'kannel.conf');
  await writeFile(config, configuration({ folder, ports }), { mode: 0o600 });

  const messages = [];
  const { until, changed } = waitingRoom();
  let boxes = [];
  let network;

  const connect = async () => {
    // Its standard input is where it would take messages of phones from: it stays open.
    const child = spawn(fakeSmsc, ['-H', '127.0.0.1', '-r', String(ports.smsc), '-m', '0'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const gone = new Promise((resolve) => child.once('close', resolve));
    const connected = new Promise((resolve, reject) => {
      const look = (line) => {
        const message = messageOf(line);
        if (message) {
          messages.push(message);
          changed();
        }
        if (line.includes('Entering interactive mode')) resolve();
      };
      createInterface({ input: child.stdout }).on('line', look);
      createInterface({ input: child.stderr }).on('line', look);
      gone.then(() => reject(new Error('the fake SMSC ended at its start')));
    });
    network = { stop: () => (child.kill('SIGTERM'), gone) };
    await connected;
  };
  const disconnect = async () => {
    await network?.stop();
    network = undefined;
  };
  const up = async () => {
    const box = (name, program, ready) => start({ name, program, args: ['-v', '1', config], logFile: join(folder, `${name}.log`), ready });
    boxes.push(await box('bearerbox', '/usr/sbin/bearerbox', /MAIN: Start-up done/));
    boxes.push(await box('smsbox', '/usr/sbin/smsbox', /Connected to bearerbox/));
    await connect();
  };
  const down = async () => {
    await disconnect();
    for (const box of boxes.reverse()) await box.stop();
    boxes = [];
  };
  try {
    await up();
  } catch (error) {
    await down();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${ports.sendsms}/cgi-bin/sendsms`,
    messages,
    connect, disconnect, up, down,
    stop: down,
    next: (to, seen = 0) => until(() => messages.slice(seen).find((message) => message.to === to)),
  };
}
