// Requests to our own server. Every refusal is an outcome with its sentence (docs/outcomes.md).

import type { Language } from './language.ts';

export type Failure = {
  outcome: string;
  /** The server's sentence in the language asked; empty where no server answered. */
  text: string;
  way_out: string;
  tries_left?: number;
  /** Seconds since 1970: when a limited step opens again. */
  open_at?: number;
  /** The field of a form that it is about. */
  field?: string;
  /** Names of the data that it is about: "address". */
  fields?: string[];
  /** Nobody has judged what was asked: it may be done already, or be done when the same bytes come again. */
  unjudged?: boolean;
};

export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** No answer came: no network, or the server is not there. The pages have the sentence. */
export const unreachable: Failure = { outcome: 'unreachable', text: '', way_out: 'try_again', unjudged: true };

/** Seconds by which the server's clock is ahead of this one. */
let ahead = 0;

/** Seconds since 1970 by the server's clock: what the instants that it names are compared with. */
export function serverNow(): number {
  return Date.now() / 1000 + ahead;
}

/** `Date` has whole seconds (RFC 9110 §6.6.1): about half of one is lost, and less than one says nothing. */
function heardDate(response: Response): void {
  const said = Date.parse(response.headers.get('Date') ?? '') / 1000 + 0.5;
  if (Math.abs(said - serverNow()) > 1) ahead = said - Date.now() / 1000;
}

export type Call = {
  method?: 'GET' | 'POST';
  /** The JSON text; what is sent is exactly this. */
  body?: string;
  headers?: Record<string, string>;
  language: Language;
  signal?: AbortSignal;
};

/** Also gives the response, for what its headers say. */
export async function request<T>(path: string, call: Call): Promise<[Result<T>, Response | null]> {
  const headers: Record<string, string> = {
    'Accept-Language': call.language,
    Accept: 'application/json',
    ...call.headers,
  };
  const init: RequestInit = { method: call.method ?? 'GET', headers, cache: 'no-store', redirect: 'error' };
  if (call.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = call.body;
  }
  init.signal = call.signal ?? AbortSignal.timeout(30_000);
  let response: Response;
  let content: unknown;
  try {
    response = await fetch(path, init);
    heardDate(response);
    const text = await response.text();
    content = text === '' ? {} : JSON.parse(text);
  } catch {
    return [{ ok: false, failure: unreachable }, null];
  }
  if (response.ok) return [{ ok: true, value: content as T }, response];
  const failure = failureOf(content);
  const unjudged = isUnjudged(response.status, failure);
  return [{ ok: false, failure: unjudged ? { ...failure, unjudged } : failure }, response];
}

/** RFC 9110 §15: a request is refused with 4xx; with 5xx the server could not. 408 and 429 say that it was not looked at. */
function isUnjudged(status: number, { outcome }: Failure): boolean {
  return status >= 500 || status === 408 || status === 429 || outcome === 'conflict' || outcome === unreachable.outcome;
}

export async function post<T>(path: string, body: object, language: Language): Promise<Result<T>> {
  return (await request<T>(path, { method: 'POST', body: JSON.stringify(body), language }))[0];
}

export async function get<T>(path: string, language: Language): Promise<Result<T>> {
  return (await request<T>(path, { language }))[0];
}

/** An error body as docs/outcomes.md writes it; anything else (a proxy's page) counts as unreachable. */
export function failureOf(content: unknown): Failure {
  if (typeof content !== 'object' || content === null) return unreachable;
  const { outcome, text, way_out, tries_left, open_at, field, fields } = content as Record<string, unknown>;
  if (typeof outcome !== 'string' || typeof text !== 'string') return unreachable;
  const failure: Failure = { outcome, text, way_out: typeof way_out === 'string' ? way_out : 'nothing' };
  if (typeof tries_left === 'number') failure.tries_left = tries_left;
  if (typeof open_at === 'number') failure.open_at = open_at;
  if (typeof field === 'string') failure.field = field;
  if (Array.isArray(fields)) failure.fields = fields.filter((name) => typeof name === 'string');
  return failure;
}
