// Requests to the phone origin: plain ones for enrolment, signed ones for a bound phone (docs/device-protocol.md §3).

import { request, unreachable, type Failure, type Result } from '../shared/api.ts';
import { utf8, type Bytes } from '../shared/bytes.ts';
import type { CodeRules } from '../shared/code-rules.ts';
import { authorization, type DeviceKeys, type PageClaim, type PublicJwk } from '../shared/device-protocol.ts';
import { fetchStream, type OpenStream } from '../shared/events.ts';
import { post } from '../shared/api.ts';
import type { Language } from '../shared/language.ts';
import type { HistoryAnswer } from '../shared/log-proof.ts';
import type { PushGiven, PushKept } from './push.ts';

export type EnrolStarted = {
  session: string;
  nonce: string;
  vault_key: PublicJwk;
  language: string;
  sms_again_at: number;
};
/** Through a bank there is nothing but `bank` and `outcome` before the SMS. */
export type EnrolState = Partial<Omit<EnrolStarted, 'session'>> & {
  step: 'bank' | 'landed' | 'sms' | 'code' | 'done';
  code_rules?: CodeRules;
  sms_failure?: unknown;
  /** Where the holder is now, or was last. */
  bank?: { id: string; name: string };
  /** How the last visit there ended. */
  outcome?: unknown;
  moves?: boolean;
  takes_number?: boolean;
};
/** `minors`: also for 16 and 17. `down_until`: it did not answer lately; asked again from then on. */
export type Bank = { id: string; name: string; app_first: boolean; app_url?: string; minors: boolean; down_until?: number };
export type Finished = { account: { phone_number: string; language: string }; did: string; ratchet: string };
export type Me = {
  account: { state: 'active' | 'blocked'; phone_number: string; language: string };
  device: { did: string; name: string; bound_at: number; code_version: number; passkey?: boolean };
  /** Who asked when the holder said "this was not me": silent until then. */
  mutes?: { domain: string; at: number; until: number }[];
};
export type Partner = { name: Record<string, string>; domain: string };
/** `rings`: of one at most; the others wait silently. */
export type PendingAction = {
  id: string;
  created_at: number;
  expires_at: number;
  state: 'waiting' | 'shown' | 'returning';
  /** Approved by link, and another browser than the one that began came back. */
  returned_elsewhere?: boolean;
  rings?: boolean;
  muted?: boolean;
  partner?: Partner;
  browser?: string;
};
/** A server of before doesn't say which. */
export const rings = (action: PendingAction): boolean => action.rings ?? true;

export type Consent = {
  client: string;
  partner: Partner;
  shared: string[];
  kept_back: string[];
  since: number;
  at: number;
};
export type Pending = { actions: PendingAction[]; now: number };
export type Shown = { tx: string; expires_at: number; state: PendingAction['state']; return?: string };
/** `return`: where to go to bring an approved link back to its page. */
export type Answered = { state: 'approved' | 'returning' | 'refused'; ratchet?: string; return?: string; muted_until?: number };
export type Claimed = { action: string; expires_at: number };

/** Outcomes after which this phone can't ask anything any more. */
const ends = [
  'device_unknown',
  'device_unbound',
  'device_suspended',
  'device_signature_invalid',
  'device_clone_suspected',
  'account_deactivated',
];

export function endsTheLink(failure: Failure): boolean {
  return ends.includes(failure.outcome);
}

const mostSends = 3;

/**
 * A body that carries its own signature. When something else came between (`conflict`), the same bytes go out again
 * (docs/device-protocol.md §4, §5).
 */
async function sendSigned<T>(path: string, body: string, language: Language): Promise<Result<T>> {
  for (let left = mostSends - 1; ; left--) {
    const [result] = await request<T>(path, { method: 'POST', body, language });
    if (result.ok || result.failure.outcome !== 'conflict' || left === 0) return result;
  }
}

// ---- enrolment -------------------------------------------------------------------------------------------------------

export const enrol = {
  banks: async (language: Language, signal?: AbortSignal) =>
    (await request<{ banks: Bank[] }>('/d/banks', { language, ...(signal ? { signal } : {}) }))[0],
  startWithBank: (callingCode: string, number: string, language: Language) =>
    post<{ session: string; language: string }>('/d/enrol/bank', { calling_code: callingCode, number, language }, language),
  visitBank: (session: string, bank: string, language: Language) =>
    post<{ url: string }>('/d/enrol/bank/visit', { session, bank }, language),
  landed: (session: string, code: string, language: Language) =>
    post<{ sms_again_at: number }>('/d/enrol/bank/landing', { session, code }, language),
  chooseBankAgain: (session: string, language: Language) =>
    post<Record<string, never>>('/d/enrol/bank/again', { session }, language),
  start: (callingCode: string, number: string, token: string, language: Language) =>
    post<EnrolStarted>('/d/enrol/start', { calling_code: callingCode, number, token }, language),
  sms: (session: string, code: string, language: Language) =>
    post<{ code_rules: CodeRules; takes_number?: boolean }>('/d/enrol/sms', { session, code }, language),
  smsAgain: (session: string, language: Language) =>
    post<{ sms_again_at: number }>('/d/enrol/sms-again', { session }, language),
  state: async (session: string, language: Language) =>
    (await request<EnrolState>('/d/enrol/state', { language, headers: { 'Symbolon-Enrolment': session } }))[0],
  /** Carries its own signature. Only `unjudged` leaves open what became of it: then the very same bytes go out again. */
  finish: (body: string, language: Language) => sendSigned<Finished>('/d/enrol/finish', body, language),
};

