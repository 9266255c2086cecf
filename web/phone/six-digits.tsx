// Six digits that are on another screen: those of an SMS, or of a browser where a bank came back.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Busy, Icon, TextField } from '../shared/ui.tsx';
import type { LinkingTexts } from './texts.ts';

type SixDigitsProps = {
  texts: LinkingTexts;
  id: string;
  label: string;
  /** What is said where they are not six. */
  missing: string;
  autocomplete: 'one-time-code' | 'off';
  code: string;
  change: (code: string) => void;
  busy: boolean;
  /** Where they were taken the screen is another one afterwards. */
  submit: (digits: string) => Promise<void>;
  /** What stands below: other ways. */
  children: ComponentChildren;
};

export function SixDigitsForm(props: SixDigitsProps) {
  const { texts, id, label, missing, autocomplete, code, change, busy, submit, children } = props;
  const { t, c } = texts;
  const [error, setError] = useState('');
  const focus = () => document.getElementById(id)?.focus();
  const send = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const digits = code.replace(/\D/g, '');
    if (digits.length !== 6) {
      setError(missing);
      return focus();
    }
    await submit(digits);
    change('');
    focus();
  };
  return (
    <form class="card" noValidate onSubmit={send}>
      <TextField
        field={{ id, label, error: error || undefined }}
        class="token-input"
        name={id}
        type="text"
        inputMode="numeric"
        autocomplete={autocomplete}
        maxLength={12}
        required
        value={code}
        onInput={(event) => (setError(''), change(event.currentTarget.value))}
      />
      {busy && <Busy text={c('loading')} />}
      <button class="button main" type="submit" aria-disabled={busy ? 'true' : undefined} data-test="next">
        {t('button.next')} <Icon name="arrow" />
      </button>
      {children}
    </form>
  );
}
