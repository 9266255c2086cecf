// Writes docs/outcomes.md from src/base/outcomes.def and texts/outcomes.en.json. A test compares.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const texts = JSON.parse(read('texts/outcomes.en.json'));
const retries = {
  never: 'The same request will fail again.',
  now: 'Another try may succeed at once.',
  later: 'The same request may succeed later.',
  fixed: 'It succeeds once the cause outside is mended.',
};
const lines = [
  '# Outcomes',
  '',
  'Every way a request can end badly has one name. It is the field `outcome` in answers and in the log, the metric, the key of the texts',
  'and the heading here. The rows stand in `src/base/outcomes.def`, the texts in `texts/outcomes.*.json`; this page is written from',
  'them by `node scripts/outcomes_page.mjs`, and a test says when it is not up to date.',
];
for (const line of read('src/base/outcomes.def').split('\n')) {
  const heading = /^\/\/ -{2,} (.+?) -+$/.exec(line);
  if (heading) lines.push('', `## ${heading[1][0].toUpperCase()}${heading[1].slice(1)}`);
  const row = /^OUTCOME\((\w+),\s*(\d+), "([^"]*)",\s*(\w+),\s*(\w+)\)/.exec(line);
  if (!row) continue;
  const [, name, http, oauth, way, retry] = row;
  lines.push('', `### ${name}`, '', texts[name], '',
    `HTTP ${http}${oauth ? ` · OAuth \`${oauth}\`` : ''} · the person can: ${way.replaceAll('_', ' ')} · ${retries[retry]}`);
}
writeFileSync(new URL('docs/outcomes.md', root), lines.join('\n') + '\n');
