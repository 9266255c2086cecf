// The pages of a sign-in, which the server writes and which work without this. With it, a page goes on by itself at once,
// draws its QR code, counts down, and says after a while what may be wrong. Its elements stand in web/README.md.

import './sign-in.css';
import { fetchStream, keepOpen } from '../shared/events.ts';
import { minutesAndSeconds } from '../shared/language.ts';
import { showTestBanner } from '../shared/site.ts';

const hintAfterSeconds = 8;
const qrLostAfterSeconds = 3;

function element(id: string): HTMLElement | null {
  return document.getElementById(id);
}

/** The text that the server wrote for it in the page's language, in the element's data. */
function say(target: HTMLElement | null, text: string | undefined): void {
  if (target && text && target.textContent !== text) target.textContent = text;
}

type State = { at: string };

/** Follows where the sign-in stands; `leave` ends that and goes to another page, once. */
function follow(
  events: string,
  on: (state: State, leave: (address: string) => void) => void,
  onQr?: (address: string) => void,
): void {
  let left = false;
  const leave = (address: string) => {
    if (left) return;
    left = true;
    close();
    location.replace(address);
  };
  const close = keepOpen(
    fetchStream(events, async () => ({ 'Accept-Language': document.documentElement.lang })),
    (name, data) => {
      // A server that is busy is asked again; a page that has nothing to follow any more says so when it is loaded.
      if (name === 'refused' || name === 'failure') return isOver(data) ? leave(location.href) : undefined;
      if (name === 'state') on(JSON.parse(data) as State, leave);
      if (name === 'qr') onQr?.(data);
    },
  );
}

function isOver(refusal: string): boolean {
  try {
    return String((JSON.parse(refusal) as { outcome?: unknown }).outcome).startsWith('sign_in_');
  } catch {
    return false;
  }
}

// ---- the ways to a phone -----------------------------------------------------------------------------------------------

function offer(entry: HTMLElement): void {
  const { events } = entry.dataset;
  if (!events) return;
  const place = element('qr');
  const draw = place ? qrCode(place, element('qr-lost')) : undefined;
  follow(events, (state, leave) => state.at !== 'form' && leave(location.href), draw);
}

/** Draws each code as it comes. One that is no longer good is not shown. */
function qrCode(place: HTMLElement, lost: HTMLElement | null): (address: string) => void {
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const show = (is: boolean) => {
    place.hidden = !is;
    if (lost) lost.hidden = is;
  };
  const draw = loadDrawing(place);
  return (address) => {
    clearTimeout(hidden);
    hidden = setTimeout(() => show(false), qrLostAfterSeconds * 1000);
    void draw.then((drawn) => {
      drawn(address);
      show(true);
    });
  };
}

/** One path, dark on white in every colour scheme, since cameras want it so. */
async function loadDrawing(place: HTMLElement): Promise<(text: string) => void> {
  const { default: encodeQR } = await import('qr');
  const svg = (name: string, attributes: Record<string, string>) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const picture = svg('svg', { role: 'img', 'aria-label': place.dataset['label'] ?? '', 'shape-rendering': 'crispEdges' });
  const ground = svg('rect', { fill: '#fff' });
  const dark = svg('path', { fill: '#000' });
  picture.append(ground, dark);
  place.append(picture);
  return (text) => {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
    let path = '';
    rows.forEach((row, y) => row.forEach((is, x) => is && (path += `M${x} ${y}h1v1h-1z`)));
    const size = String(rows.length);
    picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
    ground.setAttribute('width', size);
    ground.setAttribute('height', size);
    dark.setAttribute('d', path);
    place.dataset['value'] = text;
  };
}

// ---- waiting -------------------------------------------------------------------------------------------------------------

function wait(waiting: HTMLElement): void {
  const { events, continue: goOn, expires, at } = waiting.dataset;
  if (!events || !goOn) return;
  // The page reloads itself without a script; with one it need not.
  document.querySelector('meta[http-equiv="refresh"]')?.remove();

  const status = element('status');
  const hint = element('hint');
  const hintTimer = setTimeout(() => hint && (hint.hidden = false), hintAfterSeconds * 1000);
  follow(events, (state, leave) => {
    if (state.at === 'shown') {
      clearTimeout(hintTimer);
      if (hint) hint.hidden = true;
      say(status, status?.dataset['shown']);
    }
    if (state.at === 'approved') {
      say(status, status?.dataset['approved']);
      leave(goOn);
    }
    if (['form', 'ended', 'finished'].includes(state.at)) leave(location.href);
    if (state.at === 'returning' && at !== 'returning') leave(location.href);
  });

  const countdown = element('countdown');
  const announce = element('announce');
  if (expires && countdown) countDown(Number(expires), countdown, announce);
}

/** Every second for the eye; aloud at 60, 30 and 10 seconds only. */
function countDown(until: number, shown: HTMLElement, aloud: HTMLElement | null): void {
  const text = shown.dataset['text'] ?? '{time}';
  const tick = () => {
    const seconds = Math.max(0, Math.ceil(until - Date.now() / 1000));
    const time = text.replace('{time}', minutesAndSeconds(seconds));
    shown.textContent = time;
    if ([60, 30, 10].includes(seconds)) say(aloud, time);
    if (seconds === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// ---- back from the phone -------------------------------------------------------------------------------------------------

/**
 * The phone sent this browser here. What it gave along stands behind `#`, so that it reached no server and no log; it
 * goes on in the body of a request, and out of the address.
 */
function comeBack(back: HTMLElement): void {
  const form = back.querySelector('form');
  const proof = location.hash.slice(1);
  const page = back.dataset['page'];
  if (!form || !proof) return page ? location.replace(page) : undefined;
  history.replaceState(null, '', location.pathname + location.search);
  if (page) {
    form.querySelector('input')!.value = proof;
    form.submit();
    return;
  }
  // Another browser than the one that began: this page stays as it is, and the one that waits asks for the symbol.
  const told = { method: 'POST', body: new URLSearchParams({ proof }), keepalive: true } as const;
  void fetch(form.action, told).catch(() => undefined);
}

const entry = element('entry');
const waiting = element('waiting');
const back = element('return');
if (entry) offer(entry);
if (waiting) wait(waiting);
if (back) comeBack(back);
void showTestBanner(document.body.dataset['testBanner'] ?? '');
