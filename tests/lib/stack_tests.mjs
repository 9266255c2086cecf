// What a file of tests over the whole stack stands on: it is there before the first test, and nothing of it after the last one.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import * as journey from '../../web/demo/journey.mjs';
import { startTestStack } from '../../web/demo/stack.mjs';

/** Closes what was opened, the latest first, all of it whatever fails on the way. */
async function closeAll(opened) {
  const failures = [];
  for (const close of opened.splice(0).reverse())
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  if (failures.length) throw failures[0];
}

/**
 * Starts a stack before the first test, and calls `begin({ stack })` with it. `settings`: what startTestStack takes, or an async function that gives it.
 * Gives { atEnd(close) }: `close` is called after the last test, before what was there earlier is closed.
 */
export function useStack(begin, settings = {}) {
  const opened = [];
  const atEnd = (close) => opened.push(close);
  before(async () => {
    const stack = await startTestStack(typeof settings === 'function' ? await settings() : settings);
    atEnd(() => stack.stop());
    await begin({ stack });
  });
  after(() => closeAll(opened));
  return { atEnd };
}

/**
 * The same with a browser: `begin({ stack, browser })`. After each test its pages are closed, and none of them may have had `troubles` (web/demo/journey.mjs).
 * Gives besides:
 *   computer(options), phone(options)  a new page in a browser of its own, for the test that runs
 *   tabOf(page)                        another tab of its browser
 *   pages                              those of the test that runs
 *   atEndOfTest(close)                 `close` is called after the test that runs
 */
export function useStackAndBrowser(begin, settings = {}) {
  let browser;
  const { atEnd } = useStack(async ({ stack }) => {
    browser = await journey.launch();
    atEnd(() => browser.close());
    await begin({ stack, browser });
  }, settings);

  const pages = [];
  const ofTest = [];
  const atEndOfTest = (close) => ofTest.push(close);
  afterEach(async () => {
    const troubles = pages.splice(0).flatMap((page) => page.troubles);
    await closeAll(ofTest);
    assert.deepEqual(troubles, [], 'no script error, no refused policy and no request to anybody else on any page');
  });

  const opened = async (opening) => {
    const page = await opening;
    pages.push(page);
    const context = page.context();
    atEndOfTest(() => context.close());
    return page;
  };
  const tabOf = async (page) => {
    const tab = journey.watched(await page.context().newPage());
    tab.setDefaultTimeout(30_000);
    pages.push(tab);
    atEndOfTest(() => tab.close());
    return tab;
  };
  const computer = (options) => opened(journey.openComputer(browser, options));
  const phone = (options) => opened(journey.openPhone(browser, options));
  return { computer, phone, tabOf, pages, atEnd, atEndOfTest };
}
