// Our own keys for the 5-digit code: no keyboard app sees it, and it is never in a text field.

import { useLayoutEffect, useState } from 'preact/hooks';
import { Icon } from '../shared/ui.tsx';
import type { Texts } from './texts.ts';

const length = 5;

/** `typed` gets the five digits when the holder confirms; then the keypad is empty again. */
export function Keypad({ texts: { t }, busy, typed }: { texts: Texts; busy?: boolean; typed: (code: string) => void }) {
  const [code, setCode] = useState('');
  const add = (digit: string) => setCode((now) => (now.length < length ? now + digit : now));
  const remove = () => setCode((now) => now.slice(0, -1));
  const confirm = () => {
    if (code.length !== length || busy) return;
    setCode('');
    typed(code);
  };

  // Before the keypad is painted, so that no digit is missed.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (/^[0-9]$/.test(event.key)) add(event.key);
      else if (event.key === 'Backspace') remove();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);

  const key = (digit: string) => (
    <button key={digit} type="button" class="key" data-test={`key-${digit}`} onClick={() => add(digit)}>
      {digit}
    </button>
  );
  return (
    <div class="keypad" role="group" aria-label={t('keypad.label')} data-test="keypad">
      <p class="dots" aria-hidden="true">
        {Array.from({ length }, (_, i) => (
          <span key={i} class={i < code.length ? 'dot is-typed' : 'dot'} />
        ))}
      </p>
      <p class="visually-hidden" role="status">
        {t('keypad.typed', { count: code.length })}
      </p>
      <div class="keys">
        {['1', '2', '3', '4', '5', '6', '7', '8', '9'].map(key)}
        <span />
        {key('0')}
        <button type="button" class="key" aria-label={t('keypad.delete')} data-test="key-delete" onClick={remove}>
          <Icon name="back" />
        </button>
      </div>
      <button
        type="button"
        class="button main wide"
        aria-disabled={code.length !== length || busy ? 'true' : undefined}
        data-test="confirm-code"
        onClick={confirm}
      >
        {t('button.confirm')}
      </button>
    </div>
  );
}
