// Writes shared/calling-codes.json and shared/phone-metadata.json from the metadata of libphonenumber-js. Run it after the
// package was updated: `node scripts/phone-data.ts`; a test says when the files are older than the package.

import { readFileSync, writeFileSync } from 'node:fs';

export type CallingCodes = [callingCode: string, region: string][];

/** Regions whose numbers the enrolment page judges itself; for the others the server alone does. */
export const judgedRegions = (
  'BE NL FR DE LU AT BG HR CY CZ DK EE FI GR HU IE IT LV LT MT PL PT RO SK SI ES SE IS LI NO CH GB ' +
  'MA TR DZ TN CD RW BI CM UA US CA IN CN'
).split(' ');

export function phoneData(): { callingCodes: CallingCodes; metadata: object } {
  const file = new URL('../node_modules/libphonenumber-js/metadata.mobile.json', import.meta.url);
  const all = JSON.parse(readFileSync(file, 'utf8')) as {
    version: number;
    country_calling_codes: Record<string, string[]>;
    countries: Record<string, unknown>;
  };
  const callingCodes: CallingCodes = Object.entries(all.country_calling_codes)
    .flatMap(([code, regions]) => regions.map((region): [string, string] => [code, region]))
    // AC and TA (islands of Saint Helena) have no name in browsers.
    .filter(([, region]) => region !== 'AC' && region !== 'TA');
  const kept = <T>(record: Record<string, T>, wanted: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => wanted(key)));
  const countries = kept(all.countries, (region) => judgedRegions.includes(region));
  const codes = Object.entries(all.country_calling_codes)
    .map(([code, regions]): [string, string[]] => [code, regions.filter((region) => judgedRegions.includes(region))])
    .filter(([, regions]) => regions.length > 0);
  const metadata = {
    version: all.version,
    country_calling_codes: Object.fromEntries(codes),
    countries,
    nonGeographic: {},
  };
  return { callingCodes, metadata };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { callingCodes, metadata } = phoneData();
  const shared = new URL('../shared/', import.meta.url);
  writeFileSync(new URL('calling-codes.json', shared), JSON.stringify(callingCodes) + '\n');
  writeFileSync(new URL('phone-metadata.json', shared), JSON.stringify(metadata) + '\n');
}
