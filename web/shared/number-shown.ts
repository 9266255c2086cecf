/** `+32 470 12 34 56`: an E.164 number in groups, for the eye only. */
export function groupedNumber(e164: string): string {
  const [, code, first, rest] = /^\+(32|352|49)(\d{3})(\d+)$/.exec(e164) ?? /^\+(33|31)(\d)(\d+)$/.exec(e164) ?? [];
  return code ? unbroken(`+${code} ${first} ${rest!.replace(/(\d{2})(?=\d{2})/g, '$1 ')}`) : e164;
}

/** What was typed, as one dials it from abroad; for the eye only. */
export function dialled(callingCode: string, typed: string): string {
  const number = typed.trim();
  if (number.startsWith('+') || number.startsWith('00')) return unbroken(number);
  // Italy and San Marino keep the leading 0.
  return unbroken(
    `+${callingCode} ${callingCode === '39' || callingCode === '378' ? number : number.replace(/^0/, '')}`,
  );
}

/** A number stays on one line. */
function unbroken(number: string): string {
  return number.replaceAll(' ', '\u00a0');
}
