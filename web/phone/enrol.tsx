// A phone is linked: through a bank (B1), or with the token of the computer's page (A4); then SMS code and the 5-digit code
// twice. What is done survives a reload.

import { useEffect, useRef, useState } from 'preact/hooks';
import { failureOf, unreachable, type Failure } from '../shared/api.ts';
import { unb64 } from '../shared/bytes.ts';
import { refusalOfCode, type CodeRefusal, type CodeRules } from '../shared/code-rules.ts';
import { callingCodeOf, CountrySelect, firstRegion } from '../shared/countries.tsx';
import { finishEnrolment, makeDeviceKeys, passkeyChallenge } from '../shared/device-protocol.ts';
import { minutesAndSeconds, type Language, isLanguage } from '../shared/language.ts';
import { dialled } from '../shared/number-shown.ts';
import { Busy, FailureNotice, Heading, Icon, Notice, TextField, useSecondsLeft } from '../shared/ui.tsx';
import { AtBank, BeforeBank, CardWay, ChooseBank, Landed, leaveFor } from './bank.tsx';
import { deviceName } from './device-name.ts';
import { hasFingerprint, makePasskey, type NewPasskey } from './fingerprint.ts';
import { InstallFirst, InstallHint, mustInstallFirst } from './install.tsx';
import { FingerprintOffer } from './fingerprint-offer.tsx';
import { Keypad } from './keypad.tsx';
import { keysGone, notKept, Unloaded } from './parts.tsx';
import { forgetScannedToken, scannedToken } from './scanned-token.ts';
import { enrol, type Bank, type EnrolState } from './server.ts';
import { SixDigitsForm } from './six-digits.tsx';
import { load, save, type Device, type Enrolment } from './store.ts';
import { loadLinkingTexts, type LinkingTexts, type Texts } from './texts.ts';

type Way = 'bank' | 'card';
type Page =
  | { at: 'welcome' }
  | { at: 'number' }
  | { at: 'token' }
  /** Where the journey is, only the server knows. */
  | { at: 'resuming' }
  | { at: 'unreached'; failure: Failure }
  | { at: 'banks' }
  | { at: 'before'; bank: Bank }
  | { at: 'away'; bank: { id: string; name: string } }
  | { at: 'landed' }
  | { at: 'sms' }
  | { at: 'code' }
  /** Where the code waits for the answer about the fingerprint, and nowhere else. */
  | { at: 'fingerprint'; code: string; declined: boolean }
  | { at: 'sending' }
  | { at: 'unsent'; failure: Failure }
  | { at: 'linked'; device: Device };

export type EnrolProps = {
  texts: Texts;
  kept: Enrolment | null;
  /** Why the phone is here again. */
  failure: Failure | null;
  idUrl: string;
  speak: (language: Language) => void;
  linked: (device: Device) => void;
};

/** Outcomes after which the session is no longer good; the last three send the computer's page back to the card. */
const overWith = [
  'enrolment_unknown',
  'enrolment_expired',
  'already_a_holder',
  'moved_meanwhile',
  'other_source_than_enrolled',
];
/** Outcomes after which an enrolment through a bank is at another step. */
const elsewhereNow = ['already_a_holder', 'moved_meanwhile', 'other_source_than_enrolled', 'enrolment_step_wrong'];
/** What is told beside the number. */
const ofTheNumber = ['phone_number_invalid', 'phone_number_not_mobile', 'calling_code_unknown'];

const byBank = (enrolment: Enrolment | null) => enrolment?.bank !== undefined;

/** Where an enrolment that was under way goes on, without asking anybody. */
function firstPage(kept: Enrolment | null, token: string): Page {
  if (kept?.finish) return { at: 'sending' };
  if (kept?.step === 'bank' || kept?.step === 'landed') return { at: 'resuming' };
  if (kept) return { at: kept.step };
  return token ? { at: 'number' } : { at: 'welcome' };
}

export function Enrol(props: EnrolProps) {
  const [texts, setTexts] = useState<LinkingTexts | null | 'failed'>(null);
  useEffect(() => {
    loadLinkingTexts(props.texts).then(setTexts, () => setTexts('failed'));
  }, [props.texts]);
  if (texts === 'failed') return <Unloaded texts={props.texts} />;
  return texts ? <Linking {...props} texts={texts} /> : <p>{props.texts.c('loading')}</p>;
}

