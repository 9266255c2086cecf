// What claims are called on the phone.

import type { KeyOf } from '../shared/language.ts';
import type phoneTexts from '../texts/fr/phone.json';
import type { Texts } from './texts.ts';

type ClaimKey = Extract<KeyOf<typeof phoneTexts>, `claim.${string}`>;

const claimNames: Record<ClaimKey, true> = {
  'claim.name': true,
  'claim.given_name': true,
  'claim.family_name': true,
  'claim.gender': true,
  'claim.birthdate': true,
  'claim.place_of_birth': true,
  'claim.nationality': true,
  'claim.address': true,
  'claim.email': true,
  'claim.phone_number': true,
  'claim.locale': true,
  'claim.picture': true,
  'claim.national_number': true,
  'claim.card_number': true,
};

export function claimText(name: string, { t }: Texts): string {
  const key = `claim.${name}`;
  return key in claimNames ? t(key as ClaimKey) : name;
}
