// D4: which data the holder shares with whom, and how it ends.

import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { dayOf } from '../shared/language.ts';
import { Icon } from '../shared/ui.tsx';
import { claimText } from './claims.ts';
import type { HistoryProps } from './history.tsx';
import { Listing } from './listing.tsx';
import { partnerName } from './parts.tsx';
import { endsTheLink, type Consent } from './server.ts';

export function Consents({ texts, server, close, unlinked }: HistoryProps) {
  const { t, c, language } = texts;
  const [consents, setConsents] = useState<Consent[] | null>(null);
  const [asking, setAsking] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const list = new Intl.ListFormat(language);
  const names = (claims: string[]) => list.format(claims.map((claim) => claimText(claim, texts)));

  const failed = (why: Failure) => (endsTheLink(why) ? unlinked(why) : setFailure(why));
  const fetchAll = async () => {
    setFailure(null);
    const result = await server.consents();
    if (result.ok) setConsents(result.value.consents);
    else failed(result.failure);
  };
  useEffect(() => void fetchAll(), []);

  const withdraw = async (client: string) => {
    setAsking('');
    const result = await server.withdraw(client);
    if (result.ok) await fetchAll();
    else failed(result.failure);
  };

  return (
    <Listing
      texts={texts}
      heading={t('consents.heading')}
      failure={failure}
      busy={!consents && !failure}
      retry={fetchAll}
      close={close}
    >
      <p class="lead">{t('consents.lead')}</p>
      <div role="status" data-test="consents" data-count={consents?.length ?? ''}>
        {consents?.length === 0 && <p>{t('consents.none')}</p>}
      </div>
      {consents?.map(({ client, partner, shared, kept_back, since }) => (
        <section class="card" key={client} data-test="consent-of" data-domain={partner.domain}>
          <h2>
            {partnerName(partner, language)} <span class="mono soft">{partner.domain}</span>
          </h2>
          <p class="soft">
            <Icon name="clock" /> {t('consents.since', { date: dayOf(language, since) })}
          </p>
          <p>
            {t('history.shared')} {shared.length > 0 ? names(shared) : t('ask.data.none')}
          </p>
          {kept_back.length > 0 && (
            <p>
              {t('consents.kept_back')} {names(kept_back)}
            </p>
          )}
          {asking === client ? (
            <div class="near">
              <p>{t('consents.withdraw.text')}</p>
              <button class="button bad" onClick={() => void withdraw(client)} data-test="withdraw-yes">
                {t('consents.withdraw')}
              </button>
              <button class="button" onClick={() => setAsking('')}>
                {c('button.back')}
              </button>
            </div>
          ) : (
            <button class="button" onClick={() => setAsking(client)} data-test="withdraw">
              {t('consents.withdraw')}
            </button>
          )}
        </section>
      ))}
    </Listing>
  );
}