type LinkingProps = EnrolProps & { texts: LinkingTexts };

function Linking({ texts, kept: keptBefore, failure: before, idUrl, speak, linked }: LinkingProps) {
  const { t, c, language } = texts;
  const [scanned] = useState(scannedToken);
  // Who scans the computer's page has chosen the card.
  const [kept] = useState(scanned && byBank(keptBefore) && !keptBefore?.finish ? null : keptBefore);
  const [page, setPage] = useState<Page>(() => firstPage(kept, scanned));
  const [way, setWay] = useState<Way>(byBank(kept) ? 'bank' : 'card');
  const [banks, setBanks] = useState<Bank[] | null>(null);
  const [unread, setUnread] = useState<Failure | null>(null);
  const [enrolment, setEnrolment] = useState(kept);
  const [region, setRegion] = useState((kept ?? keptBefore)?.region ?? firstRegion);
  const [number, setNumber] = useState((kept ?? keptBefore)?.number ?? '');
  const [token, setToken] = useState(scanned);
  const [failure, setFailure] = useState<Failure | null>(before);
  const [busy, setBusy] = useState(false);
  // Raised by each thing that the holder does: an answer to what was asked before it says nothing any more.
  const turn = useRef(0);

  const go = (next: Page) => {
    turn.current++;
    setFailure(null);
    setPage(next);
  };

  const keep = async (next: Enrolment | null) => {
    await save({ enrolment: next });
    setEnrolment(next);
  };

  /** The session is no longer good: say why, and begin again with what was typed. */
  const startOver = async (why: Failure) => {
    await keep(null);
    go({ at: 'number' });
    setFailure(why);
  };

  const fail = (why: Failure): unknown => {
    if (enrolment && byBank(enrolment) && elsewhereNow.includes(why.outcome))
      return catchUp(enrolment, why.outcome === 'enrolment_step_wrong' ? null : why);
    return overWith.includes(why.outcome) ? startOver(why) : setFailure(why);
  };

  const readBanks = async () => {
    setUnread(null);
    const result = await enrol.banks(language, AbortSignal.timeout(8_000));
    if (result.ok) setBanks(result.value.banks);
    else setUnread(result.failure);
  };

  useEffect(() => {
    if (page.at === 'welcome' || page.at === 'banks') void readBanks();
  }, [page.at]);

  /**
   * The server knows better where the journey is. `why`: what is told there, whatever it says itself. `quiet`: nobody
   * waits for it, so that it is not told when no answer comes.
   */
  const catchUp = async (known: Enrolment, why: Failure | null = null, quiet = false) => {
    const mine = turn.current;
    const result = await enrol.state(known.session, language);
    if (mine !== turn.current) return;
    if (result.ok) return arrive(known, result.value, why);
    if (overWith.includes(result.failure.outcome)) return startOver(result.failure);
    const failure = why ?? result.failure;
    if (!quiet) setFailure(failure);
    setPage((now) => (now.at === 'resuming' ? { at: 'unreached', failure } : now));
  };

  const arrive = async (known: Enrolment, state: EnrolState, why: Failure | null) => {
    const { step, bank, code_rules, nonce, vault_key, sms_again_at, outcome, sms_failure } = state;
    // Done, but the keys that did it are not here: only a new link helps.
    if (step === 'done')
      return startOver({ outcome: 'enrolment_step_wrong', text: t('lost.heading'), way_out: 'continue_there' });
    const ended = why ?? (step === 'bank' && outcome ? failureOf(outcome) : null);
    const now: Enrolment = {
      ...known,
      step,
      nonce: nonce ?? known.nonce,
      vaultKey: vault_key ?? known.vaultKey,
      smsAgainAt: sms_again_at ?? known.smsAgainAt,
      codeRules: code_rules ?? known.codeRules,
      // In `bank` the server names the last one, also where the holder has said that another is to be chosen.
      ...(byBank(known) && bank && step !== 'bank' ? { bank } : {}),
      minor: !!known.minor || ended?.outcome === 'bank_not_for_minors',
      moves: !!state.moves,
      takesNumber: !!state.takes_number,
    };
    if (JSON.stringify(now) !== JSON.stringify(known)) await keep(now);
    const told = ended ?? (step === 'sms' && sms_failure ? failureOf(sms_failure) : null);
    if (step === 'bank') setPage(known.bank && !ended ? { at: 'away', bank: known.bank } : { at: 'banks' });
    else setPage({ at: step });
    if (told || step === 'bank') setFailure(told && inWordsOfTheBank(told, step));
  };

  /** The sentence for all limited steps speaks of a time to wait for; from the six digits the way goes on at once. */
  const inWordsOfTheBank = ({ open_at, ...told }: Failure, step: string): Failure => {
    if (step === 'bank' && told.outcome === 'tries_used_up') return { ...told, text: t('landed.used_up') };
    return open_at === undefined ? told : { ...told, open_at };
  };

  useEffect(() => {
    if (keptBefore && !kept) void save({ enrolment: null });
    if (kept?.finish) void send(kept, kept.finish);
    else if (kept) void catchUp(kept, null, true);
  }, []);

  const start = async () => {
    if (busy) return;
    turn.current++;
    setBusy(true);
    const result = await enrol.start(callingCodeOf(region), number, token.trim(), language);
    setBusy(false);
    if (!result.ok) return fail(result.failure);
    const { session, nonce, vault_key, sms_again_at } = result.value;
    forgetScannedToken();
    setToken('');
    await keep({
      session,
      nonce,
      vaultKey: vault_key,
      region,
      number,
      smsAgainAt: sms_again_at,
      step: 'sms',
      codeRules: null,
      keys: null,
      finish: null,
    });
    go({ at: 'sms' });
    if (isLanguage(result.value.language)) speak(result.value.language);
  };

  // ---- through a bank ----

  const startWithBank = async () => {
    if (busy) return;
    turn.current++;
    setBusy(true);
    const result = await enrol.startWithBank(callingCodeOf(region), number, language);
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    await keep({
      session: result.value.session,
      nonce: '',
      vaultKey: null,
      region,
      number,
      smsAgainAt: 0,
      step: 'bank',
      bank: null,
      codeRules: null,
      keys: null,
      finish: null,
    });
    go({ at: 'banks' });
  };

  const visit = async ({ id, name }: { id: string; name: string }) => {
    if (busy || !enrolment) return;
    turn.current++;
    setBusy(true);
    const result = await enrol.visitBank(enrolment.session, id, language);
    setBusy(false);
    if (result.ok) {
      const bank = { id, name };
      await keep({ ...enrolment, step: 'bank', bank });
      go({ at: 'away', bank });
      if (!leaveFor(result.value.url)) setFailure(unreachable);
      return;
    }
    if (/^bank_/.test(result.failure.outcome)) go({ at: 'banks' });
    await fail(result.failure);
  };

  const chooseAgain = async () => {
    if (busy || !enrolment) return;
    turn.current++;
    setBusy(true);
    const result = await enrol.chooseBankAgain(enrolment.session, language);
    setBusy(false);
    if (!result.ok) return fail(result.failure);
    await keep({ ...enrolment, step: 'bank', bank: null, moves: false });
    go({ at: 'banks' });
  };

  const landed = async (digits: string) => {
    if (busy || !enrolment) return;
    turn.current++;
    setBusy(true);
    setFailure(null);
    const result = await enrol.landed(enrolment.session, digits, language);
    setBusy(false);
    // Too often wrong or too late: the visit was for nothing.
    if (result.ok || /^(tries_used_up|bank_)/.test(result.failure.outcome))
      return catchUp(enrolment, result.ok ? null : result.failure);
    await fail(result.failure);
  };

  const toCard = async () => {
    await keep(null);
    setWay('card');
    go({ at: 'number' });
  };

  // ---- SMS code and the 5-digit code ----

  const smsDone = async (rules: CodeRules, takesNumber: boolean) => {
    if (!enrolment) return;
    await keep({ ...enrolment, step: 'code', codeRules: rules, takesNumber });
    go({ at: 'code' });
  };

  const chosen = async (code: string) => {
    if (!enrolment) return;
    turn.current++;
    // The keys are on disk before anything is made with them.
    try {
      if (!enrolment.keys) await keep({ ...enrolment, keys: await makeDeviceKeys() });
    } catch {
      return setFailure(notKept(texts));
    }
    if (await hasFingerprint()) return go({ at: 'fingerprint', code, declined: false });
    await bind(code, null);
  };

  const turnOn = async (code: string) => {
    if (!enrolment?.keys) return;
    const { did } = enrolment.keys;
    const made = await makePasskey(
      await passkeyChallenge(unb64(enrolment.nonce)!, did),
      did,
      deviceName(texts),
    );
    if (!made) return setPage({ at: 'fingerprint', code, declined: true });
    await bind(code, made);
  };

  const bind = async (code: string, made: NewPasskey | null) => {
    setPage({ at: 'sending' });
    const sending = await prepare(code, made).catch(() => undefined);
    if (sending === null) return startOver(keysGone(texts));
    if (sending) return send(sending, sending.finish);
    setPage({ at: 'code' });
    setFailure(notKept(texts));
  };

  /** On disk before it is sent. Null: what was kept is gone. */
  const prepare = async (code: string, made: NewPasskey | null) => {
    const enrolment = await load('enrolment');
    if (!enrolment?.keys || !enrolment.vaultKey) return null;
    const { keys, vaultKey } = enrolment;
    const nonce = unb64(enrolment.nonce)!;
    const passkey = made?.passkey ?? new Uint8Array();
    const content = await finishEnrolment(keys, code, deviceName(texts), nonce, vaultKey, passkey);
    const finish = JSON.stringify({ session: enrolment.session, ...content });
    const sending = { ...enrolment, finish, passkey: made?.id ?? null };
    await keep(sending);
    return sending;
  };

  /** What came of it counts once it is kept; until then the same bytes bring the same answer. */
  const settled = (kept: Promise<void>) =>
    kept.then(
      () => true,
      () => (setPage({ at: 'unsent', failure: notKept(texts) }), false),
    );

  const send = async (sending: Enrolment, finish: string) => {
    setPage({ at: 'sending' });
    const result = await enrol.finish(finish, language);
    if (!result.ok) {
      // It may be done: with another code the phone and the vault would no longer agree.
      if (result.failure.unjudged) return setPage({ at: 'unsent', failure: result.failure });
      const again: Enrolment = { ...sending, finish: null };
      if (!(await settled(keep(again)))) return;
      setPage({ at: 'code' });
      if (byBank(again) && elsewhereNow.includes(result.failure.outcome)) return catchUp(again, result.failure);
      return fail(result.failure);
    }
    const { account, ratchet } = result.value;
    const device: Device = {
      keys: sending.keys!,
      codeVersion: 1,
      vaultKey: sending.vaultKey!,
      ratchet: unb64(ratchet)!,
      previousRatchet: null,
      passkey: sending.passkey ?? null,
      phoneNumber: account.phone_number,
      name: (JSON.parse(finish) as { name: string }).name,
      bank: sending.bank?.name ?? '',
    };
    if (!(await settled(save({ device, enrolment: null })))) return;
    void navigator.storage?.persist?.();
    setPage({ at: 'linked', device });
  };

  const told = failure && <FailureNotice failure={failure} language={language} c={c} />;
  const moves = enrolment?.moves && (
    <Notice kind="info" data-test="moves">
      <p>{t('moves')}</p>
    </Notice>
  );
  const ofNumber = (
    <p class="row">
      <span>{t('token.number', { number: dialled(callingCodeOf(region), number) })}</span>
      <button class="button plain" onClick={() => go({ at: 'number' })} data-test="change-number">
        {t('button.change_number')}
      </button>
    </p>
  );
  if (mustInstallFirst()) return <InstallFirst texts={texts} />;

  switch (page.at) {
    case 'welcome':
      return (
        <>
          <Heading quiet>{t('welcome.heading')}</Heading>
          <p class="lead">{t('welcome.lead')}</p>
          {told}
          {!banks && !unread && <Busy text={c('loading')} />}
          {(unread || (banks && banks.length > 0)) && (
            <section class="card" aria-labelledby="way-bank">
              <div class="near">
                <h2 id="way-bank">{t('way.bank.heading')}</h2>
                <p>{t('way.bank.needed')}</p>
              </div>
              <button
                class="button main"
                onClick={() => (setWay('bank'), go({ at: 'number' }))}
                data-test="link-bank"
              >
                <Icon name="building" /> {t('button.by_bank')}
              </button>
            </section>
          )}
          {(banks || unread) && (
            <CardWay texts={texts} idUrl={idUrl} main={banks?.length === 0} choose={() => (setWay('card'), go({ at: 'number' }))} />
          )}
          <InstallHint texts={texts} />
        </>
      );
    case 'number': {
      const beside = way === 'bank' && failure && ofTheNumber.includes(failure.outcome) ? failure.text : '';
      return (
        <>
          <StepOf at={1} texts={texts} />
          <Heading>{t('number.heading')}</Heading>
          <p class="lead">{t(way === 'bank' ? 'number.lead.bank' : 'number.lead')}</p>
          {!beside && told}
          <NumberForm
            texts={texts}
            region={region}
            number={number}
            refused={beside}
            busy={busy}
            change={(newRegion, newNumber) => (setRegion(newRegion), setNumber(newNumber), beside && setFailure(null))}
            next={() => (way === 'bank' ? startWithBank() : go({ at: 'token' }))}
          />
          <button class="button" onClick={() => go({ at: 'welcome' })} data-test="other-way">
            {c('button.back')}
          </button>
        </>
      );
    }
    case 'token':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <Heading>{t('token.heading')}</Heading>
          <p class="lead">{scanned && token === scanned ? t('token.from_qr') : t('token.lead')}</p>
          {told}
          <TokenForm texts={texts} token={token} change={setToken} busy={busy} next={start} />
          {ofNumber}
          <Notice kind="warn">
            <p>{t('never_tell.token')}</p>
          </Notice>
        </>
      );
    case 'resuming':
      return (
        <>
          <h1>{t('resuming.heading')}</h1>
          <Busy text={c('loading')} />
        </>
      );
    case 'unreached':
      return (
        <>
          <Heading>{t('resuming.heading')}</Heading>
          <FailureNotice failure={page.failure} language={language} c={c} />
          <button
            class="button main"
            onClick={() => (go({ at: 'resuming' }), enrolment && catchUp(enrolment))}
            data-test="retry"
          >
            {c('button.retry')}
          </button>
        </>
      );
    case 'banks':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <ChooseBank
            texts={texts}
            banks={banks}
            unread={unread}
            failure={failure}
            minor={!!enrolment?.minor}
            idUrl={idUrl}
            readAgain={readBanks}
            choose={(bank) => go({ at: 'before', bank })}
            toCard={toCard}
            otherWay={() => go({ at: 'welcome' })}
            number={ofNumber}
          />
        </>
      );
    case 'before':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <BeforeBank
            texts={texts}
            bank={page.bank}
            failure={failure}
            busy={busy}
            go={() => visit(page.bank)}
            other={() => go({ at: 'banks' })}
          />
        </>
      );
    case 'away':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <AtBank
            texts={texts}
            bank={page.bank}
            failure={failure}
            busy={busy}
            look={() => enrolment && !busy && catchUp(enrolment, null, true)}
            go={() => visit(page.bank)}
            other={chooseAgain}
          />
        </>
      );
    case 'landed':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <Landed
            texts={texts}
            bank={{ name: enrolment?.bank?.name ?? '' }}
            failure={failure}
            busy={busy}
            next={landed}
            back={chooseAgain}
          />
        </>
      );
    case 'sms':
      return (
        <>
          <StepOf at={3} texts={texts} />
          <Heading>{t('sms.heading')}</Heading>
          <p class="lead">{t('sms.lead', { number: dialled(callingCodeOf(region), number) })}</p>
          {told}
          {moves}
          {enrolment && (
            <SmsForm
              texts={texts}
              enrolment={enrolment}
              keep={keep}
              done={smsDone}
              fail={fail}
              clear={() => setFailure(null)}
            />
          )}
          {byBank(enrolment) && ofNumber}
          <Notice kind="warn">
            <p>{t('sms.never_tell')}</p>
          </Notice>
        </>
      );
    case 'code':
      return (
        <>
          <StepOf at={4} texts={texts} />
          {told}
          {enrolment?.takesNumber && (
            <Notice kind="warn" data-test="takes-number">
              <p>{t('takes_number')}</p>
            </Notice>
          )}
          <ChooseCode
            texts={texts}
            rules={enrolment?.codeRules ?? { birth_date: [], number: [], common: [] }}
            chosen={chosen}
          />
        </>
      );
    case 'fingerprint':
      return (
        <>
          <StepOf at={4} texts={texts} />
          <FingerprintOffer
            texts={texts}
            heading={t('fingerprint.offer')}
            declined={page.declined}
            turnOn={() => turnOn(page.code)}
          >
            <button class="button" onClick={() => bind(page.code, null)} data-test="fingerprint-later">
              {t('button.fingerprint_later')}
            </button>
          </FingerprintOffer>
        </>
      );
    case 'sending':
      return (
        <>
          <h1>{t('code.heading')}</h1>
          <Busy text={t('linking')} />
        </>
      );
    case 'unsent':
      return (
        <>
          <Heading>{t('enter.unsent.heading')}</Heading>
          <FailureNotice failure={page.failure} language={language} c={c} />
          <button
            class="button main"
            onClick={() => enrolment?.finish && send(enrolment, enrolment.finish)}
            data-test="send-again"
          >
            {t('button.send_again')}
          </button>
        </>
      );
    case 'linked':
      return (
        <>
          <span class="result-icon ok">
            <Icon name="done" />
          </span>
          <Heading>{t('linked.heading')}</Heading>
          <Notice kind="ok" role="status" data-test="linked">
            <p>{t(page.device.bank ? 'linked.text.bank' : 'linked.text')}</p>
          </Notice>
          <InstallHint texts={texts} />
          <button class="button main" onClick={() => linked(page.device)} data-test="to-home">
            {t('button.home')}
          </button>
        </>
      );
  }
}

