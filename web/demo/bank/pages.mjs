// The pages of the demo's banks. Whole without a script; reader.js only spares the reader a reload.
import { pin } from './people.mjs';
import { languages, say } from './texts.mjs';

export const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);
export const inFours = (digits) => digits.replace(/(\d{4})(?=\d)/g, '$1 ');

const initials = (name) => name.replace(/[^\p{L} ]/gu, '').split(' ').map((word) => word[0]).join('').slice(0, 2).toUpperCase();

export function frame({ bank, language, title, body, help = '' }) {
  const t = (key) => escape(say(language, key, { bank: bank.name }));
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} – ${escape(bank.name)} (demo)</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/bank.css">
<link rel="stylesheet" href="/${bank.id}/colours.css">
</head>
<body data-bank="${bank.id}">
<header><p class="name"><span class="badge" aria-hidden="true">${escape(initials(bank.name))}</span> ${escape(bank.name)}</p></header>
<main>
<p class="demo" data-test="demo">${t('demo')}</p>
${body}
</main>
${help}
</body>
</html>
`;
}

/** What a page says is wrong with a field, and how the field points there. */
function problemOf(visit, field, t) {
  if (visit.problem?.field !== field) return { html: '', describes: '', attributes: '' };
  const { key, n } = visit.problem;
  return {
    html: `<p class="problem" id="${field}-problem" role="alert" data-test="problem" data-problem="${key}">${t(key, { n })}</p>`,
    describes: ` ${field}-problem`,
    attributes: ' aria-invalid="true" autofocus',
  };
}

const cancel = (t, key = 'cancel') => `<form method="post" class="leave"><button name="do" value="cancel" class="plain" data-test="cancel">${t(key)}</button></form>`;

function cardPage({ bank, visit, t }) {
  const problem = problemOf(visit, 'card', t);
  const ways = [
    ['reader', `<button name="do" value="reader" class="KIND" data-test="with-reader">${t('with_reader')}</button>`],
    ['app', `<button name="do" value="app" class="KIND" data-test="with-app">${t('with_app')}</button>`],
  ];
  if (bank.appFirst) ways.reverse();
  return { title: 'who_title', html: `<h1>${t('who_title')}</h1>
<p class="asks">${t('asks')}</p>
<form method="post">
<div class="field"><label for="card">${t('card')}</label>
<p class="hint" id="card-hint">${t('card_hint')}</p>
${problem.html}
<input id="card" name="card" value="${escape(visit.cardTyped)}" inputmode="numeric" autocomplete="off" maxlength="40" required aria-describedby="card-hint${problem.describes}"${problem.attributes}></div>
<div class="ways">${ways.map(([, button], i) => button.replace('KIND', i === 0 ? 'strong' : 'second')).join('\n')}</div>
</form>
${cancel(t)}` };
}

function readerHtml({ visit, triesLeft, t }) {
  const { person, challenge, reader } = visit;
  const blocked = triesLeft === 0;
  const problem = problemOf(visit, 'pin', t);
  const screen = reader?.answer ? `<span class="what">${t('reader_answer')}</span> <output class="digits" data-test="reader-answer">${inFours(reader.answer)}</output>`
    : `<span class="what">${t(blocked ? 'pin_blocked' : visit.reset ? 'pin_is_reset' : 'reader_ready')}</span>`;
  return `<form method="post" class="reader" id="reader" aria-labelledby="reader-name" data-answer-label="${t('reader_answer')}">
<p id="reader-name" class="reader-name">${t('reader')}</p>
<p class="screen" id="reader-screen" role="status" data-test="reader-screen">${screen}</p>
${blocked ? `<button name="do" value="unblock" class="second" data-test="unblock">${t('pin_reset')}</button>` : `${problem.html}
<p class="slot">${t('reader_card')} <span class="digits">${inFours(person.card)}</span></p>
<div class="keys"><div class="field"><label for="pin">${t('pin')}</label>
<input id="pin" name="pin" type="password" inputmode="numeric" autocomplete="off" maxlength="8" required aria-describedby="reader-name${problem.describes}"${problem.attributes}></div>
<div class="field"><label for="reader-challenge">${t('reader_challenge')}</label>
<input id="reader-challenge" name="challenge" value="${inFours(challenge)}" inputmode="numeric" autocomplete="off" maxlength="16" required></div>
<button name="do" value="compute" class="second" data-test="reader-ok">${t('reader_ok')}</button></div>
<button type="button" class="second" id="reader-use" data-test="reader-use" hidden>${t('reader_use')}</button>`}
</form>`;
}

function readerPage({ visit, triesLeft, t }) {
  const problem = problemOf(visit, 'answer', t);
  const focus = visit.reader?.answer && !visit.problem ? ' autofocus' : '';
  return { title: 'steps_title', script: true, html: `<h1>${t('steps_title')}</h1>
