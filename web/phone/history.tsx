// F3: what happened on this account, newest first. Nothing is shown before the phone has checked that it is in the log.

import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { momentOf, type KeyOf } from '../shared/language.ts';
import { checkHistory, readHead, type Doubt, type HistoryEntry } from '../shared/log-proof.ts';
import { Icon, Notice } from '../shared/ui.tsx';
import type phoneTexts from '../texts/fr/phone.json';
import { claimText } from './claims.ts';
import { Listing } from './listing.tsx';
import { partnerName } from './parts.tsx';
import { endsTheLink, type Server } from './server.ts';
import { load, save } from './store.ts';
import type { Texts } from './texts.ts';

export type HistoryProps = {
  texts: Texts;
  server: Server;
  close: () => void;
  unlinked: (failure: Failure) => void;
};

type Loaded = { entries: HistoryEntry[]; more: boolean; size: number };

export function History({ texts, server, close, unlinked }: HistoryProps) {
  const { t } = texts;
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [doubt, setDoubt] = useState<Doubt | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(true);

  const fetchMore = async () => {
    setBusy(true);
    setFailure(null);
    const before = loaded?.entries.at(-1)?.sequence ?? 0;
    const known = await load('log');
    const head = known && (await readHead(known.head, known.key));
    const result = await server.history(before, head?.size ?? 0);
    setBusy(false);
    if (!result.ok) return endsTheLink(result.failure) ? unlinked(result.failure) : setFailure(result.failure);
    const checked = await checkHistory(result.value, known);
    if (typeof checked === 'string') return setDoubt(checked);
    await save({ log: checked.known });
    setLoaded({
      entries: [...(loaded?.entries ?? []), ...checked.entries],
      more: result.value.more,
      size: checked.size,
    });
  };

  useEffect(() => void fetchMore(), []);

  const older = loaded?.more && !busy && !doubt && !failure && (
    <button class="button" onClick={fetchMore} data-test="history-more">
      {t('history.more')}
    </button>
  );
  return (
    <Listing
      texts={texts}
      heading={t('history.heading')}
      failure={failure}
      busy={busy}
      retry={fetchMore}
      close={close}
      more={older}
    >
      {doubt && (
        <Notice kind="bad" role="alert" data-test="history-doubt" data-doubt={doubt}>
          <p>
            <strong>{t('history.doubt')}</strong>
          </p>
          <p>{t('history.doubt.text')}</p>
        </Notice>
      )}
      {loaded && !doubt && (
        <>
          <p class="soft" role="status" data-test="history-proven" data-size={loaded.size}>
            <Icon name="check" /> {t('history.proven')}
          </p>
          <ol class="history" data-test="history">
            {loaded.entries.map((entry) => (
              <Entry key={entry.sequence} entry={entry} texts={texts} />
            ))}
          </ol>
        </>
      )}
    </Listing>
  );
}

type EventKey = Extract<KeyOf<typeof phoneTexts>, `event.${string}`>;

const events: Record<EventKey, true> = {
  'event.enrolled': true,
  'event.moved': true,
  'event.number_lost': true,
  'event.bank_spoke': true,
  'event.approved': true,
  'event.confirmed': true,
  'event.refused': true,
  'event.refused_not_me': true,
  'event.symbol_wrong': true,
  'event.code_wrong': true,
  'event.blocked': true,
  'event.deactivated': true,
  'event.clone_suspected': true,
  'event.passkey_on': true,
  'event.passkey_off': true,
  'event.passkey_clone_suspected': true,
  'event.consent_withdrawn': true,
  'event.expired': true,
  'event.cancelled': true,
  'event.ended': true,
};

function eventText({ kind, detail }: HistoryEntry, { t }: Texts): string {
  const key = kind === 'refused' && detail.reason === 'not_me' ? 'event.refused_not_me' : `event.${kind}`;
  return key in events ? t(key as EventKey) : kind;
}

function Entry({ entry, texts }: { entry: HistoryEntry; texts: Texts }) {
  const { t, language } = texts;
  const { partner, browser, claims } = entry.detail;
  const name = partner && partnerName(partner, language);
  return (
    <li class="card" data-test="history-entry" data-kind={entry.kind}>
      <p>
        <strong>{eventText(entry, texts)}</strong>
        {name && (
          <>
            {' '}
            · {name} <span class="mono soft">{partner.domain}</span>
          </>
        )}
      </p>
      <p class="soft">
        <Icon name="clock" /> {momentOf(language, entry.at)}
        {browser && (
          <>
            <br />
            <Icon name="computer" /> {browser}
          </>
        )}
      </p>
      {claims && (
        <p>
          {claims.length === 0
            ? t('ask.data.none')
            : `${t('history.shared')} ${new Intl.ListFormat(language).format(claims.map((claim) => claimText(claim, texts)))}`}
        </p>
      )}
    </li>
  );
}
