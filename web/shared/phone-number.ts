// Whether a mobile number can be right, before it is sent. The server has the last word; this only spares the holder a wait.
// Loaded when a page needs it: the library and its metadata weigh more than the page.

import { parsePhoneNumberFromString, type CountryCode, type MetadataJson } from 'libphonenumber-js/core';
import metadata from './phone-metadata.json' with { type: 'json' };

export type JudgedNumber =
  | { ok: true; e164: string; shown: string }
  | { ok: false; because: 'invalid' | 'not_mobile' }
  /** A region whose numbers this page doesn't know. */
  | { ok: 'server' };

const known = metadata as unknown as MetadataJson;

/** `typed`: with or without the leading 0, the calling code, spaces, dots or slashes. */
export function judgeNumber(region: string, typed: string): JudgedNumber {
  if (!(region in known.countries)) return { ok: 'server' };
  // libphonenumber reads "0470/12" as two numbers.
  const text = typed.replace(/[\s./\-()\u00a0]/g, '');
  if (!/^\+?[0-9]{4,17}$/.test(text)) return { ok: false, because: 'invalid' };
  const number = parsePhoneNumberFromString(text, region as CountryCode, known);
  if (!number)
    return text.startsWith('+') || text.startsWith('00') ? { ok: 'server' } : { ok: false, because: 'invalid' };
  if (!number.isPossible()) return { ok: false, because: 'invalid' };
  if (!number.isValid()) return { ok: false, because: 'not_mobile' };
  return { ok: true, e164: number.number, shown: number.formatInternational() };
}
