// D1 on the phone: who asks, what, which data, from where, a warning; then the symbol; then the code. Refusing is as near
// as approving on each of the three.

import { useEffect, useState } from 'preact/hooks';
import { serverNow, type Failure } from '../shared/api.ts';
import { unb64, type Bytes } from '../shared/bytes.ts';
import {
  makeAnswer,
  makeMatch,
  readTransaction,
  wantsSymbol,
  type Choice,
  type Transaction,
  type TransactionRefusal,
} from '../shared/device-protocol.ts';
import { timeOfDay } from '../shared/language.ts';
import {
  Busy,
  Countdown,
  FailureNotice,
  Heading,
  Icon,
  Notice,
  SymbolPicture,
  symbolName,
  useSecondsLeft,
} from '../shared/ui.tsx';
import { claimText } from './claims.ts';
import { usePasskey } from './fingerprint.ts';
import { Keypad } from './keypad.tsx';
import { rememberApproval } from './notified.ts';
import { DeclinedNotice, keysGone, notKept, partnerName, Unsent } from './parts.tsx';
import { alone, turnRatchet } from './ratchet.ts';
import { endsTheLink, type Server } from './server.ts';
import { load, type Device } from './store.ts';
import type { Texts } from './texts.ts';

/** How long an approved link may take to come back to its page; the server's own limit says when it is over. */
const returnSeconds = 120;

/** The server may say that a request is over just before what is known here of its clock does. */
const clocksDifferSeconds = 2;

type Asked = { tx: Transaction; bytes: Bytes };

type Page =
  | { at: 'opening' }
  | { at: 'review' }
  | { at: 'symbol' }
  | { at: 'code'; symbol: string; failure?: Failure; declined?: boolean }
  | { at: 'refusing'; noneOfThese: boolean; back: Page }
  | { at: 'sending' }
  | { at: 'unsent'; body: string; reason: string; symbol: string; failure?: Failure }
  | { at: 'returning'; failure?: Failure }
  | { at: 'matching'; failure?: Failure }
  | { at: 'unread'; failure: Failure }
  | { at: 'result'; result: Result };

type Result =
  | { kind: 'approved'; at: number }
  | { kind: 'refused'; notMe: boolean; mutedUntil: number | null }
  | { kind: 'symbol_wrong'; failure: Failure }
  | { kind: 'blocked'; failure: Failure }
  | { kind: 'expired' }
  | { kind: 'not_shown'; why: TransactionRefusal }
  | { kind: 'ended'; failure: Failure | null };

/** The holder or the phone did not want the fingerprint. */
class Declined extends Error {}

/** The request that rings beside this one, and the way to it; `waiting`: how many there are in all. */
type Next = { waiting: number; open: () => void };

type Props = {
  texts: Texts;
  server: Server;
  id: string;
  did: string;
  /** Id of the passkey, while the fingerprint is on. */
  passkey: string | null;
  /** Whether the server still lists it as open. */
  open: boolean;
  /** Approved by link, and another browser than the one that began came back: only the symbol is left. */
  elsewhere: boolean;
  next: Next | null;
  /** Whether the end is on the screen: nothing is being answered here any more. */
  tells: (end: boolean) => void;
  close: () => void;
  unlinked: (failure: Failure) => void;
};

