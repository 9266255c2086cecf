// How soon a person sees something: first and largest paint of the pages that people wait for, on a slow phone and a slow
// network (docs/benchmarks.md). Wants what ./test or ./demo has built.
//
//   web/node_modules/node/bin/node bench/paint.mjs [--rounds N] [--bin DIR]
import { parseArgs } from 'node:util';
import { launch, open } from '../web/demo/journey.mjs';
import { startTestStack } from '../web/demo/stack.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, bin: { type: 'string' } } });
const rounds = Number(values.rounds);
if (!(rounds >= 1 && rounds <= 50)) throw new Error('--rounds: 1 to 50');

// What Lighthouse calls slow 4G, and a phone four times slower than this machine.
const network = { offline: false, latency: 150, downloadThroughput: (1.6e6 / 8) * 0.9, uploadThroughput: (750e3 / 8) * 0.9 };
const slowdown = 4;
const phone = { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, serviceWorkers: 'block' };

/** One visit with nothing in the cache. Gives times in ms from the start of the navigation, and bytes over the network. */
async function visit(browser, go) {
  const page = await open(browser, phone);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await session.send('Network.emulateNetworkConditions', network);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  try {
    await go(page);
    await page.waitForLoadState('load');
    const times = await page.evaluate(() => new Promise((done) => {
      const first = performance.getEntriesByName('first-contentful-paint')[0];
      new PerformanceObserver((list) => {
        const largest = list.getEntries().at(-1);
        // A quiet second: what comes later is no part of the start.
        setTimeout(() => done({ first: first?.startTime ?? largest.startTime, largest: largest.startTime }), 1000);
      }).observe({ type: 'largest-contentful-paint', buffered: true });
    }));
    return { ...times, bytes };
  } finally {
    await page.context().close();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const stack = await startTestStack({ reader: false, ...(values.bin ? { binDir: values.bin } : {}) });
const browser = await launch();
try {
  const blank = 'data:text/html,<!doctype html><title>-</title><p>-';
  const pages = {
    'one line of text': (page) => page.goto(blank),
    'sign-in': async (page) => page.goto((await fetch(`${stack.partner.url}/login`, { redirect: 'manual' })).headers.get('location')),
    registration: (page) => page.goto(`${stack.idUrl}/fr/enrol/`),
    'phone app': (page) => page.goto(`${stack.phoneUrl}/app/`),
    help: (page) => page.goto(`${stack.idUrl}/fr/help/`),
  };
  let floor;
  console.log(`medians of ${rounds}: ms from the navigation, in brackets the ratio to one line of text; KB over the network`);
  for (const [name, go] of Object.entries(pages)) {
    const visits = [];
    for (let i = 0; i < rounds; i++) visits.push(await visit(browser, go));
    const [first, largest, bytes] = ['first', 'largest', 'bytes'].map((member) => median(visits.map((one) => one[member])));
    floor ??= largest;
    console.log(`${name.padEnd(18)} first ${first.toFixed(0).padStart(5)}   largest ${largest.toFixed(0).padStart(5)} (${(largest / floor).toFixed(1)})   ${(bytes / 1024).toFixed(1).padStart(6)} KB`);
  }
} finally {
  await browser.close();
  await stack.stop();
}
