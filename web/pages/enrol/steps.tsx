// A2 to A4 on the computer: card, review, contract, phone, done. Each step is drawn from the server's state alone.

import { useState } from 'preact/hooks';
import type { Failure } from '../../shared/api.ts';
import { longDate, timeOfDay } from '../../shared/language.ts';
import { groupedNumber } from '../../shared/number-shown.ts';
import {
  Countdown,
  FailureNotice,
  Heading,
  Icon,
  Notice,
  SymbolPicture,
  symbolName,
  useSecondsLeft,
} from '../../shared/ui.tsx';
import type { State } from './state.ts';
import type { Texts } from './texts.ts';
import { QrCode, Token } from './token.tsx';
import { WebEid } from './web-eid-part.tsx';

export type Verb = 'link' | 'sign' | 'token' | 'undo' | 'cancel';
export type StepProps = {
  state: State;
  texts: Texts;
  busy: boolean;
  failure: Failure | undefined;
  act: (verb: Verb) => void;
  restart: () => void;
  /** What the server says of the enrolment now. */
  shown: (content: unknown) => void;
};

export function Steps(props: StepProps) {
  switch (props.state.step) {
    case 'card':
      return <CardStep {...props} />;
    case 'review':
      return <ReviewStep {...props} />;
    case 'sign':
      return <SignStep {...props} />;
    case 'phone':
      return <PhoneStep {...props} />;
    case 'done':
      return <DoneStep {...props} />;
    case 'ended':
      return <EndedStep {...props} />;
  }
}

function StepFailure({ state, failure, texts }: StepProps) {
  // What the reader met stands under its progress.
  const told = failure ?? (state.outcome?.outcome === state.progress?.outcome ? null : state.outcome);
  return told ? <FailureNotice failure={told} {...texts} /> : null;
}

function CardStep(props: StepProps) {
  const { state, texts } = props;
  const { t } = texts;
  return (
    <>
      <Heading>{t('card.heading')}</Heading>
      <p class="lead">{t('card.for', { number: groupedNumber(state.phone_number) })}</p>
      <StepFailure {...props} />
      <section class="card">
        <ol class="steps-list">
          <li>{t('card.do.reader')}</li>
          <li>{t('card.do.open')}</li>
          <li>
            {t('card.do.symbol')}
            <ShownSymbol state={state} texts={texts} />
          </li>
        </ol>
        <ReaderLink {...props} button={t('button.open_reader')} />
      </section>
      <ReaderProgress {...props} />
      <Notice kind="warn">
        <p>{t('symbol.warning')}</p>
      </Notice>
      <WebEid texts={texts} shown={props.shown} />
      <Cancel {...props} />
    </>
  );
}

function ShownSymbol({ state, texts }: { state: State; texts: Texts }) {
  if (!state.symbol) return null;
  const name = symbolName(state.symbol, texts.language);
  return (
    <div>
      <span class="symbol-shown" data-test="symbol" data-symbol={state.symbol}>
        <SymbolPicture id={state.symbol} />
        <span>
          <span class="visually-hidden">{texts.t('symbol.label', { name })}</span>
          <span aria-hidden="true">{name}</span>
        </span>
      </span>
    </div>
  );
}