export function Action({ texts, server, id, did, passkey, open, elsewhere, next, tells, close, unlinked }: Props) {
  const { t, c, language } = texts;
  const [page, setPage] = useState<Page>({ at: 'opening' });
  const [asked, setAsked] = useState<Asked | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [back, setBack] = useState('');
  const [until, setUntil] = useState(0);

  const end = (result: Result) => setPage({ at: 'result', result });
  const answering = page.at === 'review' || page.at === 'symbol' || page.at === 'code' || page.at === 'refusing';

  const fetchAction = async () => {
    setPage({ at: 'opening' });
    const result = await server.show(id);
    if (!result.ok) return endedBy(result.failure);
    const bytes = unb64(result.value.tx);
    const tx = bytes ? readTransaction(bytes, id, did) : 'malformed';
    if (!bytes || typeof tx === 'string') return end({ kind: 'not_shown', why: tx as TransactionRefusal });
    setAsked({ tx, bytes });
    // What was kept back stays kept back until the holder says otherwise.
    setLeft(new Set(tx.claims.filter((claim) => claim.before === 'kept_back').map((claim) => claim.name)));
    setUntil(result.value.expires_at);
    setBack(result.value.return ?? '');
    setPage({ at: result.value.state === 'returning' ? 'returning' : 'review' });
  };

  const returning = page.at === 'returning' || page.at === 'matching';
  useEffect(() => {
    if (elsewhere && page.at === 'returning') setPage({ at: 'matching' });
  }, [elsewhere, page.at]);

  useEffect(() => void fetchAction(), [id]);

  const ended = page.at === 'result';
  useEffect(() => tells(ended), [ended]);

  // Cancelled at the computer, or answered elsewhere.
  useEffect(() => {
    // The page that began went on, or gave up: it says which.
    if (!open && returning) void settled();
    if (!open && answering)
      end(
        asked && serverNow() + clocksDifferSeconds >= asked.tx.expiresAt
          ? { kind: 'expired' }
          : { kind: 'ended', failure: null },
      );
  }, [open]);

  const settled = async () => {
    const result = await server.show(id);
    if (result.ok) return;
    if (result.failure.outcome === 'action_closed') return end({ kind: 'approved', at: Date.now() / 1000 });
    endedBy(result.failure);
  };

  const secondsLeft = useSecondsLeft(until);
  useEffect(() => {
    if (asked && (answering || returning) && secondsLeft === 0) end({ kind: 'expired' });
  }, [secondsLeft]);

  const endedBy = (failure: Failure) => {
    if (endsTheLink(failure)) return unlinked(failure);
    switch (failure.outcome) {
      case 'action_expired':
        return end({ kind: 'expired' });
      case 'symbol_wrong':
        return end({ kind: 'symbol_wrong', failure });
      case 'code_blocked':
      case 'account_blocked':
        return end({ kind: 'blocked', failure });
      case 'unreachable':
        return setPage({ at: 'unread', failure });
      default:
        return end({ kind: 'ended', failure });
    }
  };

  /** Work that the phone signs, over what it showed. It throws only where nothing was sent yet. */
  const signed = (work: (device: Device, asked: Asked) => Promise<unknown>) =>
    alone(async () => {
      setPage({ at: 'sending' });
      const device = await load('device');
      if (!device) return unlinked(keysGone(texts));
      if (!asked) return end({ kind: 'ended', failure: null });
      await work(device, asked);
    }).catch(() => setPage({ at: 'unread', failure: notKept(texts) }));

  /** One answer at a time on this phone, whatever the number of windows: each uses up the ratchet. */
  const answer = (choice: Choice) =>
    signed(async (device, asked) => {
      const { keys, codeVersion, vaultKey, ratchet } = device;
      const symbol = choice.answer === 'approve' ? choice.symbol : '';
      const made = await makeAnswer(keys, codeVersion, vaultKey, id, asked.bytes, ratchet, choice).catch((error) => {
        if (error instanceof Declined) return null;
        throw error;
      });
      if (!made) return setPage({ at: 'code', symbol, declined: true });
      const body = JSON.stringify(made);
      await send(body, choice.answer === 'refuse' ? choice.reason : '', symbol);
    });

  const answerByFingerprint = (symbol: string) =>
    answer({
      answer: 'approve',
      symbol,
      claims: claimsGiven(asked!.tx, left),
      assert: async (challenge) => {
        const assertion = await usePasskey(passkey!, challenge);
        if (!assertion) throw new Declined();
        return assertion;
      },
    });

  const send = async (body: string, reason: string, symbol: string) => {
    setPage({ at: 'sending' });
    const result = await server.answer(id, body);
    if (result.ok) {
      if (result.value.state === 'refused')
        return end({
          kind: 'refused',
          notMe: reason === 'not_me',
          mutedUntil: result.value.muted_until ?? null,
        });
      // The same bytes bring the same answer, until its ratchet is used.
      try {
        await turnRatchet(body, result.value.ratchet ?? '');
      } catch {
        return setPage({ at: 'unsent', body, reason, symbol, failure: notKept(texts) });
      }
      await rememberApproval().catch(() => undefined);
      if (result.value.state === 'returning') {
        setBack(result.value.return ?? '');
        setUntil((before) => Math.max(before, serverNow() + returnSeconds));
        return setPage({ at: 'returning' });
      }
      return end({ kind: 'approved', at: Date.now() / 1000 });
    }
    switch (result.failure.outcome) {
      case 'unreachable':
        return setPage({ at: 'unsent', body, reason, symbol });
      case 'code_wrong':
      case 'vault_unreachable':
      case 'too_many_requests':
      case 'passkey_wrong':
      case 'passkey_unknown':
      case 'passkey_clone_suspected':
      case 'passkey_needed':
        return setPage({ at: 'code', symbol, failure: result.failure });
      default:
        return endedBy(result.failure);
    }
  };

  const match = (symbol: string) =>
    signed(async (device, asked) => {
      const result = await server.match(id, JSON.stringify(await makeMatch(device.keys, asked.bytes, symbol)));
      if (result.ok) return end({ kind: 'approved', at: Date.now() / 1000 });
      if (result.failure.outcome === 'unreachable') return setPage({ at: 'matching', failure: result.failure });
      endedBy(result.failure);
    });

  const name = asked ? partnerName(asked.tx.partner, language) : '';
  const refuse = (from: Page, noneOfThese = false) => setPage({ at: 'refusing', noneOfThese, back: from });
  const refuseButton = (from: Page) => (
    <button class="button bad" onClick={() => refuse(from)} data-test="refuse">
      {t('button.refuse')}
    </button>
  );
  const choice = (from: Page, pick: (symbol: string) => void) => (
    <>
      <Symbols texts={texts} symbols={asked!.tx.symbols} pick={pick} />
      <div class="answers">
        <button class="button" onClick={() => refuse(from, true)} data-test="symbol-none">
          {t('symbol.none')}
        </button>
        {refuseButton(from)}
      </div>
    </>
  );

  switch (page.at) {
    case 'opening':
      return (
        <>
          <h1>{t('home.heading')}</h1>
          <Busy text={c('loading')} />
        </>
      );
    case 'unread':
      return (
        <>
          <Heading>{t('home.heading')}</Heading>
          <FailureNotice failure={page.failure} language={language} c={c} />
          <div class="row">
            <button class="button main" onClick={fetchAction} data-test="retry">
              {c('button.retry')}
            </button>
            <button class="button" onClick={close}>
              {c('button.back')}
            </button>
          </div>
        </>
      );
    case 'review':
      return (
        <>
          <Review asked={asked!} texts={texts} left={left} setLeft={setLeft} until={until} />
          <div class="answers">
            {refuseButton(page)}
            <button class="button main" onClick={() => setPage(wantsSymbol(asked!.tx) ? { at: 'symbol' } : { at: 'code', symbol: '' })} data-test="approve">
              {t('button.confirm')}
            </button>
          </div>
        </>
      );
    case 'symbol':
      return (
        <>
          <Short name={name} until={until} texts={texts} />
          {choice(page, (symbol) => setPage({ at: 'code', symbol }))}
        </>
      );
    case 'code':
      return (
        <>
          <Short name={name} until={until} texts={texts} />
          <Heading>{t(codeHeading(asked!.tx, passkey))}</Heading>
          {page.failure && <FailureNotice failure={page.failure} language={language} c={c} />}
          {page.declined && (
            <DeclinedNotice text={t(asked!.tx.needsPasskey ? 'fingerprint.declined' : 'enter.declined')} />
          )}
          {passkey && (
            <button
              class="button main wide"
              onClick={() => answerByFingerprint(page.symbol)}
              data-test="use-fingerprint"
            >
              <Icon name="lock" /> {t('button.fingerprint')}
            </button>
          )}
          {!passkey && asked!.tx.needsPasskey && (
            <Notice kind="warn" data-test="needs-fingerprint">
              <p>{t('enter.needs_fingerprint')}</p>
            </Notice>
          )}
          {!asked!.tx.needsPasskey && (
            <Keypad
              texts={texts}
              typed={(code) =>
                answer({ answer: 'approve', symbol: page.symbol, code, claims: claimsGiven(asked!.tx, left) })
              }
            />
          )}
          <div class="answers">{refuseButton(page)}</div>
        </>
      );
    case 'refusing':
      return (
        <>
          <Heading>{t('refuse.heading')}</Heading>
          {page.noneOfThese && (
            <Notice kind="warn">
              <p>{t('refuse.none')}</p>
            </Notice>
          )}
          <div class="near">
            <button
              class="button bad wide"
              onClick={() => answer({ answer: 'refuse', reason: 'not_me' })}
              data-test="not-me"
            >
              {t('button.not_me')}
            </button>
            <button
              class="button wide"
              onClick={() => answer({ answer: 'refuse', reason: 'changed_mind' })}
              data-test="changed-mind"
            >
              {t('button.changed_mind')}
            </button>
            <button class="button plain" onClick={() => setPage(page.back)} data-test="back">
              {c('button.back')}
            </button>
          </div>
        </>
      );
    case 'sending':
      return (
        <>
          <h1>{name}</h1>
          <Busy text={t('enter.sending')} />
        </>
      );
    case 'returning':
      return (
        <>
          <Short name={name} until={until} texts={texts} />
          <Heading>{t('return.heading')}</Heading>
          <p class="lead">{t('return.text', { partner: name })}</p>
          {back && (
            <p>
              <a class="button main wide" href={back} data-test="return">
                {t('button.return')}
              </a>
            </p>
          )}
          <p class="soft">{t('return.symbol')}</p>
          <div class="answers">
            {refuseButton(page)}
            <button class="button" onClick={() => setPage({ at: 'matching' })} data-test="match">
              {t('button.match')}
            </button>
          </div>
        </>
      );
    case 'matching':
      return (
        <>
          <Short name={name} until={until} texts={texts} />
          <Notice kind="warn" data-test="match-warning">
            <p>
              <strong>{t('match.warning')}</strong>
            </p>
          </Notice>
          {page.failure && <FailureNotice failure={page.failure} language={language} c={c} />}
          {choice(page, match)}
        </>
      );
    case 'unsent':
      return (
        <Unsent
          texts={texts}
          failure={page.failure}
          again={() => alone(() => send(page.body, page.reason, page.symbol))}
        />
      );
    case 'result':
      return <ResultScreen result={page.result} name={name} texts={texts} next={next} close={close} />;
  }
}

