// The main journey as a person walks it, in a real browser: a computer and a phone as two contexts.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync) ?? 'chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = () => chromium.launch({ executablePath, args });

/** A phone whose storage lies in `folder` and can be copied: a browser of its own with one context. */
export const launchPersistent = (folder, options) =>
  chromium.launchPersistentContext(folder, { executablePath, args, viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true, ...options });

/** An element by its stable name (web/README.md). */
export const hook = (page, name) => page.locator(`[data-test="${name}"]`);

/** Notes every script error and refused policy of a page in its `troubles`. Gives the page. */
export function watched(page) {
  page.troubles = [];
  page.on('pageerror', (error) => page.troubles.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) page.troubles.push(message.text());
  });
  return page;
}

/** A page that is watched, also for requests to others. */
export async function open(browser, options) {
  const context = await browser.newContext({ locale: 'fr-BE', ...options });
  const page = watched(await context.newPage());
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== 'localhost') page.troubles.push(`a request to ${hostname}`);
  });
  page.setDefaultTimeout(30_000);
  return page;
}

export const openComputer = (browser, options) => open(browser, { viewport: { width: 1280, height: 860 }, ...options });
export const openPhone = (browser, options) => open(browser, { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true, ...options });

/** A1: the enrolment page, up to the step of the card. Gives the link and the symbol that it shows. */
export async function register(computer, { idUrl, language = 'fr', number = '0470 12 34 56', email = 'holder@example.be' }) {
  await computer.goto(`${idUrl}/${language}/enrol/`);
  await computer.fill('#number', number);
  await computer.fill('#email', email);
  await hook(computer, 'continue').click();
  return readerStep(computer);
}

export async function readerStep(computer) {
  const link = await hook(computer, 'reader-link').getAttribute('href');
  const symbol = (await hook(computer, 'symbol').count()) > 0 ? await hook(computer, 'symbol').first().getAttribute('data-symbol') : '';
  return { link, symbol };
}

/** A2: read the card, look at the person, sign. `desk.run` runs the real symbolon-eid. Gives what the page said of the person. */
export async function readAndSign(computer, { desk, pin = '1234', language = 'fr', first }) {
  const read = await desk.run({ ...first, pin, language });
  if (read.code !== 0) throw new Error(`symbolon-eid could not read the card: ${read.said}`);
  const person = await hook(computer, 'person').innerText();
  await hook(computer, 'sign').click();
  const second = await readerStep(computer);
  const signed = await desk.run({ ...second, pin, language });
  if (signed.code !== 0) throw new Error(`symbolon-eid could not sign the contract: ${signed.said}`);
  return person;
}

/** A3: the identification token that the page shows. */
export async function identificationToken(computer) {
  await hook(computer, 'token').waitFor();
  return hook(computer, 'token').getAttribute('data-token');
}

export async function typeCode(phone, code) {
  await hook(phone, 'keypad').waitFor();
  for (const digit of code) await hook(phone, `key-${digit}`).click();
  await hook(phone, 'confirm-code').click();
}

/**
 * A4: the phone app. `sms`: gives the text of the SMS that is on its way. `fingerprint`: the answer to its offer, on a phone
 * that has one (addFingerprint).
 */
export async function linkPhone(phone, { phoneUrl, number = '0470 12 34 56', token, code = '38214', sms, fingerprint }) {
  await phone.goto(`${phoneUrl}/app/`);
  await hook(phone, 'link-phone').click();
  await phone.fill('#number', number);
  await hook(phone, 'next').click();
  await phone.fill('#token', token);
  await hook(phone, 'next').click();
  await phone.locator('#sms').waitFor();
  const text = await sms();
  await phone.fill('#sms', /\b\d{6}\b/.exec(text)[0]);
  await hook(phone, 'next').click();
  await typeCode(phone, code);
  await typeCode(phone, code);
  if (fingerprint !== undefined) await hook(phone, fingerprint ? 'fingerprint-on' : 'fingerprint-later').click();
  await hook(phone, 'linked').waitFor();
  await hook(phone, 'to-home').click();
  await hook(phone, 'nothing').waitFor();
}