function ReaderLink({ state, texts, busy, act, button }: StepProps & { button: string }) {
  const { t } = texts;
  const [copied, setCopied] = useState(false);
  const secondsLeft = useSecondsLeft(state.link_expires_at ?? 0);
  // The program has taken the link: its progress says the rest.
  if (!state.link && state.progress && !state.progress.outcome)
    return (
      <div>
        <button
          class="button plain"
          onClick={() => act('link')}
          aria-disabled={busy ? 'true' : undefined}
          data-test="new-link"
        >
          {t('button.new_link')}
        </button>
      </div>
    );
  if (!state.link && state.progress?.outcome) return null;
  if (!state.link || secondsLeft === 0) {
    return (
      <div class="near">
        <p>{t('link.expired')}</p>
        <button
          class="button main"
          onClick={() => act('link')}
          aria-disabled={busy ? 'true' : undefined}
          data-test="new-link"
        >
          <Icon name="refresh" /> {t('button.new_link')}
        </button>
      </div>
    );
  }
  const copy = async () => {
    await navigator.clipboard?.writeText(state.command ?? '').catch(() => undefined);
    setCopied(true);
  };
  return (
    <div class="near">
      <a class="button main wide" href={state.link} data-test="reader-link">
        <Icon name="card" /> {button}
      </a>
      {state.reader_page && (
        <a class="button wide" href={state.reader_page} target="_blank" rel="noopener" data-test="reader-page">
          <Icon name="link" /> {t('button.virtual_reader')}
        </a>
      )}
      <p class="hint">
        <Countdown until={state.link_expires_at ?? 0} text={(time) => t('link.expires', { time })} />
      </p>
      <details>
        <summary>{t('link.nothing_happens')}</summary>
        <div class="near">
          <p>{t('link.command')}</p>
          <pre class="command" tabIndex={0} aria-label={t('link.command.label')} data-test="command">
            <code>{state.command}</code>
          </pre>
          <div class="row">
            <button class="button" onClick={copy}>
              <Icon name="copy" /> {t('button.copy')}
            </button>
            <button
              class="button plain"
              onClick={() => act('link')}
              aria-disabled={busy ? 'true' : undefined}
              data-test="new-link"
            >
              {t('button.new_link')}
            </button>
          </div>
          <p role="status">{copied ? t('link.copied') : ''}</p>
        </div>
      </details>
    </div>
  );
}

function ReaderProgress({ state, texts, busy, act }: StepProps) {
  const { t, c, language } = texts;
  const progress = state.progress;
  const said = (): string => {
    switch (progress?.at) {
      case undefined:
        return t('progress.none');
      case 'reader':
        return t('progress.reader');
      case 'card':
        return t('progress.card');
      case 'reading':
        return t('progress.reading');
      case 'pin':
        return t('progress.pin');
      case 'sending':
        return t('progress.sending');
      default:
        return t('progress.open');
    }
  };
  const { outcome, text, tries_left } = progress ?? {};
  const failure: Failure | null = outcome
    ? { outcome, text: text ?? '', way_out: '', ...(tries_left === undefined ? {} : { tries_left }) }
    : null;
  return (
    <section class="card" aria-labelledby="progress-heading" data-test="progress" data-at={progress?.at ?? ''}>
      <h2 id="progress-heading">{t('progress.heading')}</h2>
      <p role="status" class="row">
        {progress && !failure && <span class="spinner" />}
        <span>{said()}</span>
      </p>
      {failure && (
        <>
          <FailureNotice failure={failure} language={language} c={c} />
          <p class="row">
            <a href={`/${language}/help/#${failure.outcome}`} target="_blank" rel="noopener">
              {c('more_help')}
            </a>
            <button
              class="button"
              onClick={() => act('link')}
              aria-disabled={busy ? 'true' : undefined}
              data-test="new-link"
            >
              <Icon name="refresh" /> {t('button.new_link')}
            </button>
          </p>
        </>
      )}
    </section>
  );
}

