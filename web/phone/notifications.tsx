// Notifications on the home screen: asked once, after the first login, with the reason; then a switch with its state.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Language } from '../shared/language.ts';
import { Busy, Icon, Notice } from '../shared/ui.tsx';
import { agree, decide, isTimeToAsk, turnOff, type PushState } from './push.ts';
import type { Server } from './server.ts';
import type { Texts } from './texts.ts';

export type NotificationsProps = {
  server: Server;
  texts: Texts;
  /** Takes the question where there is one to ask: it stands above what one seldom looks for. */
  ask: (question: ComponentChildren) => void;
};

type Push = { state: PushState; asks: boolean; turnOn: () => void; turnOff: () => void; notNow: () => void };

function usePush(server: Server, language: Language): Push {
  const [state, setState] = useState<PushState>('looking');
  const [asks, setAsks] = useState(false);
  const latest = useRef(0);

  const look = async () => {
    const mine = ++latest.current;
    const now = await agree(server, language).catch((): PushState => 'broken');
    const ask = await isTimeToAsk().catch(() => false);
    if (mine !== latest.current) return;
    setState(now);
    setAsks(ask);
  };
  useEffect(() => {
    void look();
    const seen = () => void (document.hidden || look());
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [server, language]);

  const turnOn = async () => {
    // The browser's question must follow the tap directly.
    const permission = Notification.permission === 'granted' ? 'granted' : await Notification.requestPermission();
    setState('looking');
    await decide(permission === 'granted').catch(() => undefined);
    await look();
  };
  const off = async () => {
    setState('looking');
    await turnOff(server).catch(() => undefined);
    await look();
  };
  const notNow = async () => {
    setAsks(false);
    await decide(false).catch(() => undefined);
  };
  return { state, asks, turnOn: () => void turnOn(), turnOff: () => void off(), notNow: () => void notNow() };
}

/** The question, with its reason. */
function Question({ push, texts: { t } }: { push: Push; texts: Texts }) {
  return (
    <section class="card" aria-labelledby="ask-push" data-test="push-ask">
      <div class="near">
        <h2 id="ask-push">{t('push.ask.heading')}</h2>
        <p>{t('push.ask.text')}</p>
        <p class="soft">{t('push.ask.privacy')}</p>
      </div>
      <div class="row">
        <button class="button main" onClick={push.turnOn} data-test="push-on">
          <Icon name="bell" /> {t('button.push_on')}
        </button>
        <button class="button" onClick={push.notNow} data-test="push-not-now">
          {t('button.not_now')}
        </button>
      </div>
    </section>
  );
}

/** The state, and the switch where there is something to switch. */
export function Notifications({ server, texts, ask }: NotificationsProps) {
  const { t, c, language } = texts;
  const push = usePush(server, language);
  const { state } = push;
  const asks = push.asks && state === 'off';
  useEffect(() => ask(asks ? <Question push={push} texts={texts} /> : null), [asks, texts]);
  useEffect(() => () => ask(null), []);
  if (asks) return null;
  return (
    <section class="card" aria-labelledby="push" data-test="push" data-state={state}>
      <h2 id="push">{t('push.heading')}</h2>
      {state === 'looking' && <Busy text={c('loading')} />}
      {state === 'on' && <p role="status">{t('push.on')}</p>}
      {state === 'off' && <p role="status">{t('push.off')}</p>}
      {state === 'unsupported' && <p>{t('push.unsupported')}</p>}
      {state === 'denied' && (
        <>
          <p>{t('push.denied')}</p>
          <ol class="steps-list">
            <li>{t('push.denied.settings')}</li>
            <li>{t('push.denied.allow')}</li>
            <li>{t('push.denied.back')}</li>
          </ol>
        </>
      )}
      {state === 'broken' && (
        <Notice kind="warn" role="status">
          <p>{t('push.broken')}</p>
        </Notice>
      )}
      {(state === 'off' || state === 'broken') && (
        <div>
          <button class="button" onClick={push.turnOn} data-test="push-on">
            <Icon name="bell" /> {t(state === 'off' ? 'button.push_on' : 'button.push_again')}
          </button>
        </div>
      )}
      {(state === 'on' || state === 'broken') && (
        <div>
          <button class="button" onClick={push.turnOff} data-test="push-off">
            {t('button.push_off')}
          </button>
        </div>
      )}
    </section>
  );
}