function StepOf({ at, texts: { t } }: { at: number; texts: LinkingTexts }) {
  const of = 4;
  return (
    <p class="step-of" data-test="step" data-at={at}>
      <span>{t('enrol.step', { at, of })}</span>
      <span class="bar" aria-hidden="true">
        {Array.from({ length: of }, (_, i) => (
          <span key={i} class={i < at ? 'is-done' : ''} />
        ))}
      </span>
    </p>
  );
}

type NumberProps = {
  texts: LinkingTexts;
  region: string;
  number: string;
  /** What the server said of it. */
  refused: string;
  busy: boolean;
  change: (region: string, number: string) => void;
  next: () => void;
};

function NumberForm({ texts: { t, c, language }, region, number, refused, busy, change, next }: NumberProps) {
  const [missing, setMissing] = useState('');
  const error = missing || refused;
  useEffect(() => {
    if (refused) document.getElementById('number')?.focus();
  }, [refused]);
  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (number.replace(/\D/g, '').length >= 4) return next();
    setMissing(t('number.missing'));
    document.getElementById('number')?.focus();
  };
  return (
    <form class="card" noValidate onSubmit={submit}>
      <CountrySelect
        field={{ id: 'region', label: t('number.country') }}
        language={language}
        value={region}
        labels={{ near: t('number.countries.near'), all: t('number.countries.all') }}
        choose={(chosen) => change(chosen, number)}
      />
      <TextField
        field={{ id: 'number', label: t('number.label'), error: error || undefined }}
        name="number"
        type="tel"
        inputMode="tel"
        autocomplete="tel-national"
        maxLength={40}
        required
        value={number}
        onInput={(event) => (setMissing(''), change(region, event.currentTarget.value))}
      />
      {busy && <Busy text={c('loading')} />}
      <button class="button main" type="submit" aria-disabled={busy ? 'true' : undefined} data-test="next">
        {t('button.next')} <Icon name="arrow" />
      </button>
    </form>
  );
}