function ReviewStep(props: StepProps) {
  const { state, texts, busy, act } = props;
  const { t, language } = texts;
  const person = state.person;
  const facts: [string, string | undefined][] = [
    [t('review.name'), person?.name],
    [t('review.birth_date'), person && longDate(language, person.birth_date)],
    [t('review.national_number'), person?.national_number_last],
    [t('review.address'), person?.address],
    [t('review.card_number'), person?.card_number_last],
    [t('review.valid_until'), person?.valid_until && longDate(language, person.valid_until)],
    [t('review.phone_number'), groupedNumber(state.phone_number)],
    [t('review.email'), state.email],
  ];
  return (
    <>
      <Heading>{t(state.moves ? 'review.back' : 'review.heading')}</Heading>
      <p class="lead">{t('review.lead')}</p>
      {state.moves && (
        <Notice kind="info" data-test="moves">
          <p>
            <strong>{t('moves.lead')}</strong>
          </p>
          <p>{t('moves.text')}</p>
        </Notice>
      )}
      <StepFailure {...props} />
      <section class="card">
        <dl class="facts" data-test="person">
          {facts.map(([name, value]) => value && [<dt>{name}</dt>, <dd>{value}</dd>])}
        </dl>
      </section>
      <section class="card" aria-labelledby="contract-heading">
        <h2 id="contract-heading">{t('contract.heading')}</h2>
        <p>
          <a class="with-icon" href="/enrolment/contract.pdf" target="_blank" rel="noopener" data-test="contract">
            <Icon name="document" /> {t('contract.read')}
          </a>
        </p>
        <p>{t('contract.signing')}</p>
        <div class="row">
          <button
            class="button main"
            onClick={() => act('sign')}
            aria-disabled={busy ? 'true' : undefined}
            data-test="sign"
          >
            {t('button.sign')}
          </button>
          <button
            class="button bad"
            onClick={() => act('cancel')}
            aria-disabled={busy ? 'true' : undefined}
            data-test="not-me"
          >
            {t('button.not_me')}
          </button>
        </div>
      </section>
    </>
  );
}

function SignStep(props: StepProps) {
  const { state, texts } = props;
  const { t } = texts;
  return (
    <>
      <Heading>{t('sign.heading')}</Heading>
      <p>
        <a class="with-icon" href="/enrolment/contract.pdf" target="_blank" rel="noopener" data-test="contract">
          <Icon name="document" /> {t('contract.read')}
        </a>
      </p>
      <StepFailure {...props} />
      <section class="card">
        <ol class="steps-list">
          <li>{t('sign.do.card')}</li>
          <li>{t('sign.do.open')}</li>
          {state.symbol && (
            <li>
              {t('card.do.symbol')}
              <ShownSymbol state={state} texts={texts} />
            </li>
          )}
          <li>{t('sign.do.pin')}</li>
        </ol>
        <ReaderLink {...props} button={t('button.open_signer')} />
      </section>
      <ReaderProgress {...props} />
      <Cancel {...props} />
    </>
  );
}

function PhoneStep(props: StepProps) {
  const { state, texts, busy, act } = props;
  const { t } = texts;
  const secondsLeft = useSecondsLeft(state.token_expires_at ?? 0);
  const usedUp = state.token_tries_left === 0;
  const good = !!state.token && secondsLeft > 0 && !usedUp;
  const app = appAddress(state.token_qr);
  return (
    <>
      <Heading>{t('phone.heading')}</Heading>
      {state.person && <p class="lead">{t(state.web_eid ? 'phone.recognised' : 'phone.signed', { name: state.person.name })}</p>}
      {state.moves && <p data-test="moves">{t('moves.phone')}</p>}
      {state.takes_number && (
        <Notice kind="warn" data-test="takes-number">
          <p>{t('takes_number')}</p>
        </Notice>
      )}
      <StepFailure {...props} />
      <section class="card">
        {good && (
          <div class="phone-ways">
            <ol class="steps-list">
              <li>
                {t('phone.do.open')} {app && <strong class="mono address">{app}</strong>}
              </li>
              <li>{t('phone.do.number', { number: groupedNumber(state.phone_number) })}</li>
              <li>{t('phone.do.token')}</li>
            </ol>
            {state.token_qr && <QrCode text={state.token_qr} label={t('phone.qr')} />}
          </div>
        )}
        <section class="near" aria-labelledby="token-heading">
          <h2 id="token-heading">{t('token.heading')}</h2>
          {good ? (
            <>
              <Token token={state.token!} t={t} />
              <p class="hint">
                <Countdown until={state.token_expires_at!} text={(time) => t('token.expires', { time })} />
              </p>
            </>
          ) : (
            <>
              <p>{t(usedUp ? 'token.used_up' : 'token.expired')}</p>
              <div>
                <button
                  class="button main"
                  onClick={() => act('token')}
                  aria-disabled={busy ? 'true' : undefined}
                  data-test="new-token"
                >
                  <Icon name="refresh" /> {t('button.new_token')}
                </button>
              </div>
            </>
          )}
        </section>
        <Notice kind="warn" data-test="never-tell">
          <p>
            <strong>{t('token.never_tell')}</strong>
          </p>
        </Notice>
      </section>
      <p class="row" role="status">
        <span class="spinner" /> <span>{t('phone.waiting')}</span>
      </p>
      {!state.web_eid && <SignedContract texts={texts} />}
      <Cancel {...props} />
    </>
  );
}

