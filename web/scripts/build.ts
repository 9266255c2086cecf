// Builds dist/id and dist/phone: what the server shows at its two origins. `node scripts/build.ts [folder]`
//
// A page is built once and then written in each language: its heading and first sentence stand in the HTML, so that it
// can be read before (and without) its script.

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { languageNames, languages, type Language } from '../shared/language.ts';
import { configuration } from '../vite.config.ts';

const web = fileURLToPath(new URL('..', import.meta.url));
const dist = process.argv[2] ?? join(web, 'dist');
const read = (...path: string[]) => readFileSync(join(web, ...path), 'utf8');
const write = (path: string, content: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
};

type Catalogue = Record<string, string>;
const catalogue = (language: Language, name: string) =>
  JSON.parse(read('texts', language, `${name}.json`)) as Catalogue;

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

// ---- the frame of every page -----------------------------------------------------------------------------------------

const icon = (name: string) =>
  `<svg class="icon" aria-hidden="true"><use href="/assets/icons.svg#${name}"></use></svg>`;
const mark = () =>
  read('shared', 'mark.svg')
    .replace(/<\?xml.*?\?>|<!--.*?-->/gs, '')
    .trim();

function top(language: Language, page: string, c: Catalogue): string {
  const links = languages.map((each) => {
    const current = each === language ? ' aria-current="true"' : '';
    const name = `<span aria-hidden="true">${each}</span><span class="visually-hidden">${languageNames[each]}</span>`;
    return `<li><a href="/${each}/${page}" lang="${each}" hreflang="${each}"${current}>${name}</a></li>`;
  });
  return `<a class="skip" href="#content">${escapeHtml(c['skip']!)}</a>
    <header class="top">
      <a class="brand" href="/${language}/" aria-label="${escapeHtml(c['home']!)}">${mark()}<span>Symbolon</span></a>
      <nav aria-label="${escapeHtml(c['language.label']!)}"><ul class="languages">${links.join('')}</ul></nav>
    </header>`;
}

function foot(language: Language): string {
  const { title, heading } = { title: 'Symbolon', heading: catalogue(language, 'help')['heading']! };
  return `<footer class="foot"><span>${title}</span><a href="/${language}/help/">${escapeHtml(heading)}</a></footer>`;
}

function alternates(page: string): string {
  return languages.map((each) => `<link rel="alternate" hreflang="${each}" href="/${each}/${page}" />`).join('\n    ');
}

// ---- the outcomes of the help page -------------------------------------------------------------------------------------

