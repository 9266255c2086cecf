// The second way to use the card, for who has an account: the Web eID extension (docs/decisions/0016-web-eid.md).

import { useState } from 'preact/hooks';
import { post, type Failure } from '../../shared/api.ts';
import { FailureNotice, Icon, Notice } from '../../shared/ui.tsx';
import type { EnrolTranslate, Texts } from './texts.ts';
import { authenticate, computerAfter, errorOf, lookAtComputer, WebEidError } from './web-eid.ts';
import type { Computer, Part, PartState, WebEidCode } from './web-eid.ts';

type Doing =
  | { at: 'nothing' }
  | { at: 'looking' }
  | { at: 'card'; computer: Computer }
  | { at: 'sending' }
  | { at: 'failed'; code: WebEidCode; computer: Computer | null }
  | { at: 'refused'; failure: Failure };

const icons: Record<PartState, string> = { ready: 'check', missing: 'alert', old: 'alert', unknown: 'info' };

function errorText(t: EnrolTranslate, code: WebEidCode): string {
  return t(`web_eid.error.${code}`);
}

function partText(t: EnrolTranslate, name: 'extension' | 'app', { state, version = '' }: Part): string {
  const said = state === 'ready' && version ? 'ready_version' : state;
  return name === 'extension' ? t(`web_eid.extension.${said}`, { version }) : t(`web_eid.app.${said}`, { version });
}

/** Line by line: what this computer has. */
function Parts({ computer, t }: { computer: Computer; t: EnrolTranslate }) {
  return (
    <section aria-labelledby="web-eid-parts" class="near">
      <h3 id="web-eid-parts">{t('web_eid.parts')}</h3>
      <ul class="parts" data-test="web-eid-parts">
        {(['extension', 'app'] as const).map((name) => (
          <li key={name} class={computer[name].state} data-test={`web-eid-${name}`} data-state={computer[name].state}>
            <Icon name={icons[computer[name].state]} /> <span>{partText(t, name, computer[name])}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const working = (doing: Doing) => doing.at === 'looking' || doing.at === 'card' || doing.at === 'sending';

export function WebEid({ texts, shown }: { texts: Texts; shown: (content: unknown) => void }) {
  const { t, c, language } = texts;
  const [doing, setDoing] = useState<Doing>({ at: 'nothing' });

  const use = async () => {
    if (working(doing)) return;
    let computer: Computer | null = null;
    const refused = (failure: Failure) => setDoing({ at: 'refused', failure });
    setDoing({ at: 'looking' });
    try {
      computer = await lookAtComputer();
      const given = await post<{ nonce: string }>('/enrolment/web-eid/nonce', {}, language);
      if (!given.ok) return refused(given.failure);
      setDoing({ at: 'card', computer });
      const token = await authenticate(given.value.nonce, language);
      setDoing({ at: 'sending' });
      const judged = await post<unknown>('/enrolment/web-eid', { token }, language);
      if (!judged.ok) return refused(judged.failure);
      shown(judged.value);
    } catch (thrown) {
      const error = thrown instanceof WebEidError ? thrown : errorOf(thrown);
      setDoing({ at: 'failed', code: error.code, computer: computer ?? computerAfter(error) });
    }
  };

  const busy = working(doing);
  // What the server refuses is not for want of a part.
  const computer = doing.at === 'card' || doing.at === 'failed' ? doing.computer : null;
  const said = (): string => {
    switch (doing.at) {
      case 'looking':
        return t('web_eid.looking');
      case 'card':
        return t('web_eid.card');
      case 'sending':
        return t('progress.sending');
      default:
        return '';
    }
  };
  return (
    <section class="card" aria-labelledby="web-eid-heading" data-test="web-eid" data-at={doing.at}>
      <h2 id="web-eid-heading">{t('web_eid.heading')}</h2>
      <p>{t('web_eid.text')}</p>
      <div>
        <button class="button" onClick={use} aria-disabled={busy ? 'true' : undefined} data-test="use-web-eid">
          <Icon name="card" /> {t('button.web_eid')}
        </button>
      </div>
      <p role="status" class={busy ? 'row' : 'nothing-yet'}>
        {busy && <span class="spinner" />}
        {busy && <span>{said()}</span>}
      </p>
      {doing.at === 'failed' && (
        <Notice kind="bad" role="alert" data-test="web-eid-failure" data-code={doing.code}>
          <p>{errorText(t, doing.code)}</p>
        </Notice>
      )}
      {doing.at === 'refused' && (
        <>
          <FailureNotice failure={doing.failure} language={language} c={c} />
          {doing.failure.outcome !== 'unreachable' && (
            <p>
              <a href={`/${language}/help/#${doing.failure.outcome}`} target="_blank" rel="noopener">
                {c('more_help')}
              </a>
            </p>
          )}
        </>
      )}
      {computer && <Parts computer={computer} t={t} />}
      {(doing.at === 'failed' || doing.at === 'refused') && <p data-test="web-eid-other">{t('web_eid.otherwise')}</p>}
    </section>
  );
}
