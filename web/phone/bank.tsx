// Linking through a bank (B1 to B4): the choice, what will happen, the time there, and the digits of another browser.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { serverNow, type Failure } from '../shared/api.ts';
import { longDate, timeOfDay } from '../shared/language.ts';
import { shortAddress } from '../shared/site.ts';
import { Busy, FailureNotice, Heading, Icon, Notice } from '../shared/ui.tsx';
import type { Bank } from './server.ts';
import { SixDigitsForm } from './six-digits.tsx';
import type { LinkingTexts } from './texts.ts';

/** What the card can do and a bank can't. */
const cardHelps = ['bank_data_outdated', 'new_number_needs_card', 'other_source_than_enrolled'];
const numberHelps = ['bank_phone_number_differs', 'new_number_needs_card'];

const fieldKeys = {
  document_valid_until: 'field.document_valid_until',
  document_number: 'field.document_number',
  card_read_on: 'field.card_read_on',
  family_name: 'field.family_name',
  given_names: 'field.given_names',
  birth_date: 'field.birth_date',
  national_number: 'field.national_number',
  address: 'field.address',
} as const;

/** "card_read_on" or "card_read_on since 2026-05-01" (docs/device-protocol.md §4) in words. */
function fieldName(field: string, { t, language }: LinkingTexts): string {
  const [name = '', since] = field.split(' since ');
  const words = t(Object.hasOwn(fieldKeys, name) ? fieldKeys[name as keyof typeof fieldKeys] : 'field.unnamed');
  return since ? t('field.since', { field: words, date: longDate(language, since) }) : words;
}

type CardWayProps = { texts: LinkingTexts; idUrl: string; main?: boolean; choose: () => void };

export function CardWay({ texts: { t }, idUrl, main = false, choose }: CardWayProps) {
  return (
    <section class="card" aria-labelledby="way-card">
      <div class="near">
        <h2 id="way-card">{t('way.card.heading')}</h2>
        <p>{t('way.card.needed')}</p>
        {idUrl && (
          <p>
            {t('way.card.begin')} <strong class="mono">{shortAddress(idUrl)}</strong>
          </p>
        )}
      </div>
      <button class={main ? 'button main' : 'button'} onClick={choose} data-test="link-phone">
        <Icon name="card" /> {t('button.by_card')}
      </button>
    </section>
  );
}