/** Name and way out of each row of src/base/outcomes.def. */
export function outcomeRows(): { name: string; wayOut: string }[] {
  const rows = read('..', 'src', 'base', 'outcomes.def').matchAll(/^OUTCOME\((\w+),\s*\d+,\s*"\w*",\s*(\w+),/gm);
  return Array.from(rows, ([, name, wayOut]) => ({ name: name!, wayOut: wayOut! }));
}

function outcomes(language: Language, help: Catalogue): string {
  const texts = JSON.parse(read('..', 'texts', `outcomes.${language}.json`)) as Catalogue;
  return outcomeRows()
    .map(({ name, wayOut }) => {
      const text = texts[name];
      const way = help[`outcome.${name}`] ?? help[`way_out.${wayOut}`];
      if (!text || !way) throw new Error(`the help page lacks a ${language} text for ${name} (${wayOut})`);
      return `<section class="card outcome" id="${name}"><h3>${escapeHtml(text)}</h3><p>${escapeHtml(way)}</p>
        <p class="hint">${escapeHtml(help['code_name']!)} <code>${name}</code></p></section>`;
    })
    .join('\n');
}

// ---- writing ---------------------------------------------------------------------------------------------------------

function fill(template: string, values: Catalogue, language: Language): string {
  return template.replace(/\{\{([\w.:]+)\}\}/g, (_, key: string) => {
    if (key.startsWith('icon:')) return icon(key.slice(5));
    const value = values[key];
    if (value === undefined) throw new Error(`the page wants {{${key}}}, which ${language} doesn't have`);
    return value;
  });
}

/** The chunks with the texts of a language, so that the browser gets them together with the script. */
function textChunks(output: Output, language: Language, names: string[]): string {
  return output.output
    .filter(
      (chunk) =>
        chunk.type === 'chunk' &&
        names.some((name) => chunk.facadeModuleId?.endsWith(`texts/${language}/${name}.json`)),
    )
    .map((chunk) => `<link rel="modulepreload" href="/${chunk.fileName}" />`)
    .join('\n    ');
}

type Output = Rolldown.RolldownOutput;
const run = async (...args: Parameters<typeof configuration>) => (await build(configuration(...args))) as Output;

async function buildId(): Promise<void> {
  const out = join(dist, 'id');
  const output = await run('id', out);
  const pages = { start: '', enrol: 'enrol/', help: 'help/' };
  for (const [name, path] of Object.entries(pages)) {
    const template = readFileSync(join(out, 'pages', name, 'index.html'), 'utf8');
    for (const language of languages) {
      const common = catalogue(language, 'common');
      const own = catalogue(language, name);
      const escaped = Object.fromEntries(
        Object.entries({ ...common, ...own }).map(([key, text]) => [key, escapeHtml(text)]),
      );
      const preload = name === 'enrol' ? textChunks(output, language, ['common', 'enrol']) : '';
      const parts = {
        language,
        top: top(language, path, common),
        foot: foot(language),
        alternates: [alternates(path), preload].filter(Boolean).join('\n    '),
        outcomes: name === 'help' ? outcomes(language, own) : '',
      };
      write(join(out, language, path, 'index.html'), fill(template, { ...escaped, ...parts }, language));
    }
  }
  rmSync(join(out, 'pages'), { recursive: true });
  await run('sign-in', out);
  cpSync(join(web, 'button'), join(out, 'assets', 'button'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
  pictures(out);
}

async function buildPhone(): Promise<void> {
  const out = join(dist, 'phone');
  await run('phone', out);
  mkdirSync(join(out, 'app'), { recursive: true });
  renameSync(join(out, 'phone', 'index.html'), join(out, 'app', 'index.html'));
  rmSync(join(out, 'phone'), { recursive: true });
  const html = readFileSync(join(out, 'app', 'index.html'), 'utf8');
  write(join(out, 'app', 'index.html'), html.replaceAll('{{mark}}', mark()));
  cpSync(join(web, 'phone', 'manifest.webmanifest'), join(out, 'app', 'manifest.webmanifest'));
  cpSync(join(web, 'phone', 'icons'), join(out, 'app', 'icons'), { recursive: true });
  pictures(out);

  // The worker knows the files of its version, and that version is their digest.
  const shell = [
    '/app/',
    ...readdirSync(join(out, 'assets'))
      .sort()
      .map((name) => `/assets/${name}`),
    '/app/manifest.webmanifest',
  ];
  const digest = createHash('sha256').update(readFileSync(join(out, 'app', 'index.html')));
  for (const path of shell.slice(1)) digest.update(path).update(readFileSync(join(out, path)));
  const files = shell.filter((path) => !path.endsWith('.txt'));
  const version = digest.digest('hex').slice(0, 12);
  await run('worker', out, { __SHELL__: JSON.stringify(files), __VERSION__: JSON.stringify(version) });
  renameSync(join(out, 'assets', 'sw.js'), join(out, 'app', 'sw.js'));

  // Of the server's page at /bank/return, which is no part of the app: the worker keeps none of it.
  write(join(out, 'assets', 'bank-end.css'), read('shared', 'base.css') + read('sign-in', 'bank-end.css'));
}

function pictures(out: string): void {
  for (const name of ['symbols.svg', 'icons.svg', 'LICENSE-icons.txt'])
    cpSync(join(web, 'shared', name), join(out, 'assets', name));
  cpSync(join(web, 'shared', 'icon.svg'), join(out, 'assets', 'icon.svg'));
}

/** `file.gz` beside each text file that it makes smaller; the server sends it to browsers that take it. */
function compress(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(html|js|css|svg|webmanifest)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    const small = gzipSync(content, { level: 9 });
    if (small.length < content.length - 200) writeFileSync(`${path}.gz`, small);
  }
}

rmSync(dist, { recursive: true, force: true });
await buildId();
await buildPhone();
compress(dist);
