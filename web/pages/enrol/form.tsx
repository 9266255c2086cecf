// A1: number, e-mail, language, consent to location data, and the check that a person is there.

import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, type Failure } from '../../shared/api.ts';
import { callingCodeOf, CountrySelect, firstRegion } from '../../shared/countries.tsx';
import { languageNames, languages } from '../../shared/language.ts';
import { solve, type Challenge } from '../../shared/person-check.ts';
import type { JudgedNumber } from '../../shared/phone-number.ts';
import { Busy, FailureNotice, FieldFrame, Heading, Icon, TextField, describedBy } from '../../shared/ui.tsx';
import { readState, type Draft, type FieldErrors, type State } from './state.ts';
import type { Texts } from './texts.ts';

const draftKey = 'symbolon-enrolment-draft';

function loadDraft(language: string): Draft {
  const empty: Draft = { region: firstRegion, number: '', email: '', language, location: false };
  try {
    return { ...empty, ...(JSON.parse(sessionStorage.getItem(draftKey) ?? '{}') as Partial<Draft>) };
  } catch {
    return empty;
  }
}

function saveDraft(draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(draftKey, JSON.stringify(draft));
    else sessionStorage.removeItem(draftKey);
  } catch {
    // A browser without storage forgets what was typed on reload; the form works all the same.
  }
}

async function judge(draft: Draft): Promise<JudgedNumber> {
  try {
    const { judgeNumber } = await import('../../shared/phone-number.ts');
    return judgeNumber(draft.region, draft.number);
  } catch {
    return { ok: 'server' };
  }
}

type Sending = false | 'checking' | 'sending';
type Fields = 'number' | 'email' | 'language';

/** Fields of the request by their names there. */
const fieldOf: Record<string, Fields> = {
  calling_code: 'number',
  number: 'number',
  email: 'email',
  language: 'language',
};

