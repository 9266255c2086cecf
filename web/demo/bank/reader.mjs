// Bank cards and the reader that people hold them in: the PIN is checked by the card, and the answer depends on the card and the challenge.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { pin as rightPin } from './people.mjs';

export const tries = 3;

/** The eight digits that the reader shows for a card, its PIN and an eight-digit challenge. */
export function readerAnswer(card, pin, challenge) {
  const code = createHmac('sha256', `demo bank card ${card}`).update(`${pin} ${challenge}`).digest();
  return String(code.readUInt32BE(0) % 100_000_000).padStart(8, '0');
}

export function sameText(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The cards of one bank: what each has left of its tries. */
export function makeCards() {
  const left = new Map(); // by card number; there are no others than the demo's
  const of = (card) => left.get(card) ?? tries;
  return {
    triesLeft: of,
    /** {answer}, or {wrong: tries left}, or {blocked: true}. */
    answer(card, pin, challenge) {
      if (of(card) === 0) return { blocked: true };
      if (!sameText(pin, rightPin)) {
        left.set(card, of(card) - 1);
        return of(card) === 0 ? { blocked: true } : { wrong: of(card) };
      }
      left.delete(card);
      return { answer: readerAnswer(card, pin, challenge) };
    },
    reset: (card) => left.delete(card),
  };
}
