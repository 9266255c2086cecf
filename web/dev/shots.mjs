// Pictures of every screen, and a page that shows them all: `web/shots` says how it is called.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from '../demo/journey.mjs';
import { parts, startScreens, walk } from './screens.mjs';

const languages = ['fr', 'nl', 'de', 'en'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { languages: { type: 'string', default: languages.join() }, only: { type: 'string', default: parts.join() } },
});
const list = (text, known) =>
  text.split(',').map((word) => {
    if (!known.includes(word)) throw new Error(`${word} is none of ${known.join(', ')}`);
    return word;
  });
const folder = resolve(positionals[0] ?? new URL('../shots.out', import.meta.url).pathname);
const spoken = list(values.languages, languages);
const only = list(values.only, parts);

const small = { width: 360, height: 740 };
const large = { width: 1280, height: 860 };
const tallest = 4000; // of the help page, its beginning
const looks = {
  app: [
    { name: '360-light', size: small, colorScheme: 'light' },
    { name: '360-dark', size: small, colorScheme: 'dark' },
  ],
  page: [
    { name: '360-light', size: small, colorScheme: 'light' },
    { name: '360-dark', size: small, colorScheme: 'dark' },
    { name: '1280-light', size: large, colorScheme: 'light' },
    { name: '1280-dark', size: large, colorScheme: 'dark' },
  ],
};

const taken = new Map(); // name → the looks that it has
const take = (language) => async (page, name, where) => {
  const before = page.viewportSize();
  for (const { name: look, size, colorScheme } of looks[where]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    // As tall as the page is: what sticks to the edge of a window then lies over nothing.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    if (height > size.height) await page.setViewportSize({ ...size, height: Math.min(height, tallest) });
    await page.screenshot({ path: join(folder, `${name}.${look}.${language}.png`), animations: 'disabled', timeout: 60_000 });
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(before);
  taken.set(name, looks[where].map((look) => look.name));
};

/** One row a screen and a look: the languages beside each other. */
function contactSheet() {
  const figure = (name, look) => (language) =>
    `<figure><a href="${name}.${look}.${language}.png"><img loading="lazy" src="${name}.${look}.${language}.png" alt="${name}, ${look}, ${language}"></a><figcaption>${language}</figcaption></figure>`;
  const rows = [...taken].map(([name, shown]) =>
    `<section id="${name}"><h2>${name}</h2>${shown.map((look) => `<div><h3>${look}</h3>${spoken.map(figure(name, look)).join('')}</div>`).join('')}</section>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Every screen</title>
<style>
body{font:1rem/1.4 system-ui,sans-serif;margin:1rem;background:#ddd}h2{margin:2rem 0 .5rem}h3{font-size:.9rem;font-weight:400;margin:.5rem 0;flex:0 0 100%}
div{display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start}figure{margin:0}img{width:20rem;display:block;border:1px solid #999}nav a{margin-right:.75rem}
</style>
<h1>${taken.size} screens</h1><nav>${[...taken.keys()].map((name) => `<a href="#${name}">${name}</a>`).join(' ')}</nav>
${rows.join('\n')}
</html>
`;
}

await mkdir(folder, { recursive: true });
for (const file of await readdir(folder)) if (/\.\d+-(light|dark)\.\w\w\.png$/.test(file)) await rm(join(folder, file));
const browser = await launch();
let screens;
try {
  screens = await startScreens(browser, { only });
  for (const language of spoken) {
    const begun = Date.now();
    await walk(screens, language, take(language));
    console.log(`${language}: ${taken.size} screens, ${Math.round((Date.now() - begun) / 1000)} s`);
  }
  await writeFile(join(folder, 'index.html'), contactSheet());
  console.log(join(folder, 'index.html'));
} finally {
  await screens?.stop();
  await browser.close();
}
