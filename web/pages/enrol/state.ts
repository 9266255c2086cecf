// What the server says of an enrolment (docs/enrolment-api.md), and what the page makes of it.

import type { Failure } from '../../shared/api.ts';

export type Person = {
  name: string;
  birth_date: string;
  national_number_last?: string;
  address?: string;
  card_number_last?: string;
  valid_until?: string;
};

export type Progress = { at: string; outcome?: string; text?: string; tries_left?: number };

export const steps = ['card', 'review', 'sign', 'phone', 'done', 'ended'] as const;
export type Step = (typeof steps)[number];

export type State = {
  step: Step;
  language: string;
  phone_number: string;
  email: string;
  link?: string;
  command?: string;
  link_expires_at?: number;
  reader_page?: string;
  symbol?: string;
  progress?: Progress | null;
  person?: Person;
  /** The person has an account, which comes to the phone that is linked now. */
  moves?: boolean;
  /** It was the card through Web eID: nothing was signed. */
  web_eid?: boolean;
  /** Another account has the number, and loses it when the phone is linked. */
  takes_number?: boolean;
  token?: string;
  token_qr?: string;
  token_expires_at?: number;
  token_tries_left?: number;
  phone?: { name: string; bound_at: number };
  can_undo?: boolean;
  test_pki?: boolean;
  outcome?: Failure | null;
};

/** null where the answer is not a state of ours (another version of the server). */
export function readState(content: unknown): State | null {
  if (typeof content !== 'object' || content === null) return null;
  const state = content as State;
  return steps.includes(state.step) && typeof state.phone_number === 'string' ? state : null;
}

/** What the holder is typing; kept in this tab so that a reload or another language loses nothing. */
export type Draft = { region: string; number: string; email: string; language: string; location: boolean };

export type FieldErrors = Partial<Record<'number' | 'email' | 'language', string>>;

export type Page =
  | { at: 'loading' }
  | { at: 'form'; failure?: Failure }
  | { at: 'enrolment'; state: State; failure?: Failure }
  | { at: 'unreachable'; failure: Failure };

/** Where in the list of four a step stands: 0 number, 1 card, 2 contract, 3 phone, 4 all done. */
export function placeOf(step: Step | 'form'): number {
  const places: Record<Step | 'form', number> = { form: 0, card: 1, review: 2, sign: 2, phone: 3, done: 4, ended: 0 };
  return places[step];
}
