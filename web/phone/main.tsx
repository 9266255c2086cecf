// The phone app. What is kept decides what it is: a phone to be linked, one in the middle of it, or one that answers.

import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { failureOf, type Failure } from '../shared/api.ts';
import { keepOpen } from '../shared/events.ts';
import { isLanguage, preferredLanguage, type Language } from '../shared/language.ts';
import type { PageClaim } from '../shared/device-protocol.ts';
import { fetchSite, shortAddress, testBanner, type Site } from '../shared/site.ts';
import { FailureNotice, Heading, LanguageSwitch, Mark, Notice } from '../shared/ui.tsx';
import { Action } from './action.tsx';
import type { ClaimProps } from './claim.tsx';
import type { EnrolProps } from './enrol.tsx';
import type { FingerprintSettings } from './fingerprint-settings.tsx';
import type { HistoryProps } from './history.tsx';
import { Home } from './home.tsx';
import { clearNotifications, onNotified, takeNotified } from './notified.ts';
import { forgetOpenedClaim, openedClaim, takeOpenedClaim } from './opened-claim.ts';
import { scannedToken, takeScannedToken } from './scanned-token.ts';
import { endsTheLink, Server, type Me, type Pending, type PendingAction } from './server.ts';
import { load, save, type Device, type Enrolment } from './store.ts';
import { loadTexts, type Texts } from './texts.ts';
import { watchForUpdates } from './update.ts';

type Kept = { device: Device | null; enrolment: Enrolment | null };

function App({ first, kept }: { first: Texts; kept: Kept | null }) {
  const [texts, setTexts] = useState(first);
  const [device, setDevice] = useState(kept?.device ?? null);
  const [enrolment, setEnrolment] = useState(kept?.enrolment ?? null);
  const [gone, setGone] = useState<Failure | null>(null);
  const [site, setSite] = useState<Site | null>(null);
  const [takeUpdate, setTakeUpdate] = useState<(() => void) | null>(null);
  const { t, c, language } = texts;

  const speak = async (chosen: Language) => {
    await save({ language: chosen }).catch(() => undefined);
    const next = await loadTexts(chosen);
    document.documentElement.lang = chosen;
    setTexts(next);
  };

  useEffect(() => {
    void fetchSite().then(setSite);
    void watchForUpdates((take) => setTakeUpdate(() => take));
  }, []);
  useEffect(() => {
    if (!site?.test_pki) return;
    document.querySelector('.test-banner')?.remove();
    testBanner(c('test_banner'));
  }, [site, texts]);

  // The answer that names the copy and the end of the stream may come in any order: the more exact one stays.
  const end = (failure: Failure) =>
    setGone((told) => (told?.outcome === 'device_clone_suspected' ? told : failure));

  const linkAgain = async () => {
    await import('./push.ts').then(({ forget }) => forget()).catch(() => undefined);
    await save({ device: null, enrolment: null });
    setDevice(null);
    setEnrolment(null);
    setGone(null);
  };

  const screen = () => {
    if (!kept) return <NoStorage texts={texts} />;
    if (gone)
      return (
        <>
          <Heading>{t(isSuspended(gone) ? 'suspended.heading' : 'unlinked.heading')}</Heading>
          <FailureNotice failure={gone} language={language} c={c} />
          {isSuspended(gone) && (
            <div class="near" data-test="suspended">
              <p>{t('suspended.why')}</p>
              <p>{t('suspended.safe')}</p>
              {site?.id_url && (
                <p>
                  {t('welcome.address')} <strong class="mono">{shortAddress(site.id_url)}</strong>
                </p>
              )}
            </div>
          )}
          {gone.outcome !== 'account_deactivated' && (
            <button class="button main" onClick={linkAgain} data-test="link-again">
              {t('button.link_again')}
            </button>
          )}
        </>
      );
    if (device) return <Linked texts={texts} device={device} site={site} gone={end} />;
    return (
      <>
        {openedClaim() && (
          <Notice kind="info" data-test="not-linked-here">
            <p>
              <strong>{t('elsewhere.heading')}</strong>
            </p>
            <p>{t('elsewhere.text')}</p>
          </Notice>
        )}
        <EnrolLater
          texts={texts}
          kept={enrolment}
          failure={null}
          idUrl={site?.id_url ?? ''}
          speak={(chosen) => void speak(chosen)}
          linked={setDevice}
        />
      </>
    );
  };

  return (
    <>
      <a class="skip" href="#content">
        {c('skip')}
      </a>
      <header class="top">
        <span class="brand">
          <Mark />
          <span>Symbolon</span>
        </span>
        <LanguageSwitch current={language} label={c('language.label')} choose={(chosen) => void speak(chosen)} />
      </header>
      <main id="content">
        {takeUpdate && (
          <Notice kind="info" role="status" data-test="update">
            <p>{t('update.text')}</p>
            <div>
              <button class="button" onClick={takeUpdate}>
                {t('button.update')}
              </button>
            </div>
          </Notice>
        )}
        {screen()}
      </main>
    </>
  );
}