/**
 * Gives the phone a finger: Chromium's virtual authenticator. `knows(false)`: from now on it doesn't recognise its holder.
 * `takeTo(page)`: the same passkeys on another page, since an authenticator belongs to one page.
 */
export async function addFingerprint(phone, { credentials = [], ...options } = {}) {
  const session = await phone.context().newCDPSession(phone);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true, ...options,
    },
  });
  for (const credential of credentials) await session.send('WebAuthn.addCredential', { authenticatorId, credential });
  return {
    knows: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    takeTo: async (page) =>
      addFingerprint(page, { credentials: (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials, ...options }),
    remove: () => session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
  };
}

/** From the partner's button to the sign-in page, with every way from there to the phone. */
export async function goToSignIn(computer, { partnerUrl, button = '#login' }) {
  await computer.goto(`${partnerUrl}/`);
  await computer.click(button);
  await computer.locator('#entry').waitFor();
}

/** D1 at the computer: from the partner's button to the symbol. */
export async function startLogin(computer, { partnerUrl, number = '0470 12 34 56', button }) {
  await goToSignIn(computer, { partnerUrl, button });
  return typeNumber(computer, number);
}

export async function typeNumber(computer, number) {
  await computer.fill('input[name="identifier"]', number);
  await computer.click('button[name="continue"]');
  const waiting = computer.locator('#waiting');
  await waiting.waitFor();
  const href = await waiting.locator('use').first().getAttribute('href');
  return href.split('#')[1];
}

/** D1 on the phone: who asks, the symbol, the code; or, with `code` null, the fingerprint. */
export async function approve(phone, { symbol, code = '38214' }) {
  await hook(phone, 'open-action').first().click();
  await hook(phone, 'partner').waitFor();
  const shown = { partner: await hook(phone, 'partner').innerText(), claims: await hook(phone, 'claims').innerText() };
  await hook(phone, 'approve').click();
  await hook(phone, `symbol-${symbol}`).click();
  if (code === null) {
    await hook(phone, 'use-fingerprint').click();
  } else {
    await typeCode(phone, code);
  }
  await phone.locator('[data-test="result"]').waitFor();
  return shown;
}

// ---- D3: the phone goes to the page ------------------------------------------------------------------------------------------

/** The address that the page's QR code says now. */
export async function shownQr(computer) {
  const place = computer.locator('#qr[data-value]');
  await place.waitFor();
  return place.getAttribute('data-value');
}

/** The phone's camera sees that page from now on: pictures of its QR code, several a second. */
export async function pointCamera(phone, computer) {
  await phone.exposeFunction('symbolonCamera', async () => {
    const shot = await computer.locator('#qr svg').screenshot({ timeout: 1000 }).catch(() => null);
    return shot ? shot.toString('base64') : '';
  });
  await phone.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 480;
      const context = canvas.getContext('2d');
      const look = async () => {
        const picture = await globalThis.symbolonCamera();
        if (picture) {
          const bytes = Uint8Array.from(atob(picture), (sign) => sign.charCodeAt(0));
          context.drawImage(await createImageBitmap(new Blob([bytes], { type: 'image/png' })), 60, 60, 360, 360);
        }
        setTimeout(look, 100);
      };
      context.fillStyle = '#fff';
      context.fillRect(0, 0, 480, 480);
      void look();
      return canvas.captureStream(15);
    };
  });
}

/** The short code that the page shows, typed in the app. */
export async function typeShortCode(phone, code) {
  await hook(phone, 'type-code').click();
  await phone.fill('#short-code', code);
  await hook(phone, 'next').click();
  await hook(phone, 'partner').waitFor();
}

/** What is on the phone is approved: the symbol where one is asked, then the code. */
export async function approveOpened(phone, { symbol, code = '38214' } = {}) {
  await hook(phone, 'partner').waitFor();
  await hook(phone, 'approve').click();
  if (symbol) await hook(phone, `symbol-${symbol}`).click();
  await typeCode(phone, code);
}

/** The symbol of a waiting page. */
export async function shownSymbol(computer) {
  const waiting = computer.locator('#waiting[data-symbol]');
  await waiting.waitFor();
  return waiting.getAttribute('data-symbol');
}
