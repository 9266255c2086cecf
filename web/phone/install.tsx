// Installing: a button where the browser offers it, steps to follow on iPhone and iPad.

import { useEffect, useState } from 'preact/hooks';
import { Heading, Icon } from '../shared/ui.tsx';
import type { Texts } from './texts.ts';

type InstallPrompt = Event & { prompt(): Promise<void> };

let prompt: InstallPrompt | null = null;
const changed = new EventTarget();

window.addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  prompt = event as InstallPrompt;
  changed.dispatchEvent(new Event('change'));
});
window.addEventListener('appinstalled', () => {
  prompt = null;
  changed.dispatchEvent(new Event('change'));
});

/** Safari on iPhone and iPad outside the home screen: what is kept there is lost after some days. */
export function mustInstallFirst(): boolean {
  return (navigator as { standalone?: boolean }).standalone === false;
}

export function InstallHint({ texts: { t } }: { texts: Texts }) {
  const [offer, setOffer] = useState(prompt);
  useEffect(() => {
    const look = () => setOffer(prompt);
    changed.addEventListener('change', look);
    return () => changed.removeEventListener('change', look);
  }, []);
  if (!offer) return null;
  return (
    <section class="card" data-test="install">
      <div class="near">
        <h2>{t('install.heading')}</h2>
        <p class="soft">{t('install.text')}</p>
      </div>
      <button class="button" onClick={() => void offer.prompt()}>
        <Icon name="download" /> {t('button.install')}
      </button>
    </section>
  );
}

export function InstallFirst({ texts: { t } }: { texts: Texts }) {
  return (
    <>
      <Heading quiet>{t('install.ios.heading')}</Heading>
      <p class="lead">{t('install.ios.why')}</p>
      <section class="card" data-test="install-first">
        <ol class="steps-list">
          <li>
            {t('install.ios.share')} <Icon name="share" />
          </li>
          <li>
            {t('install.ios.add')} <Icon name="plus" />
          </li>
          <li>{t('install.ios.open')}</li>
        </ol>
      </section>
    </>
  );
}
