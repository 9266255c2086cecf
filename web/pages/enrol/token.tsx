// A3: the identification token, so that nobody can misread it: large, one sign a box, its kind under it, spelled out for
// screen readers, and as a QR code.

import encodeQR from 'qr';
import { useMemo } from 'preact/hooks';
import type { EnrolTranslate } from './texts.ts';

type Kind = 'capital' | 'small' | 'digit' | 'other';

function kindOf(sign: string): Kind {
  if (/[A-Z]/.test(sign)) return 'capital';
  if (/[a-z]/.test(sign)) return 'small';
  return /[0-9]/.test(sign) ? 'digit' : 'other';
}

/** Each sign by its name: "capital A", "digit 3", "plus sign". */
export function spelled(sign: string, t: EnrolTranslate): string {
  switch (sign) {
    case '+':
      return t('token.plus');
    case '-':
      return t('token.minus');
    case '*':
      return t('token.star');
    case '?':
      return t('token.question');
    case '=':
      return t('token.equals');
    case '#':
      return t('token.hash');
  }
  switch (kindOf(sign)) {
    case 'capital':
      return t('token.capital', { sign });
    case 'small':
      return t('token.small', { sign });
    case 'digit':
      return t('token.digit', { sign });
    case 'other':
      return t('token.any_sign', { sign });
  }
}

function shortKind(sign: string, t: EnrolTranslate): string {
  switch (kindOf(sign)) {
    case 'capital':
      return t('token.short.capital');
    case 'small':
      return t('token.short.small');
    case 'digit':
      return t('token.short.digit');
    case 'other':
      return t('token.short.sign');
  }
}

export function Token({ token, t }: { token: string; t: EnrolTranslate }) {
  const signs = Array.from(token);
  const half = Math.ceil(signs.length / 2);
  return (
    <>
      <div class="token" aria-hidden="true" data-test="token" data-token={token}>
        {[signs.slice(0, half), signs.slice(half)].map((group, i) => (
          <div class="token-group" key={i}>
            {group.map((sign, j) => (
              <span class={`token-sign ${kindOf(sign)}`} key={j}>
                <b>{sign}</b>
                <small>{shortKind(sign, t)}</small>
              </span>
            ))}
          </div>
        ))}
      </div>
      <div class="visually-hidden">
        <p id="token-spelled">{t('token.spelled')}</p>
        <ol aria-labelledby="token-spelled" data-test="token-spelled">
          {signs.map((sign, i) => (
            <li key={i}>{spelled(sign, t)}</li>
          ))}
        </ol>
      </div>
    </>
  );
}

/** One path; dark on white in every colour scheme, since cameras want it so. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
    let path = '';
    rows.forEach((row, y) => row.forEach((dark, x) => dark && (path += `M${x} ${y}h1v1h-1z`)));
    return { size: rows.length, path };
  }, [text]);
  return (
    <svg
      class="qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
      data-test="qr"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
