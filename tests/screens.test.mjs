// Every screen there is: usable by everybody, and pictured by `web/shots` in the four languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launch, open } from '../web/demo/journey.mjs';
import { parts, startScreens, walk } from '../web/dev/screens.mjs';
import { accessible } from '../web/tests/browser.mjs';

const execute = promisify(execFile);
let browser, screens;

before(async () => {
  browser = await launch();
  screens = await startScreens(browser);
});
after(async () => {
  await screens?.stop();
  await browser?.close();
});

/** What a browser without scripts shows, in one where axe can run. */
async function withScripts(page) {
  const html = (await page.content()).replaceAll(/<script[^]*?<\/script>|<meta http-equiv[^>]*>/g, '').replaceAll(/(<\/?)noscript/g, '$1div');
  const twin = await open(browser, { viewport: page.viewportSize() });
  await twin.route(page.url(), (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await twin.goto(page.url());
  return twin;
}

/** Walks over parts of the screens and looks at each. Gives how many there were. */
async function lookAt(language, parts, looks) {
  const shown = new Set();
  const troubles = [];
  await walk({ ...screens, only: parts }, language, async (page, name) => {
    assert.ok(!shown.has(name), `${name} is shown twice`);
    shown.add(name);
    assert.equal(await page.getAttribute('html', 'lang'), language, name);
    const looked = page.withoutScript ? await withScripts(page) : page;
    await accessible(looked, `${name}-${language}`, looks).catch((error) => troubles.push(error.message));
    if (looked !== page) await looked.context().close();
    assert.deepEqual(page.troubles ?? [], [], name);
  });
  assert.deepEqual(troubles, []);
  return shown.size;
}

for (const part of parts) {
  test(`F5_axe_finds_nothing_on_the_screens_of_${part}_light_dark_and_at_320_pixels`, async () => {
    assert.ok((await lookAt('fr', [part], ['light', 'dark', 'narrow'])) > 1);
  });
  // Colours are the same in each language, the length of words is not (./test --every-language).
  for (const language of process.env.SYMBOLON_EVERY_LANGUAGE ? ['nl', 'de', 'en'] : [])
    test(`F5_axe_finds_nothing_on_the_screens_of_${part}_in_${language}_at_320_pixels`, async () => {
      assert.ok((await lookAt(language, [part], ['narrow'])) > 1);
    });
}

test('the_pictures_of_all_screens_are_taken_by_one_command_with_a_page_that_shows_them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'symbolon-shots-'));
  try {
    const command = fileURLToPath(new URL('../web/shots', import.meta.url));
    await execute(command, [folder, '--languages', 'nl,de', '--only', 'pages']);
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    const pictures = [...page.matchAll(/<img [^>]*src="([^"]+)"/g)].map(([, file]) => file);
    for (const name of ['start', 'help'])
      for (const look of ['360-light', '360-dark', '1280-light', '1280-dark'])
        for (const language of ['nl', 'de']) assert.ok(pictures.includes(`${name}.${look}.${language}.png`), `${name} ${look} ${language}`);
    for (const file of pictures) {
      const picture = await readFile(join(folder, file));
      assert.equal(picture.toString('latin1', 1, 4), 'PNG');
      assert.equal(picture.readUInt32BE(16), Number(/\.(\d+)-/.exec(file)[1]), `${file} is as wide as it says`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
