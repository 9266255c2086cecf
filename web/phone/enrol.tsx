// A4 on the phone: number, identification token, SMS code, the 5-digit code twice. What is done survives a reload.

import { useEffect, useRef, useState } from 'preact/hooks';
import { failureOf, type Failure } from '../shared/api.ts';
import { unb64 } from '../shared/bytes.ts';
import { refusalOfCode, type CodeRefusal, type CodeRules } from '../shared/code-rules.ts';
import { callingCodeOf, CountrySelect, firstRegion } from '../shared/countries.tsx';
import { finishEnrolment, makeDeviceKeys, passkeyChallenge } from '../shared/device-protocol.ts';
import { minutesAndSeconds, type Language, isLanguage } from '../shared/language.ts';
import { dialled } from '../shared/number-shown.ts';
import { Busy, FailureNotice, Heading, Icon, Notice, TextField, useSecondsLeft } from '../shared/ui.tsx';
import { deviceName } from './device-name.ts';
import { shortAddress } from '../shared/site.ts';
import { hasFingerprint, makePasskey, type NewPasskey } from './fingerprint.ts';
import { InstallFirst, InstallHint, mustInstallFirst } from './install.tsx';
import { FingerprintOffer } from './fingerprint-offer.tsx';
import { Keypad } from './keypad.tsx';
import { forgetScannedToken, scannedToken } from './scanned-token.ts';
import { enrol } from './server.ts';
import { load, save, type Device, type Enrolment } from './store.ts';
import type { Texts } from './texts.ts';

type Page =
  | { at: 'welcome' }
  | { at: 'number' }
  | { at: 'token' }
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

/** Where an enrolment that was under way goes on, without asking anybody. */
function firstPage(kept: Enrolment | null, token: string): Page {
  if (kept?.finish) return { at: 'sending' };
  if (kept) return { at: kept.step };
  return token ? { at: 'number' } : { at: 'welcome' };
}