/** Two copies of this phone were seen. */
function isSuspended(failure: Failure): boolean {
  return failure.outcome === 'device_suspended' || failure.outcome === 'device_clone_suspected';
}

function NoStorage({ texts: { t, c } }: { texts: Texts }) {
  return (
    <>
      <Heading>{t('lost.heading')}</Heading>
      <Notice kind="bad" role="alert">
        <p>{t('lost.text')}</p>
      </Notice>
      <button class="button main" onClick={() => location.reload()}>
        {c('button.retry')}
      </button>
    </>
  );
}

/** A phone that is linked has no need of the steps to link it. */
function EnrolLater(props: EnrolProps) {
  const [loaded, setLoaded] = useState<{ Enrol: (props: EnrolProps) => JSX.Element } | null>(null);
  useEffect(() => void import('./enrol.tsx').then(setLoaded), []);
  return loaded ? <loaded.Enrol {...props} /> : <p>{props.texts.c('loading')}</p>;
}

/** Going to a page is loaded when it is asked for. */
function ClaimLater(props: ClaimProps) {
  const [loaded, setLoaded] = useState<{ ClaimPage: (props: ClaimProps) => JSX.Element } | null>(null);
  useEffect(() => void import('./claim.tsx').then(setLoaded), []);
  return loaded ? <loaded.ClaimPage {...props} /> : <p>{props.texts.c('loading')}</p>;
}

/** A screen that is loaded when it is asked for. */
function later(fetch: () => Promise<(props: HistoryProps) => JSX.Element>) {
  return (props: HistoryProps) => {
    const [loaded, setLoaded] = useState<{ Screen: (props: HistoryProps) => JSX.Element } | null>(null);
    useEffect(() => void fetch().then((Screen) => setLoaded({ Screen })), []);
    return loaded ? <loaded.Screen {...props} /> : <p>{props.texts.c('loading')}</p>;
  };
}

const History = later(async () => (await import('./history.tsx')).History);
const Consents = later(async () => (await import('./consents.tsx')).Consents);

type LinkedProps = { texts: Texts; device: Device; site: Site | null; gone: (failure: Failure) => void };

