// Runs the demo until it is asked to stop, and says what to try.
import { writeFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoPorts, startStack } from './stack.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'state');

for (const [name, port] of Object.entries(demoPorts)) {
  await new Promise((resolve) => {
    const probe = createServer().once('error', () => {
      console.error(`symbolon: port ${port} (${name}) is in use: is the demo already running?`);
      process.exit(1);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(resolve));
  });
}

let stack;
try {
  stack = await startStack({ folder, ports: demoPorts, persona: 'lotte', bank: true, say: (what) => console.log(`    ${what}`) });
} catch (error) {
  console.error(`symbolon: the demo could not start: ${error.message}`);
  process.exit(1);
}
await stack.desk.insert('lotte');
await writeFile(join(folder, 'running.json'), JSON.stringify({ pid: process.pid }));

console.log(`
Symbolon runs. All of it is on this machine, with a virtual card: every page says so.

  enrolment      ${stack.idUrl}/en/enrol/          (also fr, nl, de)
  phone app      ${stack.phoneUrl}/app/            (open it in a second window, narrow, or in a private one)
  a partner      ${stack.partner.url}/
  card reader    ${stack.desk.url}/                    Lotte's card is in it; its PIN is 1234
  the banks      ${stack.bank.url}/                    who their customers are; Lotte's bank card is 9056 0000 0000 0001, its PIN 1234
  SMS outbox     ${stack.outbox.url}/

Try this:
  1. Enrol: any Belgian mobile number, such as 0470 12 34 56. Follow the link to the card reader, choose the symbol
     that the page shows, run. The page then shows Lotte; sign the contract the same way.
  2. The page shows an identification token. In the phone app: number, token, the code from the SMS outbox, and a
     five-digit code of your choice.
  3. At the partner: "Log in with Symbolon", then the number, or the page's short code typed in the app; on the
     phone: the symbol, your code. The shop greets Lotte.
  4. Without any card: the phone app in a private window, "Continue with my bank": another mobile number, a bank, there the card
     number of Amélie (9056 0000 0000 0010), then its card reader or its app, both drawn on the bank's page; the code from the outbox.
     The banks' own page lists people whom it goes wrong for, and why: too young, or an identity card that was read too long ago.

In another terminal, ./demo --check walks the same way by itself. Ctrl-C stops everything.
`);

let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  console.log('\nStopping …');
  await stack.stop();
  await rm(join(folder, 'running.json'), { force: true });
  process.exit(0);
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
process.on('SIGHUP', stop);
