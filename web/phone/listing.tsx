// What history and consents have in common.

import type { ComponentChildren } from 'preact';
import type { Failure } from '../shared/api.ts';
import { Busy, FailureNotice, Heading } from '../shared/ui.tsx';
import type { Texts } from './texts.ts';

type ListingProps = {
  texts: Texts;
  heading: string;
  failure: Failure | null;
  busy: boolean;
  retry: () => void;
  close: () => void;
  /** One more button, beside the way back. */
  more?: ComponentChildren;
  children: ComponentChildren;
};

/** A screen that shows what the server keeps, and the ways on from it. */
export function Listing({ texts: { c, language }, heading, failure, busy, retry, close, more, children }: ListingProps) {
  return (
    <>
      <Heading>{heading}</Heading>
      {failure && <FailureNotice failure={failure} language={language} c={c} />}
      {children}
      {busy && <Busy text={c('loading')} />}
      <div class="row">
        {failure && (
          <button class="button main" onClick={retry} data-test="retry">
            {c('button.retry')}
          </button>
        )}
        {more}
        <button class="button" onClick={close} data-test="to-home">
          {c('button.back')}
        </button>
      </div>
    </>
  );
}
