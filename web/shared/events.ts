// Server-sent events that come back by themselves and close while nobody looks: a browser opens six connections to one
// origin over HTTP/1.1, so hidden pages must not hold any.

export type EventHandler = (name: string, data: string) => void;
export type Close = () => void;

/**
 * One stream: resolves when it ended or broke. `opened` is called when the server has accepted it. A refusal comes as event
 * `refused`, a failure on the way as the server's event `failure`, both with the error as data.
 */
export type OpenStream = (signal: AbortSignal, on: EventHandler, opened: () => void) => Promise<void>;

const livedSeconds = 10;

/** Seconds before the n-th new try in a row: 1, 2, 4, … at most 30. */
export function retryAfterSeconds(tries: number): number {
  return Math.min(30, 2 ** tries);
}

/** Keeps a stream open while the page is visible, until the answer's `Close` is called. */
export function keepOpen(open: OpenStream, on: EventHandler, connected?: (is: boolean) => void): Close {
  let running: AbortController | null = null;
  const loop = async (mine: AbortController) => {
    let tries = 0;
    while (!mine.signal.aborted) {
      let openedAt = Infinity;
      const heard = (name: string, data: string) => void (mine.signal.aborted || on(name, data));
      await open(mine.signal, heard, () => {
        openedAt = Date.now();
        connected?.(true);
      }).catch(() => undefined);
      if (mine.signal.aborted) return;
      connected?.(false);
      // A server that accepts and closes at once must not be asked every second.
      if (Date.now() - openedAt > livedSeconds * 1000) tries = 0;
      await pause(retryAfterSeconds(tries++) * 1000, mine.signal);
    }
  };
  const look = () => {
    if (document.hidden) {
      running?.abort();
      running = null;
    } else if (!running) {
      running = new AbortController();
      void loop(running);
    }
  };
  const again = () => {
    running?.abort();
    running = null;
    look();
  };
  document.addEventListener('visibilitychange', look);
  window.addEventListener('online', again);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    window.removeEventListener('online', again);
    running?.abort();
    running = null;
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true });
  });
}

/** A stream read with fetch. `headers` are made anew for each connection (a signature is fresh for minutes only). */
export function fetchStream(path: string, headers: () => Promise<Record<string, string>>): OpenStream {
  return async (signal, on, opened) => {
    const init = { headers: { Accept: 'text/event-stream', ...(await headers()) }, cache: 'no-store', signal } as const;
    const response = await fetch(path, init);
    if (!response.ok || !response.body) {
      on('refused', await response.text());
      return;
    }
    opened();
    const parser = new EventParser(on);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await withinSilence(reader.read(), signal);
      if (done) return;
      parser.feed(value);
    }
  };
}

/** A server sends at least a comment every 15 s: a stream that is silent for three of them is dead. */
async function withinSilence<T>(read: Promise<T>, signal: AbortSignal): Promise<T> {
  const silence = AbortSignal.any([signal, AbortSignal.timeout(45_000)]);
  return Promise.race([
    read,
    new Promise<never>((_, fail) => silence.addEventListener('abort', () => fail(silence.reason), { once: true })),
  ]);
}

/** The text format of server-sent events (HTML Living Standard §9.2.6). */
export class EventParser {
  #rest = '';
  #name = '';
  #data: string[] = [];
  readonly #on: EventHandler;

  constructor(on: EventHandler) {
    this.#on = on;
  }

  feed(text: string): void {
    // A CR at the very end may be the first half of a CR LF: it waits for what follows.
    const all = this.#rest + text;
    const end = all.endsWith('\r') ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = lines.pop()! + all.slice(end);
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.#on(this.#name || 'message', this.#data.join('\n'));
      this.#name = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    if (field === 'data') this.#data.push(value);
  }
}
