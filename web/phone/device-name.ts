// What the holder will know this phone by: "Chrome on Android".

import type { Texts } from './texts.ts';

const browsers: [RegExp, string][] = [
  [/SamsungBrowser/, 'Samsung Internet'],
  [/EdgA?\/|EdgiOS/, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox|FxiOS/, 'Firefox'],
  [/Chrome|CriOS/, 'Chrome'],
  [/Safari/, 'Safari'],
];

const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Windows/, 'Windows'],
  [/Macintosh|Mac OS/, 'Mac'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

export function deviceName({ t }: Texts, userAgent = navigator.userAgent): string {
  const find = (rows: [RegExp, string][], otherwise: string) =>
    rows.find(([sign]) => sign.test(userAgent))?.[1] ?? otherwise;
  return t('device.name', { browser: find(browsers, 'Browser'), system: find(systems, 'Web') });
}
