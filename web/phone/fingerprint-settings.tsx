// The fingerprint in the settings: on with the passkey and the code, off with a tap.

import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { unb64 } from '../shared/bytes.ts';
import { makePasskeyOn, passkeyChallenge } from '../shared/device-protocol.ts';
import { Busy, FailureNotice, Heading, Notice } from '../shared/ui.tsx';
import { makePasskey, type NewPasskey } from './fingerprint.ts';
import { FingerprintOffer } from './fingerprint-offer.tsx';
import { Keypad } from './keypad.tsx';
import { keysGone, notKept, Unsent } from './parts.tsx';
import { alone, turnRatchet } from './ratchet.ts';
import { endsTheLink, type Server } from './server.ts';
import { load, save } from './store.ts';
import type { Texts } from './texts.ts';

type Page =
  | { at: 'opening' }
  | { at: 'offer'; challenge: string; declined: boolean }
  | { at: 'code'; challenge: string; made: NewPasskey }
  | { at: 'sending' }
  | { at: 'unsent'; challenge: string; made: NewPasskey; body: string; failure?: Failure }
  | { at: 'failed' }
  | { at: 'done' };

type Props = {
  texts: Texts;
  server: Server;
  isOn: boolean;
  close: () => void;
  unlinked: (failure: Failure) => void;
};

export function FingerprintSettings({ texts, server, isOn, close, unlinked }: Props) {
  const { t, c, language } = texts;
  const [page, setPage] = useState<Page>({ at: 'opening' });
  const [failure, setFailure] = useState<Failure | null>(null);
  const [on, setOn] = useState(isOn);

  const failed = (why: Failure) => {
    if (endsTheLink(why)) return unlinked(why);
    setFailure(why);
    setPage({ at: 'failed' });
  };

  // Asked before the tap that opens the phone's own dialog: browsers want no pause between the two.
  const open = async () => {
    setFailure(null);
    setPage({ at: 'opening' });
    const result = await server.openPasskey();
    if (!result.ok) return failed(result.failure);
    setPage({ at: 'offer', challenge: result.value.challenge, declined: false });
  };
  useEffect(() => {
    if (on) setPage({ at: 'done' });
    else void open();
  }, []);

  const notRead = () => failed(notKept(texts));

  const turnOn = async (challenge: string) => {
    const device = await load('device').catch(() => undefined);
    if (device === undefined) return notRead();
    if (!device) return unlinked(keysGone(texts));
    const { did } = device.keys;
    const made = await makePasskey(await passkeyChallenge(unb64(challenge)!, did), did, device.name);
    setPage(made ? { at: 'code', challenge, made } : { at: 'offer', challenge, declined: true });
  };

  const typed = (challenge: string, made: NewPasskey, code: string) =>
    alone(async () => {
      setFailure(null);
      setPage({ at: 'sending' });
      const device = await load('device');
      if (!device) return unlinked(keysGone(texts));
      const { keys, codeVersion, vaultKey, ratchet } = device;
      const on = await makePasskeyOn(keys, codeVersion, vaultKey, unb64(challenge)!, ratchet, made.passkey, code);
      await send(challenge, made, JSON.stringify(on));
    }).catch(() => {
      // Nothing was sent: the passkey that was made waits for the code once more.
      setFailure(notKept(texts));
      setPage({ at: 'code', challenge, made });
    });

  const send = async (challenge: string, made: NewPasskey, body: string) => {
    setPage({ at: 'sending' });
    const result = await server.turnPasskeyOn(body);
    if (result.ok) {
      // The same bytes bring the same answer, until its ratchet is used.
      try {
        await turnRatchet(body, result.value.ratchet, { passkey: made.id });
      } catch {
        return setPage({ at: 'unsent', challenge, made, body, failure: notKept(texts) });
      }
      setOn(true);
      return setPage({ at: 'done' });
    }
    if (result.failure.outcome === 'unreachable') return setPage({ at: 'unsent', challenge, made, body });
    if (!['code_wrong', 'vault_unreachable', 'conflict'].includes(result.failure.outcome)) return failed(result.failure);
    setFailure(result.failure);
    setPage({ at: 'code', challenge, made });
  };

  const turnOff = async () => {
    setFailure(null);
    setPage({ at: 'sending' });
    const result = await server.turnPasskeyOff();
    if (!result.ok) return failed(result.failure);
    await alone(async () => {
      const device = await load('device');
      if (device) await save({ device: { ...device, passkey: null } });
      setOn(false);
      setPage({ at: 'done' });
    }).catch(notRead);
  };

  const back = (
    <button class="button" onClick={close} data-test="back">
      {c('button.back')}
    </button>
  );
  const told = failure && <FailureNotice failure={failure} language={language} c={c} />;
  switch (page.at) {
    case 'opening':
    case 'sending':
      return (
        <>
          <Heading>{t('fingerprint.heading')}</Heading>
          <Busy text={c('loading')} />
        </>
      );
    case 'failed':
      return (
        <>
          <Heading>{t('fingerprint.heading')}</Heading>
          {told}
          <div class="row">
            <button class="button main" onClick={on ? turnOff : open} data-test="retry">
              {c('button.retry')}
            </button>
            {back}
          </div>
        </>
      );
    case 'offer':
      return (
        <FingerprintOffer
          texts={texts}
          heading={t('fingerprint.heading')}
          declined={page.declined}
          turnOn={() => turnOn(page.challenge)}
        >
          {back}
        </FingerprintOffer>
      );
    case 'code':
      return (
        <>
          <Heading>{t('enter.heading')}</Heading>
          <p class="lead">{t('fingerprint.code')}</p>
          {told}
          <Keypad texts={texts} typed={(code) => typed(page.challenge, page.made, code)} />
          {back}
        </>
      );
    case 'unsent':
      return (
        <Unsent
          texts={texts}
          failure={page.failure}
          again={() => alone(() => send(page.challenge, page.made, page.body))}
        />
      );
    case 'done':
      return (
        <>
          <Heading>{t('fingerprint.heading')}</Heading>
          <Notice kind={on ? 'ok' : 'info'} role="status" data-test="fingerprint" data-state={on ? 'on' : 'off'}>
            <p>{t(on ? 'fingerprint.is_on' : 'fingerprint.is_off')}</p>
          </Notice>
          {on && (
            <button class="button" onClick={turnOff} data-test="fingerprint-off">
              {t('button.fingerprint_off')}
            </button>
          )}
          <button class="button main" onClick={close} data-test="to-home">
            {t('button.home')}
          </button>
        </>
      );
  }
}