type TokenProps = { texts: LinkingTexts; token: string; change: (token: string) => void; busy: boolean; next: () => void };

function TokenForm({ texts: { t, c }, token, change, busy, next }: TokenProps) {
  const [error, setError] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== '') return next();
    setError(t('token.missing'));
    document.getElementById('token')?.focus();
  };
  return (
    <form class="card" noValidate onSubmit={submit}>
      <TextField
        field={{ id: 'token', label: t('token.label'), error: error || undefined }}
        class="token-input"
        name="token"
        type="text"
        autocomplete="off"
        autocapitalize="off"
        autocorrect="off"
        spellcheck={false}
        maxLength={40}
        required
        value={token}
        onInput={(event) => (setError(''), change(event.currentTarget.value))}
      />
      {busy && <Busy text={c('loading')} />}
      <button class="button main" type="submit" aria-disabled={busy ? 'true' : undefined} data-test="next">
        {t('button.next')} <Icon name="arrow" />
      </button>
    </form>
  );
}

type SmsProps = {
  texts: LinkingTexts;
  enrolment: Enrolment;
  keep: (enrolment: Enrolment) => Promise<void>;
  done: (rules: CodeRules, takesNumber: boolean) => void;
  fail: (failure: Failure) => void;
  clear: () => void;
};

