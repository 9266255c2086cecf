// What several screens of the app have in common.

import { useEffect, useRef } from 'preact/hooks';
import { unreachable, type Failure } from '../shared/api.ts';
import type { Language } from '../shared/language.ts';
import { FailureNotice, Heading, Notice } from '../shared/ui.tsx';
import type { Texts } from './texts.ts';

/** The phone's language, else English, else the first there is (docs/device-protocol.md §5). */
export function partnerName({ name }: { name: Record<string, string> }, language: Language): string {
  return name[language] ?? name['en'] ?? Object.values(name)[0]!;
}

/** The browser has deleted what the app keeps while it was open. No server says so: the phone can ask nothing any more. */
export function keysGone({ t }: Texts): Failure {
  return { outcome: 'device_keys_gone', text: t('lost.cleared'), way_out: 'start_over' };
}

/** The browser can't open what it keeps, or keep something new. It may be able to the next time. */
export function notKept({ t }: Texts): Failure {
  return { outcome: 'store_failed', text: t('lost.text'), way_out: 'try_again' };
}

/** A part of the app did not come: no network, or the server has a newer version only. Loaded anew, the app is whole again. */
export function Reload({ texts: { c, language } }: { texts: Texts }) {
  return (
    <div class="stack" data-test="unloaded">
      <FailureNotice failure={unreachable} language={language} c={c} />
      <button class="button main" onClick={() => location.reload()} data-test="reload">
        {c('button.retry')}
      </button>
    </div>
  );
}

/** The same where it is a whole screen. */
export function Unloaded({ texts }: { texts: Texts }) {
  return (
    <>
      <Heading>{texts.t('title')}</Heading>
      <Reload texts={texts} />
    </>
  );
}

export function DeclinedNotice({ text }: { text: string }) {
  return (
    <Notice kind="bad" role="alert" data-test="fingerprint-declined">
      <p>{text}</p>
    </Notice>
  );
}

type UnsentProps = {
  texts: Texts;
  /** It arrived, and what it brought could not be kept. */
  failure?: Failure | undefined;
  again: () => void;
};

/** An answer that did not arrive: sent again by a tap, or by itself once the network is back. */
export function Unsent({ texts: { t, c, language }, failure, again }: UnsentProps) {
  const send = useRef(again);
  send.current = again;
  useEffect(() => {
    const online = () => send.current();
    window.addEventListener('online', online);
    return () => window.removeEventListener('online', online);
  }, []);
  return (
    <>
      <Heading>{t('enter.unsent.heading')}</Heading>
      {failure ? (
        <FailureNotice failure={failure} language={language} c={c} />
      ) : (
        <Notice kind="bad" role="alert" data-test="unsent">
          <p>{t('enter.unsent')}</p>
        </Notice>
      )}
      <button class="button main" onClick={again} data-test="send-again">
        {t('button.send_again')}
      </button>
    </>
  );
}
