// Which codes are too easy (docs/device-protocol.md §4). The server can't see the code, so the phone judges it.

export type CodeRules = { birth_date: string[]; number: string[]; common: string[] };
export type CodeRefusal = 'code_malformed' | 'repeat' | 'run' | 'birth_date' | 'number' | 'common';

/** Why a code is refused, first match wins; null for a code that may be used. */
export function refusalOfCode(code: string, rules: CodeRules): CodeRefusal | null {
  if (!/^[0-9]{5}$/.test(code)) return 'code_malformed';
  if (new Set(code).size <= 2) return 'repeat';
  const digits = Array.from(code, Number);
  const step = (digits[1]! - digits[0]! + 10) % 10;
  if (digits.every((digit, i) => i === 0 || (digits[i - 1]! + step) % 10 === digit)) return 'run';
  if (rules.birth_date.includes(code)) return 'birth_date';
  if (rules.number.includes(code)) return 'number';
  if (rules.common.includes(code)) return 'common';
  return null;
}