function codeHeading(tx: Transaction, passkey: string | null) {
  if (tx.needsPasskey) return 'enter.fingerprint.heading';
  return passkey ? 'enter.either.heading' : 'enter.heading';
}

type SymbolsProps = { texts: Texts; symbols: string[]; pick: (symbol: string) => void };

function Symbols({ texts: { t, language }, symbols, pick }: SymbolsProps) {
  return (
    <fieldset class="field symbols">
      <legend>
        <Heading>{t('symbol.heading')}</Heading>
      </legend>
      <p class="soft">{t('symbol.lead')}</p>
      <div class="symbol-grid">
        {symbols.map((symbol) => (
          <button
            key={symbol}
            type="button"
            class="symbol-choice"
            data-test={`symbol-${symbol}`}
            onClick={() => pick(symbol)}
          >
            <SymbolPicture id={symbol} />
            <span>{symbolName(symbol, language)}</span>
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** Every required claim and the optional ones left ticked, in the order of tx. */
function claimsGiven(tx: Transaction, left: ReadonlySet<string>): string[] {
  return tx.claims.filter((claim) => claim.required || !left.has(claim.name)).map((claim) => claim.name);
}

/** D4: whether the holder is asked for the first time, for more than before, or has agreed to all of it. */
function asksNow({ claims }: Transaction): 'first' | 'more' | 'given' {
  if (claims.every((claim) => claim.before === undefined)) return 'first';
  return claims.some((claim) => claim.before === undefined || (claim.required && claim.before === 'kept_back'))
    ? 'more'
    : 'given';
}

type ReviewProps = {
  asked: Asked;
  texts: Texts;
  left: ReadonlySet<string>;
  setLeft: (left: ReadonlySet<string>) => void;
  until: number;
};

function Review({ asked: { tx }, texts, left, setLeft, until }: ReviewProps) {
  const { t, language } = texts;
  const toggle = (claim: string, shared: boolean) => {
    const next = new Set(left);
    if (shared) next.delete(claim);
    else next.add(claim);
    setLeft(next);
  };
  const asks = asksNow(tx);
  const [changing, setChanging] = useState(false);
  const optional = tx.claims.some((claim) => !claim.required);
  return (
    <>
      <header class="who">
        <span class="who-picture" aria-hidden="true">
          <Icon name="building" />
        </span>
        <div>
          <Heading>
            <span data-test="partner">{partnerName(tx.partner, language)}</span>
          </Heading>
          <p class="what" data-test="verb">
            {t('ask.log_in')}
          </p>
          <p class="soft">
            {t('ask.partner')} · <span class="mono">{tx.partner.domain}</span>
          </p>
        </div>
      </header>
      <section class="card" aria-labelledby="data" data-test="consent" data-consent={asks}>
        <h2 id="data">{t('ask.data')}</h2>
        {tx.claims.length === 0 && <p>{t('ask.data.none')}</p>}
        {tx.claims.length > 0 && <p class="soft">{t(`ask.consent.${asks}`)}</p>}
        <ul class="claims" data-test="claims">
          {tx.claims.map((claim) => (
            <li key={claim.name}>
              {claim.required || (asks === 'given' && !changing) ? (
                <p>
                  <Icon name={left.has(claim.name) && !claim.required ? 'cross' : 'check'} />{' '}
                  <span>{claimText(claim.name, texts)}</span>{' '}
                  <small>
                    (
                    {t(
                      claim.required
                        ? 'ask.data.required'
                        : left.has(claim.name)
                          ? 'ask.data.kept_back'
                          : 'ask.data.agreed',
                    )}
                    )
                  </small>
                </p>
              ) : (
                <label class="check">
                  <input
                    type="checkbox"
                    checked={!left.has(claim.name)}
                    data-test={`claim-${claim.name}`}
                    onChange={(event) => toggle(claim.name, event.currentTarget.checked)}
                  />
                  <span>
                    {claimText(claim.name, texts)} <small>({t('ask.data.optional')})</small>
                  </span>
                </label>
              )}
            </li>
          ))}
        </ul>
        {asks === 'given' && optional && !changing && (
          <button class="button plain" onClick={() => setChanging(true)} data-test="change-consent">
            {t('ask.consent.change')}
          </button>
        )}
        {tx.claims.some((claim) => claim.required) && <p class="soft">{t('ask.data.required_why')}</p>}
      </section>
      <section class="card" aria-labelledby="from">
        <h2 id="from">{t('ask.from')}</h2>
        <p data-test="from">
          <Icon name="computer" /> {tx.from.browser}
          {tx.from.place && (
            <>
              <br />
              <Icon name="pin" /> {t('ask.place', { place: tx.from.place })}
            </>
          )}
          <br />
          <Icon name="clock" /> {t('ask.at', { time: timeOfDay(language, tx.createdAt) })} ·{' '}
          <Countdown until={until} text={(time) => t('ask.left', { time })} />
        </p>
      </section>
      <Notice kind="warn">
        <p>
          <strong>{t('ask.warning')}</strong>
        </p>
      </Notice>
    </>
  );
}

/** Who and how long, above the symbol and the code. */
function Short({ name, until, texts: { t } }: { name: string; until: number; texts: Texts }) {
  return (
    <p class="short">
      <strong>{t('ask.log_in.title', { partner: name })}</strong>
      <Countdown until={until} text={(time) => t('ask.left', { time })} />
    </p>
  );
}

type ResultProps = { result: Result; name: string; texts: Texts; next: Next | null; close: () => void };

function ResultScreen({ result, name, texts, next, close }: ResultProps) {
  const { t } = texts;
  return (
    <div class="result stack" data-test="result" data-result={result.kind}>
      <ResultText result={result} name={name} texts={texts} />
      {next && (
        <Notice kind="info" role="status" data-test="next">
          <p>{t('home.waiting', { count: next.waiting })}</p>
          <div>
            <button class="button main" onClick={next.open} data-test="open-next">
              {t('button.look')}
            </button>
          </div>
        </Notice>
      )}
      <button class={next ? 'button' : 'button main'} onClick={close} data-test="to-home">
        {t('button.home')}
      </button>
    </div>
  );
}

function ResultText({ result, name, texts: { t, c, language } }: Omit<ResultProps, 'next' | 'close'>) {
  switch (result.kind) {
    case 'approved':
      return (
        <>
          <span class="result-icon ok">
            <Icon name="done" />
          </span>
          <Heading>{t('result.approved.heading')}</Heading>
          <p class="lead" role="status">
            {t('result.approved.text', { partner: name })}
          </p>
          <p class="soft">{t('result.at', { time: timeOfDay(language, result.at) })}</p>
        </>
      );
    case 'refused':
      return (
        <>
          <span class="result-icon">
            <Icon name="ban" />
          </span>
          <Heading>{t('result.refused.heading')}</Heading>
          <p class="lead" role="status">
            {t('result.refused.text', { partner: name })}
          </p>
          {result.notMe && <p>{t('result.refused.not_me')}</p>}
          {result.mutedUntil !== null && (
            <p data-test="muted-until">
              {t('result.refused.muted', { time: timeOfDay(language, result.mutedUntil) })}
            </p>
          )}
        </>
      );
    case 'symbol_wrong':
      return (
        <>
          <Heading>{t('result.symbol.heading')}</Heading>
          <FailureNotice failure={result.failure} language={language} c={c} />
        </>
      );
    case 'blocked':
      return (
        <>
          <Heading>{t('blocked.heading')}</Heading>
          <FailureNotice failure={result.failure} language={language} c={c} />
          <p>{t('blocked.text')}</p>
        </>
      );
    case 'expired':
      return (
        <>
          <span class="result-icon">
            <Icon name="clock" />
          </span>
          <Heading>{t('result.expired.heading')}</Heading>
          <p class="lead">{t('result.expired.text')}</p>
        </>
      );
    case 'not_shown':
      return (
        <>
          <Heading>{t('result.ended.heading')}</Heading>
          <Notice kind="bad" role="alert">
            <p>{t(result.why === 'unknown_kind' ? 'result.unknown_kind' : 'result.malformed')}</p>
          </Notice>
        </>
      );
    case 'ended':
      return (
        <>
          <Heading>{t('result.ended.heading')}</Heading>
          {result.failure ? (
            <FailureNotice failure={result.failure} language={language} c={c} />
          ) : (
            <p class="lead">{t('result.expired.text')}</p>
          )}
        </>
      );
  }
}
