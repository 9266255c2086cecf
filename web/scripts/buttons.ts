// Writes button/*.svg: the sign-in button that partners embed, in four languages, for light and dark pages. Run it after a
// change of the text or the mark: `node scripts/buttons.ts`; a test says when the files are older.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { languages, type Language } from '../shared/language.ts';

const texts: Record<Language, string> = {
  fr: 'Se connecter avec Symbolon',
  nl: 'Aanmelden met Symbolon',
  de: 'Anmelden mit Symbolon',
  en: 'Log in with Symbolon',
};

type Look = { ground: string; border: string; text: string; one: string; two: string };

/** `light` stands on light pages, `dark` on dark ones. Text contrast is above 7:1 in both. */
const looks: Record<'light' | 'dark', Look> = {
  light: { ground: '#0b5363', border: '#0b5363', text: '#ffffff', one: '#ffffff', two: '#f0b878' },
  dark: { ground: '#f5f3ee', border: '#f5f3ee', text: '#17262b', one: '#0b5363', two: '#b26a1f' },
};

const width = 300;
const height = 52;

export function buttons(): Record<string, string> {
  const mark = readFileSync(new URL('../shared/mark.svg', import.meta.url), 'utf8').match(/<g[\s\S]*<\/g>/)![0];
  const files: Record<string, string> = {};
  for (const language of languages) {
    for (const [name, look] of Object.entries(looks)) {
      const drawn = mark
        .replace('class="mark-one"', `fill="${look.one}"`)
        .replace('class="mark-two"', `fill="${look.two}"`);
      files[name === 'light' ? `${language}.svg` : `${language}-${name}.svg`] =
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" lang="${language}">` +
        `<title>${texts[language]}</title>` +
        `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="12" fill="${look.ground}" stroke="${look.border}"/>` +
        `<g transform="translate(14 12) scale(.4375)">${drawn}</g>` +
        `<text x="54" y="32" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif" font-size="17" font-weight="600" ` +
        `fill="${look.text}" textLength="${textLength(texts[language])}" lengthAdjust="spacingAndGlyphs">${texts[language]}</text></svg>\n`;
    }
  }
  return files;
}

/** So wide whatever font the viewer has: the text can't run out of the button. */
function textLength(text: string): number {
  return Math.min(232, Math.round(text.length * 8.9));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const folder = new URL('../button/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(buttons())) writeFileSync(new URL(name, folder), content);
}
