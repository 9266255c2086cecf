// The parts that several pages draw.

import type { ComponentChildren, HTMLAttributes, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { serverNow, type Failure } from './api.ts';
import symbolFile from './symbols.json';
import { dayOf, languageNames, languages, minutesAndSeconds, timeOfDay, type Language, type Translate } from './language.ts';
import type common from '../texts/fr/common.json';
import type { KeyOf } from './language.ts';

export type CommonKey = KeyOf<typeof common>;

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`/assets/icons.svg#${name}`} />
    </svg>
  );
}

export function symbolName(id: string, language: Language): string {
  const names = (symbolFile.symbols as Record<string, Record<Language, string> | undefined>)[id];
  return names?.[language] ?? id;
}

/** The picture alone; its name stands beside it as text. */
export function SymbolPicture({ id }: { id: string }) {
  return (
    <svg class="symbol" viewBox="0 0 256 256" aria-hidden="true">
      <use href={`/assets/symbols.svg#${id}`} />
    </svg>
  );
}

/** A ring broken in two halves that fit: the token after which Symbolon is named. */
export function Mark() {
  return (
    <svg viewBox="0 0 64 64" aria-hidden="true">
      <g transform="rotate(20 32 32)">
        <path
          class="mark-one"
          d="M30.5 4.1A28 28 0 0 0 30.5 59.9V55L26 51.5 30.5 48.5V44A12 12 0 0 1 30.5 20V15.5L26 12.5 30.5 9Z"
        />
        <path
          class="mark-two"
          d="M35.5 4.2A28 28 0 0 1 35.5 59.8V54.5L31 51.5 35.5 48.5V43.5A12 12 0 0 0 35.5 20.5V15.5L31 12.5 35.5 9.5Z"
        />
      </g>
    </svg>
  );
}

export type NoticeKind = 'info' | 'bad' | 'ok' | 'warn';
const noticeIcons: Record<NoticeKind, string> = { info: 'info', bad: 'alert', ok: 'done', warn: 'alert' };

export function Notice({
  kind,
  children,
  ...rest
}: { kind: NoticeKind; children: ComponentChildren } & HTMLAttributes<HTMLDivElement>) {
  return (
    <div class={`notice ${kind}`} {...rest}>
      <Icon name={noticeIcons[kind]} />
      <div>{children}</div>
    </div>
  );
}

/** What went wrong, in the server's words, with the tries left and the time when it opens again. */
export function FailureNotice({
  failure,
  language,
  c,
  id,
}: {
  failure: Failure;
  language: Language;
  c: Translate<CommonKey>;
  id?: string;
}) {
  const days = failure.open_at !== undefined && failure.open_at - serverNow() > 24 * 3600;
  return (
    <Notice kind="bad" role="alert" data-test="failure" data-outcome={failure.outcome} {...(id ? { id } : {})}>
      <p>{failure.text || c('unreachable')}</p>
      {failure.tries_left !== undefined && (
        <p data-test="tries-left">{c('tries_left', { count: failure.tries_left })}</p>
      )}
      {failure.open_at !== undefined && (
        <p data-test="open-at">
          {days
            ? c('open_on', {
                date: dayOf(language, failure.open_at),
              })
            : c('open_at', { time: timeOfDay(language, failure.open_at) })}
        </p>
      )}
    </Notice>
  );
}

/** Seconds until `until`, an instant of the server, once a second; 0 from then on. */
export function useSecondsLeft(until: number): number {
  const left = () => Math.max(0, Math.ceil(until - serverNow()));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

/** A countdown that is said aloud at 60, 30 and 10 seconds only (WCAG 2.2 timing). */
export function Countdown({ until, text }: { until: number; text: (time: string) => string }) {
  const seconds = useSecondsLeft(until);
  return (
    <>
      <span data-test="countdown" role="timer" aria-live="off">
        {text(minutesAndSeconds(seconds))}
      </span>
      <span class="visually-hidden" role="status">
        {[60, 30, 10].includes(seconds) ? text(minutesAndSeconds(seconds)) : ''}
      </span>
    </>
  );
}

/** A heading that takes the focus when its screen appears, so that a screen reader begins there. */
export function Heading({ children, quiet }: { children: ComponentChildren; quiet?: boolean }) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!quiet) element.current?.focus();
  }, []);
  return (
    <h1 tabIndex={-1} ref={element}>
      {children}
    </h1>
  );
}

export function Busy({ text }: { text: string }) {
  return (
    <p class="row" role="status">
      <span class="spinner" />
      <span>{text}</span>
    </p>
  );
}

export type FieldProps = {
  id: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  after?: ComponentChildren;
};
type InputProps = {
  name: string;
  type: 'text' | 'tel' | 'email';
  value: string;
  maxLength: number;
  onInput: (event: TargetedEvent<HTMLInputElement>) => void;
  onBlur?: () => void;
  required?: boolean;
  class?: string;
  inputMode?: 'tel' | 'email' | 'numeric';
  autocomplete?: string;
  autocapitalize?: 'off' | 'characters';
  autocorrect?: 'off';
  spellcheck?: boolean;
};

export function describedBy(field: FieldProps): { 'aria-describedby'?: string; 'aria-invalid'?: 'true' } {
  const ids = [field.error && `${field.id}-error`, field.hint && `${field.id}-hint`].filter(Boolean).join(' ');
  return { ...(ids ? { 'aria-describedby': ids } : {}), ...(field.error ? { 'aria-invalid': 'true' as const } : {}) };
}

export function FieldFrame({ field, children }: { field: FieldProps; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={field.id}>{field.label}</label>
      {field.hint && (
        <span class="hint" id={`${field.id}-hint`}>
          {field.hint}
        </span>
      )}
      {children}
      {field.error && (
        <span class="error" id={`${field.id}-error`} data-test={`error-${field.id}`}>
          <Icon name="alert" />
          <span>{field.error}</span>
        </span>
      )}
      {field.after}
    </div>
  );
}

export function TextField({ field, ...input }: { field: FieldProps } & InputProps) {
  return (
    <FieldFrame field={field}>
      {/* Preact types each kind of input apart; for what we set, these are all alike. */}
      <input id={field.id} {...describedBy(field)} {...(input as InputProps & { type: 'text' })} />
    </FieldFrame>
  );
}

/** `path(language)`: the address of the same page in another language. */
export function LanguageSwitch({
  current,
  label,
  choose,
}: {
  current: Language;
  label: string;
  choose: (language: Language) => void;
}) {
  return (
    <nav aria-label={label}>
      <ul class="languages">
        {languages.map((language) => (
          <li key={language}>
            <a
              href={`?lang=${language}`}
              lang={language}
              hreflang={language}
              aria-current={language === current ? 'true' : undefined}
              onClick={(event) => (event.preventDefault(), choose(language))}
            >
              <span aria-hidden="true">{language}</span>
              <span class="visually-hidden">{languageNames[language]}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
