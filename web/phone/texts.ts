import type { KeyOf, Language, Translate } from '../shared/language.ts';
import { translator } from '../shared/language.ts';
import type common from '../texts/fr/common.json';
import type linking from '../texts/fr/linking.json';
import type phone from '../texts/fr/phone.json';

type Common = typeof common;
type Phone = typeof phone;
type Linking = typeof linking;
export type PhoneTranslate = Translate<KeyOf<Phone>>;
export type Texts = { language: Language; t: PhoneTranslate; c: Translate<KeyOf<Common>> };
/** What linking a phone says beside the rest; loaded where a phone is linked. */
export type LinkingTexts = Texts & { t: Translate<KeyOf<Phone> | KeyOf<Linking>> };

const loadCommon: Record<Language, () => Promise<{ default: Common }>> = {
  fr: () => import('../texts/fr/common.json'),
  nl: () => import('../texts/nl/common.json'),
  de: () => import('../texts/de/common.json'),
  en: () => import('../texts/en/common.json'),
};

const loadPhone: Record<Language, () => Promise<{ default: Phone }>> = {
  fr: () => import('../texts/fr/phone.json'),
  nl: () => import('../texts/nl/phone.json'),
  de: () => import('../texts/de/phone.json'),
  en: () => import('../texts/en/phone.json'),
};

const loadLinking: Record<Language, () => Promise<{ default: Linking }>> = {
  fr: () => import('../texts/fr/linking.json'),
  nl: () => import('../texts/nl/linking.json'),
  de: () => import('../texts/de/linking.json'),
  en: () => import('../texts/en/linking.json'),
};

export async function loadTexts(language: Language): Promise<Texts> {
  const [common, phone] = await Promise.all([loadCommon[language](), loadPhone[language]()]);
  return { language, c: translator(language, common.default), t: translator(language, phone.default) };
}

export async function loadLinkingTexts({ language, c }: Texts): Promise<LinkingTexts> {
  const [phone, linking] = await Promise.all([loadPhone[language](), loadLinking[language]()]);
  return { language, c, t: translator(language, { ...phone.default, ...linking.default }) };
}