const lookForReportsEvery = 5_000;

function SmsForm({ texts, enrolment, keep, done, fail, clear }: SmsProps) {
  const { t, language } = texts;
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [sentAgain, setSentAgain] = useState(false);
  const [sends, setSends] = useState(1);
  const waitSeconds = useSecondsLeft(enrolment.smsAgainAt);

  // The network may say a while later that it could not deliver the SMS: then nobody waits for it.
  useEffect(() => {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const state = await enrol.state(enrolment.session, language);
      if (!state.ok || !state.value.sms_failure) return;
      clearInterval(timer);
      await keep({ ...enrolment, smsAgainAt: state.value.sms_again_at ?? 0 });
      fail(failureOf(state.value.sms_failure));
    }, lookForReportsEvery);
    return () => clearInterval(timer);
  }, [enrolment.session, sends]);

  const submit = async (digits: string) => {
    setBusy(true);
    clear();
    const result = await enrol.sms(enrolment.session, digits, language);
    setBusy(false);
    if (result.ok) done(result.value.code_rules, !!result.value.takes_number);
    else fail(result.failure);
  };

  const again = async () => {
    if (busy || waitSeconds > 0) return;
    setBusy(true);
    clear();
    setSentAgain(false);
    const result = await enrol.smsAgain(enrolment.session, language);
    setBusy(false);
    if (result.ok) {
      setSentAgain(true);
      setSends((count) => count + 1);
      setCode('');
      return keep({ ...enrolment, smsAgainAt: result.value.sms_again_at });
    }
    const { outcome, open_at } = result.failure;
    if (outcome === 'sms_too_soon' && open_at) await keep({ ...enrolment, smsAgainAt: open_at });
    fail(result.failure);
  };

  return (
    <SixDigitsForm
      texts={texts}
      id="sms"
      label={t('sms.label')}
      missing={t('sms.missing')}
      autocomplete="one-time-code"
      code={code}
      change={setCode}
      busy={busy}
      submit={submit}
    >
      <button
        class="button"
        type="button"
        onClick={again}
        aria-disabled={waitSeconds > 0 || busy ? 'true' : undefined}
        data-test="sms-again"
      >
        <Icon name={waitSeconds > 0 ? 'clock' : 'mail'} />
        <span>
          {waitSeconds > 0 ? t('sms.again_in', { time: minutesAndSeconds(waitSeconds) }) : t('button.sms_again')}
        </span>
      </button>
      <p role="status" class={sentAgain ? '' : 'visually-hidden'}>
        {sentAgain ? t('sms.sent_again') : ''}
      </p>
    </SixDigitsForm>
  );
}

