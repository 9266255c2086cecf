// The list of countries for a phone number: near ones first, all of them after, by name in the page's language.

import callingCodes from './calling-codes.json';
import type { Language } from './language.ts';
import { FieldFrame, describedBy, type FieldProps } from './ui.tsx';

const near = ['BE', 'NL', 'FR', 'DE', 'LU'];

export const firstRegion = 'BE';

/** `32` of `BE`. */
export function callingCodeOf(region: string): string {
  return callingCodes.find(([, name]) => name === region)?.[0] ?? '32';
}

type Props = {
  field: FieldProps;
  language: Language;
  value: string;
  labels: { near: string; all: string };
  choose: (region: string) => void;
};

export function CountrySelect({ field, language, value, labels, choose }: Props) {
  const names = new Intl.DisplayNames(language, { type: 'region' });
  const order = new Intl.Collator(language);
  const rows = callingCodes.map(([code, region]) => ({
    region: region!,
    text: `${names.of(region!) ?? region} +${code}`,
  }));
  const nearRows = near.map((region) => rows.find((row) => row.region === region)!);
  const allRows = rows.filter(({ region }) => !near.includes(region)).sort((a, b) => order.compare(a.text, b.text));
  const option = ({ region, text }: (typeof rows)[number]) => (
    <option key={region} value={region} selected={region === value}>
      {text}
    </option>
  );
  return (
    <FieldFrame field={field}>
      <select
        id={field.id}
        name="region"
        autocomplete="tel-country-code"
        {...describedBy(field)}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <optgroup label={labels.near}>{nearRows.map(option)}</optgroup>
        <optgroup label={labels.all}>{allRows.map(option)}</optgroup>
      </select>
    </FieldFrame>
  );
}