<ol class="steps">
<li><p>${t('step_reader')}</p>
<p class="challenge"><span class="what">${t('challenge_shown')}</span> <strong class="digits" data-test="challenge" data-challenge="${visit.challenge}">${inFours(visit.challenge)}</strong></p>
${readerHtml({ visit, triesLeft, t })}</li>
<li><form method="post"><p>${t('step_answer')}</p>
<div class="field"><label for="answer">${t('answer')}</label>
<p class="hint" id="answer-hint">${t('answer_hint')}</p>
${problem.html}
<input id="answer" name="answer" inputmode="numeric" autocomplete="off" maxlength="16" required aria-describedby="answer-hint${problem.describes}"${problem.attributes || focus}></div>
<button name="do" value="identify" class="strong" data-test="identify">${t('identify')}</button></form></li>
</ol>
<form method="post" class="leave"><button name="do" value="app" class="plain" data-test="with-app">${t('with_app')}</button>
<button name="do" value="back" class="plain" data-test="other-card">${t('other_card')}</button></form>
${cancel(t)}` };
}

function appPage({ visit, t }) {
  return { title: 'app_title', html: `<h1>${t('app_title')}</h1>
<p>${t('app_wait')}</p>
<form method="post" class="app" aria-labelledby="app-name">
<p class="app-name" id="app-name">${t('app')}</p>
<p class="question">${t('app_question', { name: visit.person.name })}</p>
<p class="asks">${t('asks')}</p>
<div class="ways"><button name="do" value="approve" class="strong" data-test="approve">${t('approve')}</button>
<button name="do" value="cancel" class="second" data-test="refuse">${t('refuse')}</button></div>
</form>
<form method="post" class="leave"><button name="do" value="reader" class="plain" data-test="with-reader">${t('with_reader')}</button>
<button name="do" value="back" class="plain" data-test="other-card">${t('other_card')}</button></form>
${cancel(t)}` };
}

const endedPage = ({ t }) => ({ title: 'ended_title', html: `<h1>${t('ended_title')}</h1>
<p role="alert" data-test="ended">${t('ended')}</p>
<form method="post"><button name="do" value="cancel" class="strong" data-test="cancel">${t('back')}</button></form>` });

const steps = { card: cardPage, reader: readerPage, app: appPage, ended: endedPage };

function helpHtml({ people, visit, language, t }) {
  const shown = visit.person ?? people[0];
  return `<footer>
<p data-test="help"><strong>${t('help', { card: inFours(shown.card).replaceAll(' ', '\u00a0'), pin })}</strong> ${escape(shown.firstName)} – ${escape(shown.shows[language])}.</p>
${visit.step === 'card' ? `<details><summary>${t('help_people')}</summary><ul>${people.slice(1).map((person) =>
    `<li><span class="digits">${inFours(person.card)}</span> ${escape(person.firstName)} – ${escape(person.shows[language])}</li>`).join('')}</ul></details>` : ''}
</footer>`;
}

/** The page of a visit where it stands. */
export function visitPage({ bank, visit, people, triesLeft }) {
  const { language } = visit;
  const t = (key, values = {}) => escape(say(language, key, { bank: bank.name, ...values }));
  const { title, html, script } = steps[visit.step]({ bank, visit, triesLeft, t });
  return frame({ bank, language, title: say(language, title, { bank: bank.name }), help: visit.step === 'ended' ? '' : helpHtml({ people, visit, language, t }),
    body: `<div data-test="step" data-at="${visit.step}">${html}</div>${script ? '\n<script src="/assets/reader.js" type="module"></script>' : ''}` });
}

/** A page that says one thing; `back`: where it leads. */
export function plainPage({ bank, language, title, text, back, test }) {
  const t = (key) => escape(say(language, key, { bank: bank.name }));
  return frame({ bank, language, title: say(language, title, { bank: bank.name }),
    body: `<h1>${t(title)}</h1>\n<p data-test="${test}">${t(text)}</p>\n${back ? `<p><a class="button strong" href="${escape(back)}">${t('back')}</a></p>` : ''}` });
}

/** What the demo's visitor needs to know, at the process's own address. */
export function startPage({ banks, people, phone }) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>The banks – Symbolon demo</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/bank.css"></head>
<body><main>
<h1>The banks of the demo</h1>
<p>One program plays all seven. In the <a href="${escape(phone)}">phone app</a>, choose to register through a bank: it brings you to the page of that bank, which asks for a card number, and then for
the answer of a card reader (drawn on the page) or a confirmation in the bank's app (drawn there too).</p>
<p>The PIN of every card is <strong>${pin}</strong>. The pages come in ${languages.length} languages: the one of the app.</p>
<h2>People</h2>
<ul class="people">${people.map((person) => `<li><span class="digits">${inFours(person.card)}</span> <strong>${escape(person.name)}</strong>: ${escape(person.shows.en)}</li>`).join('')}</ul>
<h2>Banks</h2>
<ul class="people">${banks.map((bank) => `<li><strong>${escape(bank.name)}</strong>: ${[bank.minors ? 'also for people of 16 and 17' : 'adults only', bank.appFirst ? 'its app first' : '',
    `ID tokens signed with ${bank.sign}${bank.encrypt ? ' and encrypted' : ''}`].filter(Boolean).join(', ')}</li>`).join('')}</ul>
</main></body></html>
`;
}
