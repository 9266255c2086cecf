// The four languages and the texts in them (F5). A page loads the texts of its language only.

export const languages = ['fr', 'nl', 'de', 'en'] as const;
export type Language = (typeof languages)[number];

/** Each language by its own name, as the language switch shows it. */
export const languageNames: Record<Language, string> = {
  fr: 'Français',
  nl: 'Nederlands',
  de: 'Deutsch',
  en: 'English',
};

export function isLanguage(text: string | undefined): text is Language {
  return languages.some((language) => language === text);
}

/** The first of ours among what the browser asks for; French where none is. */
export function preferredLanguage(asked: readonly string[]): Language {
  for (const tag of asked) {
    const main = tag.slice(0, 2).toLowerCase();
    if (isLanguage(main)) return main;
  }
  return 'fr';
}

/** Keys of a catalogue; `tries.one` and `tries.other` together are the key `tries`. */
export type KeyOf<Catalogue> = {
  [K in keyof Catalogue & string]: K extends `${infer Base}.${'one' | 'other'}` ? Base : K;
}[keyof Catalogue & string];

export type Values = { readonly [name: string]: string | number };
export type Translate<Key extends string> = (key: Key, values?: Values) => string;

/**
 * `t(key, values)`: the text with `{name}` replaced; a plural goes by `values.count` (Intl.PluralRules). A key that isn't
 * there, or a value that the text wants and doesn't get, is our own mistake and throws.
 */
export function translator<Catalogue extends Record<string, string>>(
  language: Language,
  catalogue: Catalogue,
): Translate<KeyOf<Catalogue>> {
  const plural = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (key, values = {}) => {
    const text =
      catalogue[key] ?? catalogue[`${key}.${plural.select(Number(values['count']))}`] ?? catalogue[`${key}.other`];
    if (text === undefined) throw new Error(`no text ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`text ${key} needs ${name}`);
      return typeof value === 'number' ? numbers.format(value) : value;
    });
  };
}

/** English as it is written in Europe. */
const locale = (language: Language) => (language === 'en' ? 'en-GB' : language);
const written = (language: Language, seconds: number, format: Intl.DateTimeFormatOptions) => {
  const text = new Intl.DateTimeFormat(locale(language), format).format(seconds * 1000);
  // Intl has no "1er", which French wants for the first of a month alone.
  return language === 'fr' && format.dateStyle ? text.replace(/^1(?= )/, '1er') : text;
};

/** `14:05`, the person's own clock. `seconds` since 1970. */
export function timeOfDay(language: Language, seconds: number): string {
  return written(language, seconds, { hour: '2-digit', minute: '2-digit' });
}

/** `30 juillet 2026`, the person's own day. `seconds` since 1970. */
export function dayOf(language: Language, seconds: number): string {
  return written(language, seconds, { dateStyle: 'long' });
}

/** `30 juillet 2026 à 14:05`. `seconds` since 1970. */
export function momentOf(language: Language, seconds: number): string {
  return written(language, seconds, { dateStyle: 'long', timeStyle: 'short' });
}

/** `30 juillet 1985` from `1985-07-30`; a text that is no such date comes back as it is. */
export function longDate(language: Language, iso: string): string {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? Date.parse(`${iso}T00:00:00Z`) : NaN;
  if (Number.isNaN(midnight)) return iso;
  return written(language, midnight / 1000, { dateStyle: 'long', timeZone: 'UTC' });
}

/** `2:05` */
export function minutesAndSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