/** Without the fragment: what one types on the phone. */
function appAddress(tokenQr: string | undefined): string {
  try {
    const url = new URL(tokenQr ?? '');
    return url.host + url.pathname;
  } catch {
    return '';
  }
}

function SignedContract({ texts }: { texts: Texts }) {
  return (
    <p>
      <a class="with-icon" href="/enrolment/contract.pdf" download="symbolon.pdf" data-test="signed-contract">
        <Icon name="download" /> {texts.t('contract.download')}
      </a>
    </p>
  );
}

function DoneStep(props: StepProps) {
  const { state, texts } = props;
  const { t, language } = texts;
  return (
    <>
      <Heading>{t('done.heading')}</Heading>
      <StepFailure {...props} />
      <Notice kind="ok" role="status" data-test="done">
        <p>
          <strong>{t(state.moves ? 'moves.done' : 'done.lead')}</strong>
        </p>
        <p>{t('done.next')}</p>
      </Notice>
      <section class="card">
        <dl class="facts">
          <dt>{t('done.phone')}</dt>
          <dd data-test="phone-name">{state.phone?.name}</dd>
          <dt>{t('done.at')}</dt>
          <dd>{state.phone && timeOfDay(language, state.phone.bound_at)}</dd>
          <dt>{t('review.phone_number')}</dt>
          <dd>{groupedNumber(state.phone_number)}</dd>
        </dl>
        {!state.web_eid && <SignedContract texts={texts} />}
      </section>
      {state.can_undo && (
        <section class="card" aria-labelledby="undo-heading">
          <h2 id="undo-heading">{t('undo.heading')}</h2>
          <p>{t(state.moves ? 'undo.text.moved' : 'undo.text')}</p>
          <Sure
            {...props}
            verb="undo"
            first={t('button.undo')}
            question={t('undo.sure')}
            yes={t('button.undo_yes')}
            no={t('button.undo_no')}
          />
        </section>
      )}
    </>
  );
}

function EndedStep(props: StepProps) {
  const { texts, restart } = props;
  return (
    <>
      <Heading>{texts.t('ended.heading')}</Heading>
      <StepFailure {...props} />
      <div>
        <button class="button main" onClick={restart} data-test="start-again">
          {texts.t('button.start_again')}
        </button>
      </div>
    </>
  );
}

function Cancel(props: StepProps) {
  const { t } = props.texts;
  return (
    <Sure
      {...props}
      verb="cancel"
      plain
      first={t('cancel')}
      question={t('cancel.sure')}
      yes={t('button.cancel_yes')}
      no={t('button.cancel_no')}
    />
  );
}

type SureProps = StepProps & { verb: Verb; plain?: boolean; first: string; question: string; yes: string; no: string };

/** A deed that can't be taken back is asked twice, in the page itself. */
function Sure({ verb, plain, first, question, yes, no, busy, act }: SureProps) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <div>
        <button class={`button ${plain ? 'plain' : 'bad'}`} onClick={() => setAsking(true)} data-test={verb}>
          {verb === 'undo' && <Icon name="undo" />} {first}
        </button>
      </div>
    );
  return (
    <div class="near" role="group" aria-label={question}>
      <p>
        <strong>{question}</strong>
      </p>
      <div class="row">
        <button
          class="button bad"
          onClick={() => act(verb)}
          aria-disabled={busy ? 'true' : undefined}
          data-test={`${verb}-yes`}
        >
          {yes}
        </button>
        <button class="button" onClick={() => setAsking(false)} data-test={`${verb}-no`} autofocus>
          {no}
        </button>
      </div>
    </div>
  );
}
