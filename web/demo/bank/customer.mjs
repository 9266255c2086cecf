// What a customer does on the pages of the demo's bank, in a real browser (playwright-core).
import { hook } from '../journey.mjs';
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
