// The waiting page of a sign-in, which the server writes and which works without this. With it, the page goes on by itself
// at once, counts down, and says after a while what may be wrong. Its elements stand in web/README.md.

import './sign-in.css';
import { fetchStream, keepOpen } from '../shared/events.ts';
import { minutesAndSeconds } from '../shared/language.ts';
import { showTestBanner } from '../shared/site.ts';

const hintAfterSeconds = 8;

function element(id: string): HTMLElement | null {
  return document.getElementById(id);
}

/** The text that the server wrote for it in the page's language, in the element's data. */
function say(target: HTMLElement | null, text: string | undefined): void {
  if (target && text && target.textContent !== text) target.textContent = text;
}

function wait(waiting: HTMLElement): void {
  const { events, continue: goOn, expires } = waiting.dataset;
  if (!events || !goOn) return;
  // The page reloads itself without a script; with one it need not.
  document.querySelector('meta[http-equiv="refresh"]')?.remove();

  const status = element('status');
  const hint = element('hint');
  const hintTimer = setTimeout(() => hint && (hint.hidden = false), hintAfterSeconds * 1000);
  const close = keepOpen(
    fetchStream(events, async () => ({ 'Accept-Language': document.documentElement.lang })),
    (name, data) => {
      if (name === 'refused' || name === 'failure') return leave(location.href);
      if (name !== 'state') return;
      const state = JSON.parse(data) as { at: string };
      if (state.at === 'shown') {
        clearTimeout(hintTimer);
        if (hint) hint.hidden = true;
        say(status, status?.dataset['shown']);
      }
      if (state.at === 'approved') {
        say(status, status?.dataset['approved']);
        leave(goOn);
      }
      if (state.at === 'ended') leave(location.href);
    },
  );

  let left = false;
  const leave = (address: string) => {
    if (left) return;
    left = true;
    close();
    location.replace(address);
  };

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

const waiting = element('waiting');
if (waiting) wait(waiting);
void showTestBanner(document.body.dataset['testBanner'] ?? '');
