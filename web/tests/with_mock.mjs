// What a file of tests against the mock stands on: a browser for the file, and for each test a page in it.

import { after, afterEach, before, beforeEach } from 'node:test';
import { Mock } from '../dev/mock.ts';
import { launch, open } from './browser.mjs';

/**
 * Calls `begin({ browser, mock, page })` before each test, with a page that `open` gave. `lasts`: whether the mock (dev/mock.ts) is there for one 'test' or
 * for the 'file'. After each test its page is closed; after the last one nothing is left.
 */
export function useMock({ lasts, page: options }, begin) {
  let browser, mock, page;
  const start = async () => (mock = await Mock.start());
  const stop = () => mock?.stop();
  before(async () => {
    browser = await launch();
    if (lasts === 'file') await start();
  });
  after(async () => {
    await browser?.close();
    if (lasts === 'file') await stop();
  });
  beforeEach(async () => {
    if (lasts === 'test') await start();
    page = await open(browser, options);
    await begin({ browser, mock, page });
  });
  afterEach(async () => {
    await page.context().close();
    if (lasts === 'test') await stop();
  });
}
