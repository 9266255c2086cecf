// The enrolment page on the computer (A1 to A4). The server's state decides the step; a reload comes back to it (A3).

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { failureOf, get, post, unreachable, type Failure } from '../../shared/api.ts';
import { fetchStream, keepOpen } from '../../shared/events.ts';
import { isLanguage, translator, type Language } from '../../shared/language.ts';
import { showTestBanner, testBanner } from '../../shared/site.ts';
import { FailureNotice, Heading, Icon } from '../../shared/ui.tsx';
import { Form } from './form.tsx';
import { placeOf, readState, type Page, type State } from './state.ts';
import { Steps, type Verb } from './steps.tsx';
import { loadCommon, loadEnrol, type EnrolTranslate, type Texts } from './texts.ts';

function StepList({ place, t }: { place: number; t: EnrolTranslate }) {
  const names = [t('steps.number'), t('steps.card'), t('steps.contract'), t('steps.phone')];
  return (
    <ol class="progress-steps" aria-label={t('steps.label')}>
      {names.map((name, i) => (
        <li key={name} class={i < place ? 'is-done' : ''} aria-current={i === place ? 'step' : undefined}>
          {i < place ? <Icon name="check" /> : <span aria-hidden="true">{i + 1}</span>} {name}
          {i < place && <span class="visually-hidden"> ({t('steps.done')})</span>}
        </li>
      ))}
    </ol>
  );
}

function App({ texts }: { texts: Texts }) {
  const { t, c, language } = texts;
  const [page, setPage] = useState<Page>({ at: 'loading' });
  const [busy, setBusy] = useState(false);

  const show = (content: unknown, failure?: Failure) => {
    const state = readState(content);
    if (!state) return setPage({ at: 'unreachable', failure: unreachable });
    if (state.test_pki) testBanner(c('test_banner'));
    setPage({ at: 'enrolment', state, ...(failure ? { failure } : {}) });
  };

  const load = async () => {
    const result = await get<unknown>('/enrolment', language);
    if (result.ok) show(result.value);
    else if (result.failure.outcome === 'enrolment_unknown') setPage({ at: 'form' });
    else if (result.failure.outcome === 'enrolment_expired') setPage({ at: 'form', failure: result.failure });
    else setPage({ at: 'unreachable', failure: result.failure });
  };

  useEffect(() => void load(), []);

  // One stream for as long as an enrolment is under way.
  const following =
    page.at === 'enrolment' && page.state.step !== 'ended' && !(page.state.step === 'done' && !page.state.can_undo);
  useEffect(() => {
    if (!following) return;
    const stream = fetchStream('/enrolment/events', async () => ({ 'Accept-Language': language }));
    const close = keepOpen(stream, (name, data) => {
      const content: unknown = JSON.parse(data);
      if (name === 'state') show(content);
      if ((name === 'refused' || name === 'failure') && failureOf(content).outcome.startsWith('enrolment_')) {
        close();
        setPage({ at: 'form', failure: failureOf(content) });
      }
    });
    return close;
  }, [following]);

  const act = async (verb: Verb) => {
    if (busy || page.at !== 'enrolment') return;
    setBusy(true);
    const result = await post<unknown>(`/enrolment/${verb}`, {}, language);
    setBusy(false);
    if (result.ok) return readState(result.value) ? show(result.value) : load();
    const { outcome } = result.failure;
    if (outcome === 'enrolment_unknown' || outcome === 'enrolment_expired')
      return setPage({ at: 'form', failure: result.failure });
    // The step is another one by now (another tab, the phone): show where the enrolment is, and say so.
    if (outcome === 'enrolment_step_wrong') {
      const now = await get<unknown>('/enrolment', language);
      if (now.ok) return show(now.value, result.failure);
    }
    setPage({ ...page, failure: result.failure });
  };

  switch (page.at) {
    case 'loading':
      return <Waiting texts={texts} />;
    case 'unreachable':
      return (
        <>
          <Heading>{t('heading')}</Heading>
          <FailureNotice failure={page.failure} language={language} c={c} />
          <div>
            <button class="button main" onClick={load} data-test="retry">
              {c('button.retry')}
            </button>
          </div>
        </>
      );
    case 'form':
      return (
        <>
          <StepList place={0} t={t} />
          <Form
            texts={texts}
            {...(page.failure ? { failure: page.failure } : {})}
            begun={show as (state: State) => void}
          />
          <p class="soft never-ask">
            <Icon name="info" /> {t('never_ask')}
          </p>
        </>
      );
    case 'enrolment':
      return (
        <>
          {page.state.step !== 'ended' && <StepList place={placeOf(page.state.step)} t={t} />}
          <Steps
            key={page.state.step}
            state={page.state}
            texts={texts}
            busy={busy}
            failure={page.failure}
            act={act}
            restart={() => setPage({ at: 'form' })}
            shown={show}
          />
        </>
      );
  }
}

function Waiting({ texts: { t, c } }: { texts: Texts }) {
  return (
    <>
      <h1>{t('heading')}</h1>
      <p class="row" role="status">
        <span class="spinner" /> {c('loading')}
      </p>
    </>
  );
}

const fromPath = location.pathname.split('/')[1];
const language: Language = isLanguage(fromPath) ? fromPath : 'fr';
const [common, enrol] = await Promise.all([loadCommon[language](), loadEnrol[language]()]);
const texts: Texts = { language, c: translator(language, common.default), t: translator(language, enrol.default) };
const main = document.querySelector('main')!;
main.replaceChildren();
main.dataset['ready'] = '';
render(<App texts={texts} />, main);
void showTestBanner(texts.c('test_banner'));
