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
import { Home } from './home.tsx';
import { clearNotifications, onNotified, takeNotified } from './notified.ts';
import { forgetOpenedClaim, openedClaim, takeOpenedClaim } from './opened-claim.ts';
import { Unloaded } from './parts.tsx';
import { forgetWithReload, scannedToken, takeScannedToken } from './scanned-token.ts';
import { endsTheLink, rings, Server, type Me, type Pending, type PendingAction } from './server.ts';
import { load, save, type Device, type Enrolment } from './store.ts';
import { loadTexts, type Texts } from './texts.ts';
import { watchForUpdates } from './update.ts';

/** The request on the screen. `told`: since its end is shown there, when that was (by this phone) and what waited already. */
type Opened = { id: string; told: { at: number; waiting: string[] } | null };
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
          <Heading>{t(headingOf(gone))}</Heading>
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
          <button class="button main" onClick={linkAgain} data-test="link-again">
            {t('button.link_again')}
          </button>
        </>
      );
    if (device) return <Linked texts={texts} device={device} site={site} gone={end} linkAgain={linkAgain} />;
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
        <Enrol
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

function headingOf(failure: Failure) {
  if (isSuspended(failure)) return 'suspended.heading';
  if (failure.outcome === 'account_deactivated') return 'deactivated.heading';
  return failure.outcome === 'device_keys_gone' ? 'lost.heading' : 'unlinked.heading';
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

/** A screen that is loaded when it is shown. */
function later<Props extends { texts: Texts }>(fetch: () => Promise<(props: Props) => JSX.Element>) {
  return (props: Props) => {
    const [loaded, setLoaded] = useState<{ Screen: (props: Props) => JSX.Element } | null | 'failed'>(null);
    useEffect(() => {
      fetch().then(
        (Screen) => setLoaded({ Screen }),
        () => setLoaded('failed'),
      );
    }, []);
    if (loaded === 'failed') return <Unloaded texts={props.texts} />;
    return loaded ? <loaded.Screen {...props} /> : <p>{props.texts.c('loading')}</p>;
  };
}

const loadAction = async () => (await import('./action.tsx')).Action;
const Action = later(loadAction);
const ClaimPage = later(async () => (await import('./claim.tsx')).ClaimPage);
const Consents = later(async () => (await import('./consents.tsx')).Consents);
const Enrol = later(async () => (await import('./enrol.tsx')).Enrol);
const FingerprintSettings = later(async () => (await import('./fingerprint-settings.tsx')).FingerprintSettings);
const History = later(async () => (await import('./history.tsx')).History);

type LinkedProps = {
  texts: Texts;
  device: Device;
  site: Site | null;
  gone: (failure: Failure) => void;
  linkAgain: () => void;
};

function Linked({ texts, device, site, gone, linkAgain }: LinkedProps) {
  const { language } = texts;
  const server = useMemo(() => new Server(device.keys, language), [device, language]);
  const [me, setMe] = useState<Me | null>(null);
  const [actions, setActions] = useState<PendingAction[] | null>(null);
  const [online, setOnline] = useState(navigator.onLine);
  const [failure, setFailure] = useState<Failure | null>(null);
  /** Of the stream alone: it says by itself when it is over. */
  const [refused, setRefused] = useState<Failure | null>(null);
  const [opened, setOpened] = useState<Opened | null>(notified ? { id: notified, told: null } : null);
  const [screen, setScreen] = useState<'home' | 'history' | 'consents'>('home');
  const [changesFingerprint, setChangesFingerprint] = useState(false);
  const [passkey, setPasskey] = useState(device.passkey ?? null);
  const [visit, setVisit] = useState(0);
  const [claiming, setClaiming] = useState<PageClaim | 'scan' | 'type' | null>(openedClaim);
  const [mine, setMine] = useState<string | null>(null);
  const latest = useRef(0);

  const take = (failed: Failure, tell: (failed: Failure) => void) => {
    if (endsTheLink(failed)) gone(failed);
    else if (failed.outcome === 'unreachable') setOnline(false);
    else tell(failed);
  };

  // There before it is asked for.
  useEffect(() => void loadAction().catch(() => undefined), []);
  useEffect(() => {
    if (me) forgetWithReload();
  }, [me]);

  // A tapped notification opens its request; whoever is answering another one goes on with that.
  useEffect(
    () => onNotified((id) => setOpened((now) => (now && (!now.told || now.id === id) ? now : { id, told: null }))),
    [],
  );

  const open = (id: string) => setOpened({ id, told: null });

  const heard = (pending: Pending) => {
    const ahead = Math.round(pending.now - Date.now() / 1000);
    setActions(pending.actions);
    setOpened((now) => {
      const next = pending.actions.find((action) => rings(action) && now?.told && cameAfter(now, action, ahead));
      return next ? { id: next.id, told: null } : now;
    });
    if (pending.actions.length === 0) void clearNotifications().catch(() => undefined);
    setOnline(true);
    setRefused(null);
  };

  useEffect(() => {
    const mine = ++latest.current;
    void server.me().then((result) => {
      if (mine !== latest.current) return;
      if (!result.ok) return take(result.failure, setFailure);
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
          take(failureOf(content), setRefused);
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
    if (changesFingerprint) return;
    void load('device').then((now) => setPasskey((me?.device.passkey !== false && now?.passkey) || null));
  }, [changesFingerprint, me]);

  if (changesFingerprint)
    return (
      <FingerprintSettings
        texts={texts}
        server={server}
        isOn={!!passkey}
        close={() => {
          setChangesFingerprint(false);
          setVisit((count) => count + 1);
        }}
        unlinked={gone}
      />
    );

  if (claiming)
    return (
      <ClaimPage
        texts={texts}
        server={server}
        first={claiming}
        claimed={(action) => {
          forgetOpenedClaim();
          setClaiming(null);
          setMine(action);
          open(action);
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
  const current = actions?.find((action) => action.id === opened?.id);
  if (current && mine) setMine(null);
  if (opened) {
    const others = actions?.filter((action) => action !== current) ?? [];
    const next = others.find(rings);
    return (
      <Action
        key={opened.id}
        texts={texts}
        server={server}
        id={opened.id}
        did={device.keys.did}
        passkey={passkey}
        open={!online || !!current || mine === opened.id}
        elsewhere={!!current?.returned_elsewhere}
        next={next ? { waiting: others.length, open: () => open(next.id) } : null}
        tells={(end) => {
          const told = end ? { at: Date.now() / 1000, waiting: others.map(({ id }) => id) } : null;
          setOpened((now) => (now?.id === opened.id ? { id: now.id, told } : now));
        }}
        close={() => {
          setOpened(null);
          setVisit((count) => count + 1);
        }}
        unlinked={gone}
      />
    );
  }
  if (screen !== 'home') {
    const Shown = screen === 'history' ? History : Consents;
    return <Shown texts={texts} server={server} close={() => setScreen('home')} unlinked={gone} />;
  }
  return (
    <Home
      texts={texts}
      device={device}
      me={me}
      linkAgain={linkAgain}
      fingerprint={!!passkey}
      changeFingerprint={() => setChangesFingerprint(true)}
      actions={actions}
      online={online}
      failure={failure ?? refused}
      notice={scannedToken() ? texts.t('already_linked') : ''}
      server={server}
      helpUrl={site?.id_url ? `${site.id_url}/${language}/help/` : ''}
      open={open}
      showHistory={() => setScreen('history')}
      showConsents={() => setScreen('consents')}
      claim={setClaiming}
    />
  );
}

/** A result stays for whoever reads it: not what waited before makes place for itself, also where it is heard of later. */
function cameAfter({ id, told }: Opened, action: PendingAction, ahead: number): boolean {
  if (!told || action.id === id || told.waiting.includes(action.id)) return false;
  // The server counts whole seconds: what came in the same one is new.
  return action.created_at - ahead >= Math.floor(told.at) - 1;
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
