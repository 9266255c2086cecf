import type { KeyOf, Language, Translate } from '../../shared/language.ts';
import type common from '../../texts/fr/common.json';
import type enrol from '../../texts/fr/enrol.json';

type Common = typeof common;
type Enrol = typeof enrol;
export type EnrolTranslate = Translate<KeyOf<Enrol>>;
export type Texts = { language: Language; t: EnrolTranslate; c: Translate<KeyOf<Common>> };

export const loadCommon: Record<Language, () => Promise<{ default: Common }>> = {
  fr: () => import('../../texts/fr/common.json'),
  nl: () => import('../../texts/nl/common.json'),
  de: () => import('../../texts/de/common.json'),
  en: () => import('../../texts/en/common.json'),
};

export const loadEnrol: Record<Language, () => Promise<{ default: Enrol }>> = {
  fr: () => import('../../texts/fr/enrol.json'),
  nl: () => import('../../texts/nl/enrol.json'),
  de: () => import('../../texts/de/enrol.json'),
  en: () => import('../../texts/en/enrol.json'),
};