export function Enrol({ texts, kept, failure: before, idUrl, speak, linked }: EnrolProps) {
  const { t, c, language } = texts;
  const [scanned] = useState(scannedToken);
  const [page, setPage] = useState<Page>(() => firstPage(kept, scanned));
  const [enrolment, setEnrolment] = useState(kept);
  const [region, setRegion] = useState(kept?.region ?? firstRegion);
  const [number, setNumber] = useState(kept?.number ?? '');
  const [token, setToken] = useState(scanned);
  const [failure, setFailure] = useState<Failure | null>(before);
  const [busy, setBusy] = useState(false);

  const go = (next: Page) => {
    setFailure(null);
    setPage(next);
  };

  const keep = async (next: Enrolment | null) => {
    setEnrolment(next);
    await save({ enrolment: next });
  };

  /** The session is no longer good: say why, and begin again with what was typed. */
  const startOver = async (why: Failure) => {
    await keep(null);
    setPage({ at: 'number' });
    setFailure(why);
  };

  const fail = (why: Failure) => (overWith.includes(why.outcome) ? startOver(why) : setFailure(why));

  // After a reload the server knows better where the journey is.
  useEffect(() => {
    if (!kept) return;
    if (kept.finish) return void send(kept, kept.finish);
    void enrol.state(kept.session, language).then(async (result) => {
      if (!result.ok) return result.failure.outcome === 'unreachable' ? undefined : fail(result.failure);
      const { step, code_rules, nonce, vault_key, sms_again_at } = result.value;
      // Done, but the keys that did it are not here: only a new token helps.
      if (step === 'done')
        return startOver({ outcome: 'enrolment_step_wrong', text: t('lost.heading'), way_out: 'continue_there' });
      const now: Enrolment = {
        ...kept,
        step,
        nonce,
        vaultKey: vault_key,
        smsAgainAt: sms_again_at,
        codeRules: code_rules ?? kept.codeRules,
      };
      await keep(now);
      if (now.step !== kept.step) setPage({ at: now.step });
    });
  }, []);

  const start = async () => {
    if (busy) return;
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

  const smsDone = async (rules: CodeRules) => {
    if (!enrolment) return;
    await keep({ ...enrolment, step: 'code', codeRules: rules });
    go({ at: 'code' });
  };

  const chosen = async (code: string) => {
    if (!enrolment) return;
    // The keys are on disk before anything is made with them.
    if (!enrolment.keys) await keep({ ...enrolment, keys: await makeDeviceKeys() });
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
    const enrolment = await load('enrolment');
    if (!enrolment?.keys) return;
    setPage({ at: 'sending' });
    const { keys, vaultKey } = enrolment;
    const nonce = unb64(enrolment.nonce)!;
    const passkey = made?.passkey ?? new Uint8Array();
    const content = await finishEnrolment(keys, code, deviceName(texts), nonce, vaultKey, passkey);
    const finish = JSON.stringify({ session: enrolment.session, ...content });
    const sending: Enrolment = { ...enrolment, finish, passkey: made?.id ?? null };
    await keep(sending);
    await send(sending, finish);
  };

  const send = async (sending: Enrolment, finish: string) => {
    setPage({ at: 'sending' });
    const result = await enrol.finish(finish, language);
    if (!result.ok) {
      if (result.failure.outcome === 'unreachable') return setPage({ at: 'unsent', failure: result.failure });
      await keep({ ...sending, finish: null });
      setPage({ at: 'code' });
      return fail(result.failure);
    }
    const { account, ratchet } = result.value;
    const device: Device = {
      keys: sending.keys!,
      codeVersion: 1,
      vaultKey: sending.vaultKey,
      ratchet: unb64(ratchet)!,
      previousRatchet: null,
      passkey: sending.passkey ?? null,
      phoneNumber: account.phone_number,
      name: (JSON.parse(finish) as { name: string }).name,
    };
    await save({ device, enrolment: null });
    void navigator.storage?.persist?.();
    setPage({ at: 'linked', device });
  };

  const told = failure && <FailureNotice failure={failure} language={language} c={c} />;
  if (mustInstallFirst()) return <InstallFirst texts={texts} />;

  switch (page.at) {
    case 'welcome':
      return (
        <>
          <Heading quiet>{t('welcome.heading')}</Heading>
          <p class="lead">{t('welcome.lead')}</p>
          {told}
          <section class="card">
            <p>{t('welcome.first')}</p>
            {idUrl && (
              <p>
                {t('welcome.address')} <strong class="mono">{shortAddress(idUrl)}</strong>
              </p>
            )}
            <button class="button main" onClick={() => go({ at: 'number' })} data-test="link-phone">
              <Icon name="phone" /> {t('button.link')}
            </button>
          </section>
          <InstallHint texts={texts} />
        </>
      );
    case 'number':
      return (
        <>
          <StepOf at={1} texts={texts} />
          <Heading>{t('number.heading')}</Heading>
          <p class="lead">{t('number.lead')}</p>
          {told}
          <NumberForm
            texts={texts}
            region={region}
            number={number}
            change={(newRegion, newNumber) => (setRegion(newRegion), setNumber(newNumber))}
            next={() => go({ at: 'token' })}
          />
        </>
      );
    case 'token':
      return (
        <>
          <StepOf at={2} texts={texts} />
          <Heading>{t('token.heading')}</Heading>
          <p class="lead">{scanned && token === scanned ? t('token.from_qr') : t('token.lead')}</p>
          {told}
          <TokenForm texts={texts} token={token} change={setToken} busy={busy} next={start} />
          <p class="row">
            <span>{t('token.number', { number: dialled(callingCodeOf(region), number) })}</span>
            <button class="button plain" onClick={() => go({ at: 'number' })} data-test="change-number">
              {t('button.change_number')}
            </button>
          </p>
          <Notice kind="warn">
            <p>{t('never_tell.token')}</p>
          </Notice>
        </>
      );
    case 'sms':
      return (
        <>
          <StepOf at={3} texts={texts} />
          <Heading>{t('sms.heading')}</Heading>
          <p class="lead">{t('sms.lead', { number: dialled(callingCodeOf(region), number) })}</p>
          {told}
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
            <p>{t('linked.text')}</p>
          </Notice>
          <InstallHint texts={texts} />
          <button class="button main" onClick={() => linked(page.device)} data-test="to-home">
            {t('button.home')}
          </button>
        </>
      );
  }
}

function StepOf({ at, texts: { t } }: { at: number; texts: Texts }) {
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
  texts: Texts;
  region: string;
  number: string;
  change: (region: string, number: string) => void;
  next: () => void;
};

function NumberForm({ texts: { t, language }, region, number, change, next }: NumberProps) {
  const [error, setError] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (number.replace(/\D/g, '').length >= 4) return next();
    setError(t('number.missing'));
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
        onInput={(event) => (setError(''), change(region, event.currentTarget.value))}
      />
      <button class="button main" type="submit" data-test="next">
        {t('button.next')} <Icon name="arrow" />
      </button>
    </form>
  );
}

