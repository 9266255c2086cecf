// The home screen of a bound phone: what waits, and the state of the account.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { dayOf, timeOfDay } from '../shared/language.ts';
import { groupedNumber } from '../shared/number-shown.ts';
import { FailureNotice, Heading, Icon, Notice } from '../shared/ui.tsx';
import { hasFingerprint } from './fingerprint.ts';
import { InstallHint } from './install.tsx';
import type { NotificationsProps } from './notifications.tsx';
import { partnerName } from './parts.tsx';
import { rings, type Me, type PendingAction, type Server } from './server.ts';
import type { Device } from './store.ts';
import type { Texts } from './texts.ts';

type Props = {
  texts: Texts;
  device: Device;
  me: Me | null;
  linkAgain: () => void;
  fingerprint: boolean;
  changeFingerprint: () => void;
  actions: PendingAction[] | null;
  online: boolean;
  failure: Failure | null;
  notice: string;
  helpUrl: string;
  server: Server;
  open: (id: string) => void;
  claim: (how: 'scan' | 'type') => void;
  showHistory: () => void;
  showConsents: () => void;
};

export function Home(props: Props) {
  const { texts, device, me, linkAgain, fingerprint, changeFingerprint, actions, online, failure, notice, helpUrl, server, open, claim, showHistory, showConsents } = props;
  const [question, setQuestion] = useState<ComponentChildren>(null);
  const { t, c, language } = texts;
  const [canHave, setCanHave] = useState(false);
  useEffect(() => void hasFingerprint().then(setCanHave), []);
  const blocked = me?.account.state === 'blocked';
  const first = actions?.find(rings);
  const silent = actions?.filter((action) => action !== first) ?? [];
  useEffect(() => {
    // Browsers let a page buzz once somebody has touched it, and complain before.
    if (first && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(200);
  }, [first?.id]);
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
          {device.bank !== undefined && (
            <p data-test="blocked-by" data-bank={device.bank}>
              {device.bank ? t('blocked.bank', { bank: device.bank }) : t('blocked.card')}
            </p>
          )}
          <p>{t('forgot.text')}</p>
          <button class="button main" onClick={linkAgain} data-test="link-again">
            {t('button.link_again')}
          </button>
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
      {me?.mutes?.map((mute) => (
        <Notice kind="warn" key={mute.at} data-test="muted">
          <p>
            {t('home.muted', {
              partner: mute.domain,
              at: timeOfDay(language, mute.at),
              until: timeOfDay(language, mute.until),
            })}
          </p>
        </Notice>
      ))}
      {first && <Request action={first} texts={texts} open={open} />}
      {silent.length > 0 && (
        <section class="near" aria-labelledby="silent" data-test="silent" data-count={silent.length}>
          <h2 id="silent">{t('home.silent')}</h2>
          <p class="soft">{t('home.silent.text')}</p>
          {silent.map((action) => (
            <Request key={action.id} action={action} texts={texts} open={open} under />
          ))}
        </section>
      )}
      {question}
      {!blocked && (
        <section class="card" aria-labelledby="begin">
          <h2 id="begin">{t('home.begin')}</h2>
          <p class="soft">{t('home.begin.text')}</p>
          <div class="row">
            <button class="button main" onClick={() => claim('scan')} data-test="scan">
              {t('button.scan')}
            </button>
            <button class="button" onClick={() => claim('type')} data-test="type-code">
              {t('button.type_code')}
            </button>
          </div>
        </section>
      )}
      <section class="card" aria-labelledby="account">
        <h2 id="account">{t('home.account')}</h2>
        <dl class="facts">
          <dt>{t('home.number')}</dt>
          <dd data-test="phone-number">
            {me?.account.phone_number === ''
              ? t('home.number.none')
              : groupedNumber(me?.account.phone_number ?? device.phoneNumber)}
          </dd>
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
            {me && <span class="soft since">{t('home.since', { date: dayOf(language, me.device.bound_at) })}</span>}
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
        <button class="button" onClick={showConsents} data-test="to-consents">
          <Icon name="building" /> {t('consents.heading')}
        </button>
      </section>
      {!blocked && (
        <details data-test="forgot">
          <summary>{t('forgot.heading')}</summary>
          <div class="near">
            <p>{t('forgot.text')}</p>
            <button class="button bad" onClick={linkAgain} data-test="link-again">
              {t('button.link_again')}
            </button>
          </div>
        </details>
      )}
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
  useEffect(() => void import('./notifications.tsx').then(setLoaded, () => undefined), []);
  return loaded && <loaded.Notifications {...props} />;
}

type RequestProps = { action: PendingAction; texts: Texts; open: (id: string) => void; under?: boolean };

function Request({ action, texts: { t, language }, open, under = false }: RequestProps) {
  const Title = under ? 'h3' : 'h2';
  const { partner } = action;
  const name = partner && partnerName(partner, language);
  return (
    <section class="card waiting" data-rings={rings(action)} data-muted={action.muted ?? false}>
      <Title>{t('home.request', { time: timeOfDay(language, action.created_at) })}</Title>
      {name && (
        <p class="soft">
          {name} · {action.browser}
          {action.muted && ` · ${t('home.request.muted')}`}
        </p>
      )}
      <button
        class={rings(action) ? 'button main' : 'button'}
        onClick={() => open(action.id)}
        data-test="open-action"
        data-action={action.id}
      >
        {t('button.look')} <Icon name="arrow" />
      </button>
    </section>
  );
}