/** How a visit ended: in the server's words, with what is out of date, and the card where it helps. */
function BankFailure({ texts, failure, idUrl }: { texts: LinkingTexts; failure: Failure; idUrl: string }) {
  const names = [...new Set((failure.fields ?? []).map((field) => fieldName(field, texts)))];
  return (
    <>
      <FailureNotice failure={failure} language={texts.language} c={texts.c} />
      {names.length > 0 && (
        <div class="near" data-test="fields" data-fields={failure.fields!.map((field) => field.split(' ')[0]).join(' ')}>
          <p>{texts.t('outdated')}</p>
          <ul>
            {names.map((name) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </div>
      )}
      {idUrl && failure.outcome !== 'unreachable' && (
        <p>
          <a href={`${idUrl}/${texts.language}/help/#${failure.outcome}`} target="_blank" rel="noopener">
            {texts.c('more_help')}
          </a>
        </p>
      )}
    </>
  );
}

export type ChooseBankProps = {
  texts: LinkingTexts;
  /** Not read yet: null. */
  banks: Bank[] | null;
  /** Why they could not be read. */
  unread: Failure | null;
  failure: Failure | null;
  /** A bank said that the holder is under 18. */
  minor: boolean;
  idUrl: string;
  /** They could not be read, or one that was down may be there again. */
  readAgain: () => void;
  choose: (bank: Bank) => void;
  toCard: () => void;
  otherWay: () => void;
  /** The number, and the way to another one. */
  number: ComponentChildren;
};

export function ChooseBank(props: ChooseBankProps) {
  const { texts, banks, unread, failure, minor, idUrl, readAgain, choose, toCard, otherWay, number } = props;
  const { t, c } = texts;
  const offersCard = !!failure && cardHelps.includes(failure.outcome);
  const offersNumber = !!failure && numberHelps.includes(failure.outcome);
  const next = Math.min(...(banks ?? []).flatMap(({ down_until }) => down_until ?? []));
  useEffect(() => {
    if (!Number.isFinite(next)) return;
    const wait = Math.min(Math.max((next - serverNow()) * 1000, 5_000), 0x7fffffff);
    const timer = setTimeout(readAgain, wait);
    return () => clearTimeout(timer);
  }, [banks]);
  return (
    <>
      <Heading>{t('banks.heading')}</Heading>
      <p class="lead">{t('banks.lead')}</p>
      {failure && <BankFailure texts={texts} failure={failure} idUrl={idUrl} />}
      {offersNumber && number}
      {offersCard && <CardWay texts={texts} idUrl={idUrl} main choose={toCard} />}
      {!banks && !unread && <Busy text={c('loading')} />}
      {!banks && unread && (
        <>
          <FailureNotice failure={unread} language={texts.language} c={c} />
          <button class="button main" onClick={readAgain} data-test="retry">
            {c('button.retry')}
          </button>
        </>
      )}
      {banks?.length === 0 && <p>{t('banks.none')}</p>}
      {banks && banks.length > 0 && (
        <ul class="banks" data-test="banks">
          {banks.map((bank) => (
            <li key={bank.id}>
              <BankChoice texts={texts} bank={bank} minor={minor} choose={() => choose(bank)} />
            </li>
          ))}
        </ul>
      )}
      {!offersNumber && number}
      <button class="button" onClick={otherWay} data-test="other-way">
        {c('button.back')}
      </button>
    </>
  );
}

type BankChoiceProps = { texts: LinkingTexts; bank: Bank; minor: boolean; choose: () => void };

function BankChoice({ texts: { t, language }, bank, minor, choose }: BankChoiceProps) {
  const tooYoung = minor && !bank.minors;
  const state = tooYoung ? 'minor' : bank.down_until ? 'down' : 'open';
  const notes = [
    state === 'down' && t('bank.down', { time: timeOfDay(language, bank.down_until!) }),
    bank.app_first && t('bank.app_first'),
    !bank.minors && t(tooYoung ? 'bank.not_under_18' : 'bank.from_18'),
  ].filter((note) => note !== false);
  return (
    <button
      class="bank-choice"
      aria-disabled={state === 'open' ? undefined : 'true'}
      onClick={() => state === 'open' && choose()}
      data-test={`bank-${bank.id}`}
      data-state={state}
    >
      <span>
        <strong>{bank.name}</strong>
        {notes.map((note) => (
          <span key={note} class="soft">
            {note}
          </span>
        ))}
      </span>
      {state === 'open' && <Icon name="arrow" />}
    </button>
  );
}

/** An address to a page or a shop, never to a script. */
function webAddress(text: string | undefined): string | null {
  const url = text ? URL.parse(text) : null;
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

/** Leaves the app. False where that is no address to go to. */
export function leaveFor(address: string): boolean {
  const url = webAddress(address);
  if (url) location.assign(url);
  return !!url;
}

type BeforeBankProps = { texts: LinkingTexts; bank: Bank; failure: Failure | null; busy: boolean; go: () => void; other: () => void };

export function BeforeBank({ texts: { t, c, language }, bank, failure, busy, go, other }: BeforeBankProps) {
  const app = webAddress(bank.app_url);
  return (
    <>
      <Heading>{t('before.heading', { bank: bank.name })}</Heading>
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      {bank.app_first && (
        <Notice kind="warn" data-test="app-first">
          <p>{t('before.app', { bank: bank.name })}</p>
          {app && (
            <p>
              <a href={app} target="_blank" rel="noopener noreferrer" data-test="bank-app">
                {t('button.bank_app', { bank: bank.name })}
              </a>
            </p>
          )}
        </Notice>
      )}
      <section class="card">
        <ol class="steps-list">
          <li>{t('before.leaves', { bank: bank.name })}</li>
          <li>{t('before.identify')}</li>
          <li>{t('before.back')}</li>
        </ol>
        {busy && <Busy text={c('loading')} />}
        <button class="button main" onClick={go} aria-disabled={busy ? 'true' : undefined} data-test="to-bank">
          {t('button.to_bank', { bank: bank.name })} <Icon name="arrow" />
        </button>
        <button class="button" onClick={other} data-test="other-bank">
          {t('button.other_bank')}
        </button>
      </section>
      <Notice kind="info">
        <p>{t('before.never')}</p>
      </Notice>
    </>
  );
}

const lookEvery = 5_000;

type AtBankProps = {
  texts: LinkingTexts;
  bank: { name: string };
  failure: Failure | null;
  busy: boolean;
  /** Asks the server where the journey is: the visit may end in another browser. */
  look: () => void;
  go: () => void;
  other: () => void;
};

/** Left for the bank. Seen for a moment at leaving, and by whoever comes back without having finished. */
export function AtBank({ texts: { t, c, language }, bank, failure, busy, look, go, other }: AtBankProps) {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const ask = () => document.hidden || latest.current();
    const timer = setInterval(ask, lookEvery);
    document.addEventListener('visibilitychange', ask);
    // The page as it was left, when the holder goes back in the browser.
    window.addEventListener('pageshow', ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
      window.removeEventListener('pageshow', ask);
    };
  }, []);
  return (
    <>
      <Heading>{t('away.heading', { bank: bank.name })}</Heading>
      <p class="lead">{t('away.lead')}</p>
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      <section class="card" data-test="at-bank">
        <p>{t('away.stopped')}</p>
        {busy && <Busy text={c('loading')} />}
        <button class="button main" onClick={go} aria-disabled={busy ? 'true' : undefined} data-test="to-bank">
          {t('button.to_bank_again', { bank: bank.name })}
        </button>
        <button class="button" onClick={other} aria-disabled={busy ? 'true' : undefined} data-test="other-bank">
          {t('button.other_bank')}
        </button>
      </section>
    </>
  );
}

type LandedProps = {
  texts: LinkingTexts;
  bank: { name: string };
  failure: Failure | null;
  busy: boolean;
  next: (digits: string) => Promise<void>;
  back: () => void;
};

/** The bank came back in another browser, whose page shows six digits. */
export function Landed({ texts, bank, failure, busy, next, back }: LandedProps) {
  const { t, c, language } = texts;
  const [code, setCode] = useState('');
  return (
    <>
      <Heading>{t('landed.heading')}</Heading>
      <p class="lead">{t('landed.lead', { bank: bank.name })}</p>
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      <SixDigitsForm
        texts={texts}
        id="landing"
        label={t('landed.label')}
        missing={t('landed.missing')}
        autocomplete="off"
        code={code}
        change={setCode}
        busy={busy}
        submit={next}
      >
        <button class="button" type="button" onClick={back} data-test="to-banks">
          {t('button.to_banks')}
        </button>
      </SixDigitsForm>
      <Notice kind="warn">
        <p>{t('landed.warning')}</p>
      </Notice>
    </>
  );
}