type TokenProps = { texts: Texts; token: string; change: (token: string) => void; busy: boolean; next: () => void };

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
  texts: Texts;
  enrolment: Enrolment;
  keep: (enrolment: Enrolment) => Promise<void>;
  done: (rules: CodeRules) => void;
  fail: (failure: Failure) => void;
  clear: () => void;
};

const lookForReportsEvery = 5_000;

function SmsForm({ texts: { t, c, language }, enrolment, keep, done, fail, clear }: SmsProps) {
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [sentAgain, setSentAgain] = useState(false);
  const [sends, setSends] = useState(1);
  const waitSeconds = useSecondsLeft(enrolment.smsAgainAt);
  const input = () => document.getElementById('sms')?.focus();

  // The network may say a while later that it could not deliver the SMS: then nobody waits for it.
  useEffect(() => {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const state = await enrol.state(enrolment.session, language);
      if (!state.ok || !state.value.sms_failure) return;
      clearInterval(timer);
      await keep({ ...enrolment, smsAgainAt: state.value.sms_again_at });
      fail(failureOf(state.value.sms_failure));
    }, lookForReportsEvery);
    return () => clearInterval(timer);
  }, [enrolment.session, sends]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const digits = code.replace(/\D/g, '');
    if (digits.length !== 6) {
      setError(t('sms.missing'));
      return input();
    }
    setBusy(true);
    clear();
    const result = await enrol.sms(enrolment.session, digits, language);
    setBusy(false);
    if (result.ok) return done(result.value.code_rules);
    setCode('');
    fail(result.failure);
    input();
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
    <form class="card" noValidate onSubmit={submit}>
      <TextField
        field={{ id: 'sms', label: t('sms.label'), error: error || undefined }}
        class="token-input"
        name="sms"
        type="text"
        inputMode="numeric"
        autocomplete="one-time-code"
        maxLength={12}
        required
        value={code}
        onInput={(event) => (setError(''), setCode(event.currentTarget.value))}
      />
      {busy && <Busy text={c('loading')} />}
      <button class="button main" type="submit" aria-disabled={busy ? 'true' : undefined} data-test="next">
        {t('button.next')} <Icon name="arrow" />
      </button>
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
    </form>
  );
}

function refusalText(t: Texts['t'], why: CodeRefusal): string {
  return t(`code.refused.${why}`);
}

function ChooseCode({ texts, rules, chosen }: { texts: Texts; rules: CodeRules; chosen: (code: string) => void }) {
  const { t } = texts;
  // The first of the two entries; in a ref, so that it is nowhere once this screen is gone.
  const first = useRef('');
  const [again, setAgain] = useState(false);
  const [error, setError] = useState('');

  const typed = (code: string) => {
    if (!again) {
      const why = refusalOfCode(code, rules);
      if (why) return setError(refusalText(t, why));
      first.current = code;
      setError('');
      return setAgain(true);
    }
    const same = first.current === code;
    first.current = '';
    if (same) return chosen(code);
    setAgain(false);
    setError(t('code.differ'));
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