export function Form({
  texts,
  failure: before,
  begun,
}: {
  texts: Texts;
  failure?: Failure;
  begun: (state: State) => void;
}) {
  const { t, c, language } = texts;
  const [draft, setDraft] = useState(() => loadDraft(language));
  const [errors, setErrors] = useState<FieldErrors>({});
  const [understood, setUnderstood] = useState('');
  const [failure, setFailure] = useState<Failure | undefined>(before);
  const [sending, setSending] = useState<Sending>(false);
  const summary = useRef<HTMLDivElement>(null);
  // The summary comes with a press on the button only: a page that grows while one presses makes the press miss.
  const [shown, setShown] = useState(0);
  const pressing = useRef(false);

  useEffect(() => saveDraft(draft), [draft]);
  useEffect(() => summary.current?.focus(), [shown]);

  const change = (part: Partial<Draft>) => {
    setDraft((now) => ({ ...now, ...part }));
    if ('number' in part || 'region' in part) setUnderstood('');
  };

  const numberError = (judged: JudgedNumber): string | undefined =>
    judged.ok === false
      ? t(judged.because === 'invalid' ? 'form.number.invalid' : 'form.number.not_mobile')
      : undefined;

  const setError = (field: Fields, error: string | undefined) =>
    setErrors(({ [field]: _, ...others }) => (error ? { ...others, [field]: error } : others));

  const leaveNumber = async () => {
    if (draft.number.trim() === '' || pressing.current) return;
    const judged = await judge(draft);
    setError('number', numberError(judged));
    setUnderstood(judged.ok === true ? judged.shown : '');
  };

  const leaveEmail = () => {
    if (!pressing.current && (draft.email.trim() !== '' || errors.email))
      setError('email', emailError(draft.email, texts));
  };

  const showErrors = (found: FieldErrors) => {
    setErrors(found);
    setShown((times) => times + 1);
  };

  const send = async (event: Event) => {
    event.preventDefault();
    pressing.current = false;
    if (sending) return;
    setFailure(undefined);
    const found: FieldErrors = {};
    const number = draft.number.trim() === '' ? t('form.number.missing') : numberError(await judge(draft));
    const email = emailError(draft.email, texts);
    if (number) found.number = number;
    if (email) found.email = email;
    if (Object.keys(found).length > 0) return showErrors(found);

    setErrors({});
    setShown(0);
    setSending('checking');
    const challenge = await get<Challenge>('/enrolment/person-check', language);
    if (!challenge.ok) {
      setSending(false);
      return setFailure(challenge.failure);
    }
    const solved = await solve(challenge.value).catch(() => null);
    if (!solved) {
      setSending(false);
      return setFailure({ outcome: 'person_check_failed', text: t('form.check_failed'), way_out: 'try_again' });
    }
    setSending('sending');
    const result = await post<unknown>(
      '/enrolment',
      {
        calling_code: callingCodeOf(draft.region),
        number: draft.number,
        email: draft.email.trim(),
        language: draft.language,
        location_consent: draft.location,
        person_check: solved,
      },
      language,
    );
    setSending(false);
    if (result.ok) {
      const state = readState(result.value);
      if (state) {
        saveDraft(null);
        return begun(state);
      }
      return setFailure({ outcome: 'unreachable', text: '', way_out: 'try_again' });
    }
    const field = fieldOf[result.failure.field ?? ''];
    if (field) showErrors({ [field]: result.failure.text });
    else setFailure(result.failure);
  };

  const list = shown === 0 ? [] : (['number', 'email', 'language'] as const).filter((field) => errors[field]);
  const languageField = {
    id: 'language',
    label: t('form.language'),
    hint: t('form.language.hint'),
    error: errors.language,
  };
  return (
    <>
      <Heading quiet>{t('form.heading')}</Heading>
      <p class="lead">{t('lead')}</p>
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      {list.length > 0 && (
        <div class="notice bad" role="alert" tabIndex={-1} ref={summary} data-test="errors">
          <Icon name="alert" />
          <div>
            <p>{t('form.errors', { count: list.length })}</p>
            <ul class="error-links">
              {list.map((field) => (
                <li key={field}>
                  <a
                    href={`#${field}`}
                    onClick={(event) => (event.preventDefault(), document.getElementById(field)?.focus())}
                  >
                    {errors[field]}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      <form class="card" noValidate onSubmit={send} data-test="enrolment-form">
        <CountrySelect
          field={{ id: 'region', label: t('form.country') }}
          language={language}
          value={draft.region}
          labels={{ near: t('form.countries.near'), all: t('form.countries.all') }}
          choose={(region) => change({ region })}
        />
        <TextField
          field={{
            id: 'number',
            label: t('form.number'),
            hint: t('form.number.hint'),
            error: errors.number,
            after: (
              <span class="understood" role="status">
                {understood && (
                  <>
                    <Icon name="check" /> {t('form.number.understood', { number: understood })}
                  </>
                )}
              </span>
            ),
          }}
          name="number"
          type="tel"
          inputMode="tel"
          autocomplete="tel-national"
          maxLength={40}
          required
          value={draft.number}
          onInput={(event) => change({ number: event.currentTarget.value })}
          onBlur={leaveNumber}
        />
        <TextField
          field={{ id: 'email', label: t('form.email'), hint: t('form.email.hint'), error: errors.email }}
          name="email"
          type="email"
          inputMode="email"
          autocomplete="email"
          spellcheck={false}
          maxLength={254}
          required
          value={draft.email}
          onInput={(event) => change({ email: event.currentTarget.value })}
          onBlur={leaveEmail}
        />
        <FieldFrame field={languageField}>
          <select
            id="language"
            name="language"
            {...describedBy(languageField)}
            onChange={(event) => change({ language: event.currentTarget.value })}
          >
            {languages.map((each) => (
              <option key={each} value={each} lang={each} selected={each === draft.language}>
                {languageNames[each]}
              </option>
            ))}
          </select>
        </FieldFrame>
        <div class="check">
          <input
            id="location"
            type="checkbox"
            checked={draft.location}
            aria-describedby="location-hint"
            onChange={(event) => change({ location: event.currentTarget.checked })}
          />
          <div>
            <label for="location">{t('form.location')}</label>
            <p class="hint" id="location-hint">
              {t('form.location.hint')}
            </p>
          </div>
        </div>
        {sending === 'checking' && <Busy text={t('form.checking')} />}
        {sending === 'sending' && <Busy text={c('loading')} />}
        <button
          class="button main"
          type="submit"
          aria-disabled={sending ? 'true' : undefined}
          data-test="continue"
          onPointerDown={() => (pressing.current = true)}
          onPointerUp={() => (pressing.current = false)}
        >
          {t('button.continue')} <Icon name="arrow" />
        </button>
        <p class="hint">{t('form.privacy')}</p>
      </form>
    </>
  );
}

/** Only what can't be an address at all; the server judges the rest. */
function emailError(typed: string, { t }: Texts): string | undefined {
  const email = typed.trim();
  if (email === '') return t('form.email.missing');
  return /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/.test(email) ? undefined : t('form.email.invalid');
}
