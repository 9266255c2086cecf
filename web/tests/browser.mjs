// One Chromium for a test file, pages under the real Content Security Policy, and what every screen must pass.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { watched } from '../demo/journey.mjs';

export { launch } from '../demo/journey.mjs';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const computer = { viewport: { width: 1280, height: 860 }, locale: 'fr-BE' };
export const phone = {
  viewport: { width: 390, height: 800 },
  locale: 'fr-BE',
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
};

/** A page that fails its test on any script error, refused policy or broken request. */
export async function open(browser, options = computer) {
  const context = await browser.newContext(options);
  const page = watched(await context.newPage());
  page.setDefaultTimeout(15_000);
  return page;
}

export function calm(page) {
  assert.deepEqual(page.troubles, []);
}

const everything = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What a look can change beside the rules that the first one has passed. */
const looks = {
  light: { rules: ['color-contrast'], setUp: (page) => page.emulateMedia({ colorScheme: 'light' }) },
  dark: {
    rules: ['color-contrast', 'link-in-text-block'],
    setUp: (page) => page.emulateMedia({ colorScheme: 'dark' }),
  },
  narrow: {
    rules: ['target-size', 'scrollable-region-focusable'],
    setUp: async (page) => {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 320, height: 640 });
    },
  },
};

/** axe over the screen: all its rules in the first look, in the others those that it can break; no sideways scroll at 320 px. */
export async function accessible(page, name, wanted = ['light', 'dark', 'narrow']) {
  const before = page.viewportSize();
  await page.evaluate(axe);
  for (const [i, look] of wanted.entries()) {
    await looks[look].setUp(page);
    const runOnly = i === 0 ? { type: 'tag', values: everything } : { type: 'rule', values: looks[look].rules };
    const violations = await page.evaluate(async (runOnly) => {
      const result = await globalThis.axe.run(document, { runOnly, resultTypes: ['violations'] });
      return result.violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`,
      );
    }, runOnly);
    assert.deepEqual(violations, [], `${name}, ${look}`);
    if (look === 'narrow')
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollWidth <= 320),
        `${name} scrolls sideways at 320 px`,
      );
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(before);
}