function Linked({ texts, device, site, gone }: LinkedProps) {
  const { language } = texts;
  const server = useMemo(() => new Server(device.keys, language), [device, language]);
  const [me, setMe] = useState<Me | null>(null);
  const [actions, setActions] = useState<PendingAction[] | null>(null);
  const [ahead, setAhead] = useState(0);
  const [online, setOnline] = useState(navigator.onLine);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [opened, setOpened] = useState(notified);
  const [screen, setScreen] = useState<'home' | 'history' | 'consents'>('home');
  const [Settings, setSettings] = useState<typeof FingerprintSettings | null>(null);
  const [passkey, setPasskey] = useState(device.passkey ?? null);
  const [visit, setVisit] = useState(0);
  const [claiming, setClaiming] = useState<PageClaim | 'scan' | 'type' | null>(openedClaim);
  const [mine, setMine] = useState<string | null>(null);
  const latest = useRef(0);

  const take = (failed: Failure) => {
    if (endsTheLink(failed)) gone(failed);
    else if (failed.outcome === 'unreachable') setOnline(false);
    else setFailure(failed);
  };

  // A tapped notification opens its request; whoever is answering another one goes on with that.
  useEffect(() => onNotified((action) => setOpened((now) => now ?? action)), []);

  const heard = (pending: Pending) => {
    setActions(pending.actions);
    if (pending.actions.length === 0) void clearNotifications().catch(() => undefined);
    setAhead(Math.round(pending.now - Date.now() / 1000));
    setOnline(true);
  };

  useEffect(() => {
    const mine = ++latest.current;
    void server.me().then((result) => {
      if (mine !== latest.current) return;
      if (!result.ok) return take(result.failure);
      setMe(result.value);
      setFailure(null);
    });
  }, [server, visit]);

  useEffect(() => {
    const close = keepOpen(
      server.events(),
      (name, data) => {
        const content: unknown = JSON.parse(data);
        if (name === 'pending') heard(content as Pending);
        // The sentence comes with the answer to the next request.
        if (name === 'ended') {
          close();
          setVisit((count) => count + 1);
        }
        if ((name === 'refused' || name === 'failure') && failureOf(content).outcome !== 'device_nonce_needed')
          take(failureOf(content));
      },
      setOnline,
    );
    const offline = () => setOnline(false);
    window.addEventListener('offline', offline);
    return () => {
      close();
      window.removeEventListener('offline', offline);
    };
  }, [server]);

  // Turned on or off in the settings; or turned off by the server, which saw a copy of it.
  useEffect(() => {
    if (Settings) return;
    void load('device').then((now) => setPasskey((me?.device.passkey !== false && now?.passkey) || null));
  }, [Settings, me]);

  if (Settings)
    return (
      <Settings
        texts={texts}
        server={server}
        isOn={!!passkey}
        close={() => {
          setSettings(null);
          setVisit((count) => count + 1);
        }}
        unlinked={gone}
      />
    );

  if (claiming)
    return (
      <ClaimLater
        texts={texts}
        server={server}
        first={claiming}
        claimed={(action) => {
          forgetOpenedClaim();
          setClaiming(null);
          setMine(action);
          setOpened(action);
        }}
        close={() => {
          forgetOpenedClaim();
          setClaiming(null);
        }}
        failed={(failed) => {
          if (endsTheLink(failed)) gone(failed);
          return endsTheLink(failed);
        }}
      />
    );
  const current = actions?.find((action) => action.id === opened);
  if (current && mine) setMine(null);
  if (opened)
    return (
      <Action
        key={opened}
        texts={texts}
        server={server}
        id={opened}
        did={device.keys.did}
        ahead={ahead}
        passkey={passkey}
        open={!online || !!current || mine === opened}
        elsewhere={!!current?.returned_elsewhere}
        close={() => {
          setOpened(null);
          setVisit((count) => count + 1);
        }}
        unlinked={gone}
      />
    );
  if (screen !== 'home') {
    const Shown = screen === 'history' ? History : Consents;
    return <Shown texts={texts} server={server} close={() => setScreen('home')} unlinked={gone} />;
  }
  return (
    <Home
      texts={texts}
      device={device}
      me={me}
      fingerprint={!!passkey}
      changeFingerprint={() =>
        // Seldom opened: loaded then, from what the worker keeps.
        void import('./fingerprint-settings.tsx').then((part) => setSettings(() => part.FingerprintSettings))
      }
      actions={actions}
      online={online}
      failure={failure}
      notice={scannedToken() ? texts.t('already_linked') : ''}
      server={server}
      helpUrl={site?.id_url ? `${site.id_url}/${language}/help/` : ''}
      open={setOpened}
      showHistory={() => setScreen('history')}
      showConsents={() => setScreen('consents')}
      claim={setClaiming}
    />
  );
}

takeScannedToken();
const notified = takeNotified();
takeOpenedClaim();
const kept: Kept | null = await Promise.all([load('device'), load('enrolment')]).then(
  ([device, enrolment]) => ({ device, enrolment }),
  () => null,
);
const chosen = await load('language').catch(() => null);
const language = isLanguage(chosen ?? undefined) ? (chosen as Language) : preferredLanguage(navigator.languages);
document.documentElement.lang = language;
const first = await loadTexts(language);
document.title = first.t('title');
const root = document.getElementById('app')!;
root.replaceChildren();
root.dataset['ready'] = '';
render(<App first={first} kept={kept} />, root);