// ---- a bound phone -----------------------------------------------------------------------------------------------------

export class Server {
  readonly #keys: DeviceKeys;
  readonly #language: Language;
  #nonce: string | null = null;

  constructor(keys: DeviceKeys, language: Language) {
    this.#keys = keys;
    this.#language = language;
  }

  me(): Promise<Result<Me>> {
    return this.#signed('GET', '/d/me');
  }

  pending(): Promise<Result<Pending>> {
    return this.#signed('GET', '/d/pending');
  }

  history(before: number, known: number): Promise<Result<HistoryAnswer>> {
    return this.#signed('POST', '/d/history', JSON.stringify({ before, known }));
  }

  push(): Promise<Result<PushKept>> {
    return this.#signed('GET', '/d/push');
  }

  pushOn(given: PushGiven): Promise<Result<PushKept>> {
    return this.#signed('POST', '/d/push', JSON.stringify(given));
  }

  pushOff(): Promise<Result<PushKept>> {
    return this.#signed('POST', '/d/push/off', '{}');
  }

  consents(): Promise<Result<{ consents: Consent[] }>> {
    return this.#signed('GET', '/d/consents');
  }

  withdraw(client: string): Promise<Result<{ state: string }>> {
    return this.#signed('POST', '/d/consents/withdraw', JSON.stringify({ client }));
  }

  show(action: string): Promise<Result<Shown>> {
    return this.#signed('POST', `/d/actions/${encodeURIComponent(action)}/show`, '{}');
  }

  /** Goes to a page: its request becomes this phone's. */
  claim(claim: PageClaim): Promise<Result<Claimed>> {
    return this.#signed('POST', '/d/claims', JSON.stringify({ by: claim.by, value: claim.value }));
  }

  /** Carries its own signature, like an answer. */
  async match(action: string, body: string): Promise<Result<Answered>> {
    return sendSigned(`/d/actions/${encodeURIComponent(action)}/match`, body, this.#language);
  }

  /** Carries its own signature. The same bytes are sent again when no answer came. */
  async answer(action: string, body: string): Promise<Result<Answered>> {
    return sendSigned(`/d/actions/${encodeURIComponent(action)}/answer`, body, this.#language);
  }

  openPasskey(): Promise<Result<{ challenge: string; expires_at: number }>> {
    return this.#signed('POST', '/d/passkey/challenge', '{}');
  }

  /** Carries its own signature, like an answer. */
  async turnPasskeyOn(body: string): Promise<Result<{ passkey: true; ratchet: string }>> {
    return sendSigned('/d/passkey/on', body, this.#language);
  }

  turnPasskeyOff(): Promise<Result<{ passkey: false }>> {
    return this.#signed('POST', '/d/passkey/off', '{}');
  }

  events(): OpenStream {
    return fetchStream('/d/events', async () => {
      // A stream may be refused for an old nonce; the next try must not use it again.
      this.#nonce = null;
      const nonce = await this.#freshNonce();
      if (!nonce) throw new Error('no nonce');
      return {
        Authorization: await this.#authorize('GET', '/d/events', nonce, utf8('')),
        'Accept-Language': this.#language,
      };
    });
  }

  async #signed<T>(method: 'GET' | 'POST', path: string, body?: string): Promise<Result<T>> {
    let result: Result<T> = { ok: false, failure: unreachable };
    for (const attempt of [1, 2]) {
      const nonce = this.#nonce ?? (await this.#freshNonce());
      if (!nonce) return { ok: false, failure: unreachable };
      const headers = { Authorization: await this.#authorize(method, path, nonce, utf8(body ?? '')) };
      const call = { method, headers, language: this.#language, ...(body === undefined ? {} : { body }) };
      const [answer, response] = await request<T>(path, call);
      result = answer;
      this.#nonce = response?.headers.get('Symbolon-Nonce') ?? nonce;
      if (answer.ok || answer.failure.outcome !== 'device_nonce_needed' || attempt === 2) break;
      this.#nonce = null;
    }
    return result;
  }

  async #freshNonce(): Promise<string | null> {
    const [result] = await request<{ nonce: string }>('/d/nonce', { language: this.#language });
    return (this.#nonce = result.ok ? result.value.nonce : null);
  }

  #authorize(method: string, path: string, nonce: string, body: Bytes): Promise<string> {
    return authorization(this.#keys, method, path, nonce, body);
  }
}
