// The home screen of a bound phone: what waits, and the state of the account.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { timeOfDay } from '../shared/language.ts';
import { groupedNumber } from '../shared/number-shown.ts';
import { FailureNotice, Heading, Icon, Notice } from '../shared/ui.tsx';
import { hasFingerprint } from './fingerprint.ts';
import { InstallHint } from './install.tsx';
import type { NotificationsProps } from './notifications.tsx';
import type { Me, PendingAction, Server } from './server.ts';
import type { Device } from './store.ts';
import type { Texts } from './texts.ts';

type Props = {
  texts: Texts;
  device: Device;
  me: Me | null;
  fingerprint: boolean;
  changeFingerprint: () => void;
  actions: PendingAction[] | null;
  online: boolean;
  failure: Failure | null;
  notice: string;
  helpUrl: string;
  server: Server;
  open: (id: string) => void;
  showHistory: () => void;
};

export function Home(props: Props) {
  const { texts, device, me, fingerprint, changeFingerprint, actions, online, failure, notice, helpUrl, server, open, showHistory } = props;
  const [question, setQuestion] = useState<ComponentChildren>(null);
  const { t, c, language } = texts;
  const [canHave, setCanHave] = useState(false);
  useEffect(() => void hasFingerprint().then(setCanHave), []);
  const blocked = me?.account.state === 'blocked';
  return (
    <>
      <Heading quiet>{t('home.heading')}</Heading>
      {!online && (
        <Notice kind="warn" role="status" data-test="offline">
          <p>{t('offline')}</p>
        </Notice>
      )}
      {notice && (
        <Notice kind="info">
          <p>{notice}</p>
        </Notice>
      )}
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      {blocked && (
        <Notice kind="bad" role="alert" data-test="blocked">
          <p>
            <strong>{t('blocked.heading')}</strong>
          </p>
          <p>{t('blocked.text')}</p>
        </Notice>
      )}
      <div role="status" class="near" data-test="pending" data-count={actions?.length ?? ''}>
        {actions && actions.length > 0 && <p>{t('home.waiting', { count: actions.length })}</p>}
        {actions?.length === 0 && !blocked && (
          <section class="card nothing" data-test="nothing">
            <p>
              <strong>{t('home.nothing')}</strong>
            </p>
            <p class="soft">{t('home.nothing.text')}</p>
          </section>
        )}
        {!actions && online && <p>{c('loading')}</p>}
      </div>
      {actions?.map((action) => (
        <section class="card waiting" key={action.id}>
          <h2>{t('home.request', { time: timeOfDay(language, action.created_at) })}</h2>
          <button class="button main" onClick={() => open(action.id)} data-test="open-action" data-action={action.id}>
            {t('button.look')} <Icon name="arrow" />
          </button>
        </section>
      ))}
      {question}
      <section class="card" aria-labelledby="account">
        <h2 id="account">{t('home.account')}</h2>
        <dl class="facts">
          <dt>{t('home.number')}</dt>
          <dd data-test="phone-number">{groupedNumber(me?.account.phone_number ?? device.phoneNumber)}</dd>
          {me && (
            <>
              <dt>{t('home.state')}</dt>
              <dd data-test="account-state" data-state={me.account.state}>
                {t(blocked ? 'home.state.blocked' : 'home.state.active')}
              </dd>
            </>
          )}
          <dt>{t('home.device')}</dt>
          <dd>
            {device.name}
            {me && <span class="soft since">{t('home.since', { date: day(language, me.device.bound_at) })}</span>}
          </dd>
          {(canHave || fingerprint) && (
            <>
              <dt>{t('fingerprint.heading')}</dt>
              <dd data-test="fingerprint-state" data-state={fingerprint ? 'on' : 'off'}>
                {t(fingerprint ? 'fingerprint.on' : 'fingerprint.off')}
              </dd>
            </>
          )}
        </dl>
        {(canHave || fingerprint) && !blocked && (
          <button class="button" onClick={changeFingerprint} data-test="fingerprint-settings">
            {t(fingerprint ? 'button.fingerprint_change' : 'button.fingerprint_on')}
          </button>
        )}
        <button class="button" onClick={showHistory} data-test="to-history">
          <Icon name="list" /> {t('history.heading')}
        </button>
      </section>
      <Later server={server} texts={texts} ask={setQuestion} />
      <InstallHint texts={texts} />
      <p class="soft">{t('home.never')}</p>
      {helpUrl && (
        <p>
          <a href={helpUrl} target="_blank" rel="noopener">
            {t('home.help')}
          </a>
        </p>
      )}
    </>
  );
}

/** Notifications are loaded when the rest is there. */
function Later(props: NotificationsProps) {
  const [loaded, setLoaded] = useState<{ Notifications: (props: NotificationsProps) => JSX.Element | null } | null>(null);
  useEffect(() => void import('./notifications.tsx').then(setLoaded), []);
  return loaded && <loaded.Notifications {...props} />;
}

function day(language: string, seconds: number): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(seconds * 1000);
}
