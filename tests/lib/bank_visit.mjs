// A customer at the demo's bank without a script: by plain forms. (In a real browser: web/demo/bank/customer.mjs.)
import assert from 'node:assert/strict';
import { cardOf, pin as rightPin } from '../../web/demo/bank/people.mjs';
import { Browser } from './holder.mjs';

const unescape = (html) => html.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code));
const within = (html, test) => {
  const found = new RegExp(`data-test="${test}"[^>]*>([^<]*)<`).exec(html)?.[1];
  return found === undefined ? undefined : unescape(found);
};

/** One visit without a script. Follows the bank's own redirects, and stops where it leads away from the bank. */
export class FormsVisit {
  /** @param {URL|string} url the authorization URL */
  constructor(url, { browser = new Browser(), headers = {} } = {}) {
    this.url = new URL(url);
    this.origin = this.url.origin;
    this.browser = browser;
    this.headers = headers;
  }

  async #follow(answer) {
    while (answer.status === 303) {
      const to = new URL(answer.headers.get('location'), this.url);
      if (to.origin !== this.origin) {
        this.left = to;
        return to;
      }
      this.url = to;
      answer = await this.browser.fetch(to, { headers: this.headers });
    }
    this.status = answer.status;
    this.html = await answer.text();
    return undefined;
  }

  open() {
    return this.browser.fetch(this.url, { headers: this.headers }).then((answer) => this.#follow(answer));
  }

  /** Presses a button. Gives where it leads away from the bank, if it does. */
  async press(button, fields = {}) {
    return this.#follow(await this.browser.form(this.url, { ...fields, do: button }));
  }

  get at() {
    return /data-test="step" data-at="(\w+)"/.exec(this.html)?.[1];
  }

  get problem() {
    return /data-problem="(\w+)"/.exec(this.html)?.[1];
  }

  get challenge() {
    return /data-challenge="(\d+)"/.exec(this.html)?.[1];
  }

  get readerAnswer() {
    return within(this.html, 'reader-answer')?.replaceAll(' ', '');
  }

  text(test) {
    return within(this.html, test);
  }
}

/** The whole visit of a customer. `by`: 'reader', 'app' or 'cancel'. Gives where the bank sends the browser. */
export async function visitByForms(url, { person = 'lotte', by = 'reader', pin = rightPin, browser } = {}) {
  const visit = new FormsVisit(url, { browser });
  await visit.open();
  assert.equal(visit.at, 'card', visit.html);
  if (by === 'cancel') return visit.press('cancel');
  await visit.press(by, { card: cardOf(person) });
  if (by === 'app') return visit.press('approve');
  await visit.press('compute', { pin, challenge: visit.challenge });
  return visit.press('identify', { answer: visit.readerAnswer });
}
