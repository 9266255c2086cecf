// Walks the main journey against the running demo (A1 to A4, D1, and back through a bank, E1), headless; exits 0 when it works.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkPhoneByBank } from './bank/customer.mjs';
import * as journey from './journey.mjs';
import { demoPorts } from './stack.mjs';

const at = (name) => `http://localhost:${demoPorts[name]}`;
const folder = join(dirname(fileURLToPath(import.meta.url)), 'state/screenshots');
const step = (text) => console.log(`  ✓ ${text}`);

// Another person each time, so that the check can be run again: those that are holders already are passed over.
const personas = ['amelie', 'jurgen', 'millennium', 'foreigner', 'single-name', 'young-adult', 'longest-names', 'unknown-birth-day', 'bruno', 'nadia', 'foreigner-17'];

let browser;
try {
  await fetch(`${at('id')}/health`).catch(() => {
    throw new Error('the demo does not run: start ./demo first, and this in another terminal');
  });
  browser = await journey.launch();
  const computer = await journey.openComputer(browser);
  const phone = await journey.openPhone(browser);
  await mkdir(folder, { recursive: true });
  const picture = (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  const post = async (path, form) => {
    const answer = await fetch(`${at('reader')}${path}`, { method: 'POST', headers: { origin: at('reader'), 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form) });
    return answer.text();
  };
  const desk = {
    run: async ({ link, pin, symbol }) => {
      const html = await post('/run', { link, pin, symbol });
      return { code: html.includes('It worked') ? 0 : 1, said: /<pre id="said">([^]*?)<\/pre>/.exec(html)?.[1] ?? html };
    },
  };
  const number = `0470 ${String(Math.floor(Math.random() * 1e6)).padStart(6, '0').replace(/(\d\d)(\d\d)(\d\d)/, '$1 $2 $3')}`;
  const e164 = `+32${number.slice(1).replaceAll(' ', '')}`;

  let person;
  let chosen;
  for (const persona of personas) {
    await post('/card', { persona, link: '' });
    await computer.context().clearCookies();
    const first = await journey.register(computer, { idUrl: at('id'), number });
    try {
      person = await journey.readAndSign(computer, { desk, first });
      chosen = persona;
      step(`A1, A2: ${persona}'s card was read and the contract signed`);
      break;
    } catch (error) {
      if (!/already|compte|account/i.test(error.message)) throw error;
    }
  }
  if (!person) throw new Error('every persona is a holder already: begin again with ./demo --fresh');
  const token = await journey.identificationToken(computer);
  await picture(computer, 'token');
  step('A3: the identification token is shown');

  const messages = async () => (await fetch(`${at('outbox')}/messages.json`)).json();
  const nextSms = async () => {
    const { length: seen } = await messages();
    return async () => {
      for (let i = 0; i < 100; ++i) {
        const found = (await messages()).slice(seen).findLast((message) => message.to === e164 || message.to === e164.replace('+', '00') || `+${message.to}` === e164);
        if (found) return found.text;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error('no SMS came to the outbox');
    };
  };
  await journey.linkPhone(phone, { phoneUrl: at('phone'), number, token, sms: await nextSms() });
  await computer.locator('[data-test="done"]').waitFor();
  step('A4: the phone is linked, and the page says so by itself');

  const shop = await journey.openComputer(browser);
  const symbol = await journey.startLogin(shop, { partnerUrl: at('partner'), number });
  await picture(shop, 'waiting');
  const shown = await journey.approve(phone, { symbol });
  await picture(phone, 'approved');
  await shop.locator('#name').waitFor();
  const name = await shop.locator('#name').innerText();
  await picture(shop, 'partner');
  step(`D1: approved for ${shown.partner.replaceAll('\n', ' ')}; the shop greets ${name}`);

  // Those who are customers of the demo's banks, which know them as their cards do.
  const second = await journey.openPhone(browser);
  if (['amelie', 'longest-names', 'foreigner'].includes(chosen)) {
    await linkPhoneByBank(second, { phoneUrl: at('phone'), number, bank: 'fintro', person: chosen, code: '73195', sms: await nextSms() });
    await phone.locator('[data-test="failure"][data-outcome="device_unbound"]').waitFor();
    await picture(second, 'linked-by-bank');
    step('E1: a new phone has the account through the bank, and the old phone says so');
  }
  const troubles = [computer, phone, shop, second].flatMap((page) => page.troubles);
  if (troubles.length) throw new Error(`pages complained: ${troubles.join('; ')}`);
  if (!person.includes(name.split(' ').at(-1))) throw new Error(`the shop greets ${name}, the card said: ${person}`);
  console.log('The main journey works.');
  await browser.close();
} catch (error) {
  console.error(`symbolon: ${error.message}`);
  await browser?.close();
  process.exit(1);
}
