// What a customer does on the pages of the demo's bank, in a real browser (playwright-core).
import { hook, typeCode } from '../journey.mjs';
import { cardOf, pin as rightPin } from './people.mjs';

/** From the bank's first page to where it sends the browser. `by`: 'reader', 'app', or 'cancel' at once. */
export async function identifyAtBank(page, { person = 'lotte', by = 'reader', pin = rightPin } = {}) {
  await hook(page, 'step').waitFor();
  if (by === 'cancel') return hook(page, 'cancel').click();
  await page.locator('#card').fill(cardOf(person));
  await hook(page, `with-${by}`).click();
  if (by === 'app') return hook(page, 'approve').click();
  await page.locator('#pin').fill(pin);
  await hook(page, 'reader-ok').click();
  await page.locator('#answer').fill(await hook(page, 'reader-answer').innerText());
  return hook(page, 'identify').click();
}

/** From the welcome, or from where the app says that it must be linked again, to the choice of bank. */
export async function toChoice(phone, number) {
  await hook(phone, 'link-bank').click();
  await phone.fill('#number', number);
  await hook(phone, 'next').click();
  await hook(phone, 'banks').waitFor();
}

export async function leaveFor(phone, bank) {
  await hook(phone, `bank-${bank}`).click();
  await hook(phone, 'to-bank').click();
}

/** From the step of the SMS to the home screen. `sms`: gives the text of the SMS that is on its way. */
export async function finishLinking(phone, { sms, code = '38214' }) {
  await phone.locator('#sms').waitFor();
  await phone.fill('#sms', /\b\d{6}\b/.exec(await sms())[0]);
  await hook(phone, 'next').click();
  await typeCode(phone, code);
  await typeCode(phone, code);
  await hook(phone, 'linked').waitFor();
  await hook(phone, 'to-home').click();
  await hook(phone, 'nothing').waitFor();
}

/** B1: the phone app, from its welcome to its home. */
export async function linkPhoneByBank(phone, { phoneUrl, number = '0470 12 34 56', bank = 'kbc', person, by, code, sms }) {
  await phone.goto(`${phoneUrl}/app/`);
  await toChoice(phone, number);
  await leaveFor(phone, bank);
  await identifyAtBank(phone, { person, by });
  await finishLinking(phone, { sms, code });
}
