// The demo's customers, with dates settled for a day. Who is a card persona too (data/personas.toml) has the same names and national number there.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const rows = JSON.parse(readFileSync(new URL('./people.json', import.meta.url), 'utf8'));

/** Of every bank card in the demo. */
export const pin = '1234';

const day = 86_400_000;
const iso = (date) => date.toISOString().slice(0, 10);
const daysFrom = (now, days) => new Date(now.getTime() + days * day);

function birthdate({ birthdate: fixed, age, birthday_in_days: until }, now) {
  if (fixed) return fixed;
  const birthday = daysFrom(now, until);
  const year = birthday.getUTCFullYear() - (until > 0 ? age + 1 : age);
  const rest = iso(birthday).slice(4);
  return `${year}${rest === '-02-29' ? '-02-28' : rest}`;
}

// YYMMDD, a sequence from 900 up where no real number is, and 97 less the remainder; a 2 in front from 2000 on.
export function nationalNumber(born, sequence) {
  const nine = born.slice(2).replaceAll('-', '') + sequence;
  const check = 97 - Number((born >= '2000' ? '2' : '') + nine) % 97;
  return nine + String(check).padStart(2, '0');
}

// Belgian cards: ten digits and their remainder by 97 (0 is written 97). Foreigners' cards as they are printed.
const documentNumber = (number) => (/^\d{10}$/.test(number) ? number + String(Number(number) % 97 || 97).padStart(2, '0') : number);

function monthsAgo(now, months) {
  const then = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
  return iso(then);
}

function settled(row, now) {
  const { card, persona, shows, sequence, document, address, family_name, given_name, gender, place_of_birth, nationality, phone_number } = row;
  const born = birthdate(row, now);
  const claims = { family_name, given_name, birthdate: born, gender, place_of_birth, nationality, phone_number, address, national_number: nationalNumber(born, sequence) };
  if (document) {
    claims.document_number = documentNumber(document.number);
    claims.document_valid_until = iso(daysFrom(now, (document.valid_days ?? 3652) - document.issued_days_ago));
    claims.card_read_on = monthsAgo(now, document.read_months_ago);
  }
  if (!phone_number) delete claims.phone_number;
  return { id: persona, card, shows, name: `${given_name} ${family_name}`, firstName: given_name.split(/[ -]/)[0], claims };
}

/** Each {id, card: 16 digits, shows: {en, fr, nl, de}, name, firstName, claims by their ordinary names}; dates as of `now`. */
export const peopleAt = (now = new Date()) => rows.map((row) => settled(row, now));

/** The number of a customer's bank card. */
export function cardOf(id) {
  const row = rows.find(({ persona }) => persona === id);
  if (!row) throw new Error(`the demo's banks have no customer ${id}`);
  return row.card;
}

/** How a bank names a person towards us: the same at each visit, another at each bank. */
export const subject = (bank, person) => createHash('sha256').update(`demo customer ${bank.id} ${person.card}`).digest('base64url');

/** The person's claims as this bank calls them. */
export const claimsOf = (bank, person) => Object.fromEntries(Object.entries(person.claims).map(([name, value]) => [bank.claims?.[name] ?? name, value]));