function refusalText(t: LinkingTexts['t'], why: CodeRefusal): string {
  return t(`code.refused.${why}`);
}

function ChooseCode({ texts, rules, chosen }: { texts: LinkingTexts; rules: CodeRules; chosen: (code: string) => Promise<unknown> }) {
  const { t } = texts;
  // The first of the two entries; in a ref, so that it is nowhere once this screen is gone.
  const first = useRef('');
  const [again, setAgain] = useState(false);
  const [error, setError] = useState('');

  const typed = async (code: string) => {
    if (!again) {
      const why = refusalOfCode(code, rules);
      if (why) return setError(refusalText(t, why));
      first.current = code;
      setError('');
      return setAgain(true);
    }
    const same = first.current === code;
    first.current = '';
    if (same) await chosen(code);
    else setError(t('code.differ'));
    setAgain(false);
  };

  return (
    <>
      <Heading key={String(again)}>{t(again ? 'code.again.heading' : 'code.heading')}</Heading>
      {!again && (
        <div class="near">
          <p class="lead">{t('code.lead')}</p>
          <p class="soft">{t('code.rules')}</p>
        </div>
      )}
      {error && (
        <Notice kind="bad" role="alert" data-test="code-error">
          <p>{error}</p>
        </Notice>
      )}
      <Keypad key={`keys-${again}`} texts={texts} typed={typed} />
    </>
  );
}
