// The offer of the fingerprint, at the link and in the settings.

import type { ComponentChildren } from 'preact';
import { Heading, Icon } from '../shared/ui.tsx';
import { DeclinedNotice } from './parts.tsx';
import type { Texts } from './texts.ts';

type FingerprintOfferProps = {
  texts: Texts;
  heading: string;
  /** The holder or the phone did not want it just now. */
  declined: boolean;
  turnOn: () => void;
  /** The button that leaves it off. */
  children: ComponentChildren;
};

export function FingerprintOffer({ texts: { t }, heading, declined, turnOn, children }: FingerprintOfferProps) {
  return (
    <>
      <Heading>{heading}</Heading>
      <p class="lead">{t('fingerprint.lead')}</p>
      <p>{t('fingerprint.mine')}</p>
      {declined && <DeclinedNotice text={t('fingerprint.declined')} />}
      <button class="button main" onClick={turnOn} data-test="fingerprint-on">
        <Icon name="lock" /> {t('button.fingerprint_on')}
      </button>
      {children}
    </>
  );
}
