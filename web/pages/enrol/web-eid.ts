// The Web eID browser extension, spoken to as its library does: messages of the window to itself. The library is in no
// public registry, and what is needed of it is this.

/** The codes that the extension and its library know. */
export const webEidCodes = [
  'ACTION_TIMEOUT',
  'USER_TIMEOUT',
  'VERSION_MISMATCH',
  'VERSION_INVALID',
  'EXTENSION_UNAVAILABLE',
  'NATIVE_UNAVAILABLE',
  'UNKNOWN_ERROR',
  'CONTEXT_INSECURE',
  'USER_CANCELLED',
  'NATIVE_INVALID_ARGUMENT',
  'NATIVE_FATAL',
  'ACTION_PENDING',
  'MISSING_PARAMETER',
] as const;
export type WebEidCode = (typeof webEidCodes)[number];

/** What is known of one part of this computer. */
export type PartState = 'ready' | 'missing' | 'old' | 'unknown';
export type Part = { state: PartState; version?: string };
export type Computer = { extension: Part; app: Part };

/** The protocol's version that we speak: the extension compares it with its own. */
const libraryVersion = '2.1.0';
const oldestMajor = 2;
const ackWithin = 1_000;
const appWithin = 5_000;
const personWithin = 120_000;

type Message = Record<string, unknown> & { action: string };

export class WebEidError extends Error {
  readonly code: WebEidCode;
  readonly detail: Record<string, unknown>;

  constructor(code: WebEidCode, detail: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

/** The extension's error as one of the codes; what is none of them is UNKNOWN_ERROR. */
export function errorOf(error: unknown): WebEidError {
  const detail = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  const name = String(detail['code'] ?? '').replace(/^ERR_WEBEID_/, '');
  return new WebEidError(webEidCodes.find((code) => code === name) ?? 'UNKNOWN_ERROR', detail);
}

const pending = new Set<string>();

/** One question and its answer: the extension acknowledges within a second, and answers within `within` milliseconds. */
function ask(question: Message, within: number): Promise<Message> {
  const { action } = question;
  if (!window.isSecureContext) return Promise.reject(new WebEidError('CONTEXT_INSECURE'));
  if (pending.has(action)) return Promise.reject(new WebEidError('ACTION_PENDING'));
  pending.add(action);
  return new Promise((resolve, reject) => {
    const end = (then: () => void) => {
      clearTimeout(unheard);
      clearTimeout(unanswered);
      removeEventListener('message', hear);
      pending.delete(action);
      then();
    };
    const hear = ({ source, origin, data }: MessageEvent<unknown>) => {
      // A frame or another window is no extension of this page.
      if (source !== window || origin !== location.origin || typeof data !== 'object' || data === null) return;
      const message = data as Message;
      if (message.action === `${action}-ack`) clearTimeout(unheard);
      if (message.action === `${action}-success`) end(() => resolve(message));
      if (message.action === `${action}-failure`) end(() => reject(errorOf(message['error'])));
    };
    const unheard = setTimeout(() => end(() => reject(new WebEidError('EXTENSION_UNAVAILABLE'))), ackWithin);
    const unanswered = setTimeout(() => end(() => reject(new WebEidError('ACTION_TIMEOUT'))), within);
    addEventListener('message', hear);
    window.postMessage({ ...question, libraryVersion }, location.origin);
  });
}

/** null: no version at all. */
function majorOf(version: unknown): number | null {
  const major = typeof version === 'string' ? /^(\d{1,9})\.\d/.exec(version)?.[1] : undefined;
  return major === undefined ? null : Number(major);
}

function partOf(version: unknown): Part {
  const major = majorOf(version);
  if (major === null) return { state: 'unknown' };
  return { state: major < oldestMajor ? 'old' : 'ready', version: String(version) };
}

const unknown: Part = { state: 'unknown' };

/** What a failed look at the parts tells of each. */
export function computerAfter({ code, detail }: WebEidError): Computer {
  const update = (detail['requiresUpdate'] ?? {}) as Record<string, unknown>;
  const seen = (version: unknown, old: unknown): Part => (old === true ? { ...partOf(version), state: 'old' } : partOf(version));
  switch (code) {
    case 'EXTENSION_UNAVAILABLE':
      return { extension: { state: 'missing' }, app: unknown };
    case 'NATIVE_UNAVAILABLE':
      return { extension: { ...partOf(detail['extension']), state: 'ready' }, app: { state: 'missing' } };
    case 'VERSION_MISMATCH':
      return {
        extension: seen(detail['extension'], update['extension']),
        app: seen(detail['nativeApp'], update['nativeApp']),
      };
    default:
      return { extension: partOf(detail['extension']), app: partOf(detail['nativeApp']) };
  }
}

/** Which parts there are. Throws WebEidError: what is missing or too old (computerAfter says which). */
export async function lookAtComputer(): Promise<Computer> {
  const answer = await ask({ action: 'web-eid:status' }, ackWithin + appWithin);
  const computer = { extension: partOf(answer['extension']), app: partOf(answer['nativeApp']) };
  const parts = [computer.extension, computer.app];
  const { extension, nativeApp } = answer;
  if (parts.some(({ state }) => state === 'unknown')) throw new WebEidError('VERSION_INVALID', { extension, nativeApp });
  if (parts.some(({ state }) => state === 'old'))
    throw new WebEidError('VERSION_MISMATCH', {
      extension,
      nativeApp,
      requiresUpdate: { extension: computer.extension.state === 'old', nativeApp: computer.app.state === 'old' },
    });
  return computer;
}

/** The token, JSON, that the card makes for this page and `nonce`. Its window is in `language`. Throws WebEidError. */
export async function authenticate(nonce: string, language: string): Promise<string> {
  if (!nonce) throw new WebEidError('MISSING_PARAMETER');
  const answer = await ask(
    {
      action: 'web-eid:authenticate',
      challengeNonce: nonce,
      options: { lang: language, userInteractionTimeout: personWithin },
    },
    ackWithin + appWithin + personWithin,
  );
  const { unverifiedCertificate, algorithm, signature, format, appVersion } = answer;
  return JSON.stringify({ unverifiedCertificate, algorithm, signature, format, appVersion });
}
