// A customer's visit at a bank, page by page: card number, then the reader's answer or the bank's app. Each post leads to a page that may be reloaded.
import { randomInt } from 'node:crypto';
import { loa } from './banks.mjs';
import { visitPage } from './pages.mjs';
import { readerAnswer, sameText, tries } from './reader.mjs';
import { pin } from './people.mjs';
import { Shelf } from './store.mjs';
import { languageOf, say } from './texts.mjs';

const digitsOf = (text) => (text ?? '').replace(/[\s.-]/g, '');
const isDigits = (text, count) => new RegExp(`^\\d{${count}}$`).test(text);
const newChallenge = () => String(randomInt(100_000_000)).padStart(8, '0');

/** The moves: each takes the visit and the form, changes the visit, and may say how it ends: {identified: {acr, amr}} or {cancelled: true}. */
function makeMoves({ people, cards }) {
  const wrong = (visit, field, key, n) => {
    visit.problem = { field, key, n };
  };
  // With the card number typed on this page, or from the page before.
  const toWay = (step) => (visit, form) => {
    if (visit.step === 'card') {
      visit.cardTyped = form.get('card') ?? '';
      const typed = digitsOf(visit.cardTyped);
      if (!isDigits(typed, 16)) return wrong(visit, 'card', 'card_malformed');
      visit.person = people.find(({ card }) => card === typed);
      if (!visit.person) return wrong(visit, 'card', 'card_unknown');
    }
    visit.step = step;
    visit.challenge ??= newChallenge();
    return undefined;
  };
  return {
    card: { reader: toWay('reader'), app: toWay('app'), cancel: () => ({ cancelled: true }) },
    reader: {
      compute(visit, form) {
        const [typedPin, challenge] = [digitsOf(form.get('pin')), digitsOf(form.get('challenge'))];
        if (!isDigits(typedPin, 4) || !isDigits(challenge, 8)) return wrong(visit, 'pin', 'pin_malformed');
        visit.reader = cards.answer(visit.person.card, typedPin, challenge);
        if (visit.reader.wrong) wrong(visit, 'pin', 'pin_wrong', visit.reader.wrong);
        return undefined;
      },
      unblock(visit) {
        cards.reset(visit.person.card);
        visit.reader = undefined;
        visit.reset = true;
      },
      identify(visit, form) {
        const answer = digitsOf(form.get('answer'));
        if (!isDigits(answer, 8)) return wrong(visit, 'answer', 'answer_malformed');
        // A blocked card can't have given it, whoever worked it out.
        if (cards.triesLeft(visit.person.card) > 0 && sameText(answer, readerAnswer(visit.person.card, pin, visit.challenge)))
          return { identified: { acr: loa('high'), amr: ['hwk', 'pin'] } };
        visit.answersLeft -= 1;
        if (visit.answersLeft === 0) visit.step = 'ended';
        else wrong(visit, 'answer', 'answer_wrong', visit.answersLeft);
        return undefined;
      },
      app: toWay('app'),
      back(visit) {
        Object.assign(visit, { step: 'card', person: undefined, challenge: undefined, reader: undefined });
      },
      cancel: () => ({ cancelled: true }),
    },
    app: {
      approve: () => ({ identified: { acr: loa('substantial'), amr: ['swk', 'user'] } }),
      reader: toWay('reader'),
      back(visit) {
        Object.assign(visit, { step: 'card', person: undefined, challenge: undefined, reader: undefined });
      },
      cancel: () => ({ cancelled: true }),
    },
    ended: { cancel: () => ({ cancelled: true }) },
  };
}

/** What makes a visit of a request to /BANK/visit/UID. */
export function makeVisits({ bank, people, cards, provider, subjectOf }) {
  const visits = new Shelf(1000);
  const moves = makeMoves({ people, cards });

  return {
    /** Gives undefined where there is no such visit in this browser; else {html}, {json}, {again: true} or {finish: result of oidc-provider}. */
    async step(request, response, uid, form) {
      let interaction;
      try {
        interaction = await provider().interactionDetails(request, response);
      } catch (error) {
        if (error.name === 'SessionNotFound') return undefined;
        throw error;
      }
      if (interaction.uid !== uid) return undefined;
      const visit = visits.get(uid) ?? visits.set(uid, { step: 'card', answersLeft: tries,
        language: languageOf(interaction.params.ui_locales, request.headers['accept-language']) }, Math.max(1, interaction.exp - Date.now() / 1000));
      if (!form) return { html: visitPage({ bank, visit, people, triesLeft: visit.person && cards.triesLeft(visit.person.card) }) };

      const pressed = form.get('do') ?? '';
      if (!Object.hasOwn(moves[visit.step], pressed)) return { again: true }; // a button of a page that has gone by
      const move = moves[visit.step][pressed];
      visit.problem = undefined;
      visit.reset = false;
      const end = move(visit, form);
      if (!end) {
        if (!/\bapplication\/json\b/.test(request.headers.accept ?? '')) return { again: true };
        const { problem, reader } = visit;
        return { json: { text: say(visit.language, problem?.key ?? 'reader_answer', { bank: bank.name, n: problem?.n }), answer: problem ? undefined : reader?.answer, blocked: reader?.blocked } };
      }
      visits.delete(uid);
      return { finish: end.cancelled ? { error: 'access_denied', error_description: 'the customer cancelled' }
        : { login: { accountId: subjectOf(visit.person), remember: false, ...end.identified } } };
    },
  };
}
