// Writes src/enrolment/phone_number_table.inc: mobile numbers of the countries that are served, from the metadata of the
// npm package libphonenumber-js, which the pages use as well: one source of data for both sides.
//
//     node scripts/phone_numbers.mjs [folder of the package]
//
// The folder is web/node_modules/libphonenumber-js unless it is given. Run it after each update of the package and
// commit what changes.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = process.argv[2] ?? join(root, 'web/node_modules/libphonenumber-js');

// European Union and European Economic Area with their territories, their neighbours, and where many residents of Belgium
// come from. A number costs an SMS, so that the whole world is not invited.
const served = `AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE
    IS LI NO AX SJ FO GL CH GB GG JE IM GI AD MC SM VA
    UA MD AL BA ME MK RS XK TR
    MA DZ TN EG CD CG CM RW BI SN GN CI
    US CA IN PH CN JP BR`.split(/\s+/);

// Where each stands in the package's metadata, version 4.
const callingCodeAt = 0, prefixAt = 5, prefixForParsingAt = 7, typesAt = 11;
const fixedLineAt = 0, mobileAt = 1;

const { version, countries } = JSON.parse(readFileSync(join(folder, 'metadata.max.json'), 'utf8'));
if (version !== 4) throw new Error(`metadata version ${version} is not the one that this script reads`);
const { version: packageVersion } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Prefixes dialled within a country: plain alternatives alone; a capturing or repeating pattern has another purpose. */
function nationalPrefixes(country) {
    const plain = country[prefixAt] ? [country[prefixAt]] : [];
    const parsing = country[prefixForParsingAt] || '';
    const alternatives = parsing.split('|').flatMap(one => {
        const set = /^\[(\d+)\]$/.exec(one);
        return set ? [...set[1]] : [one];
    });
    return [...new Set([...plain, ...alternatives.filter(one => /^\d+$/.test(one))])];
}

/** The pattern of mobile numbers; the fixed line's where the two can't be told apart (North America). */
function mobile(name, country) {
    const types = country[typesAt];
    const pattern = types?.[mobileAt]?.[0] || types?.[fixedLineAt]?.[0];
    if (!pattern) throw new Error(`${name} has no pattern of mobile numbers`);
    return pattern;
}

/** The patterns of all other numbers: fixed lines, free and paid ones, pagers … */
const others = country => (country[typesAt] ?? []).filter((type, at) => type && at !== mobileAt).map(type => type[0]).filter(Boolean);

const byCode = new Map();
for (const name of served) {
    const country = countries[name];
    if (!country) throw new Error(`the package knows no country ${name}`);
    const row = byCode.get(country[callingCodeAt]) ?? { names: [], prefixes: new Set(), mobile: new Set(), other: new Set() };
    row.names.push(name);
    nationalPrefixes(country).forEach(prefix => row.prefixes.add(prefix));
    row.mobile.add(mobile(name, country));
    others(country).forEach(pattern => row.other.add(pattern));
    byCode.set(country[callingCodeAt], row);
}

const quoted = text => {
    if (!/^[\d()?:|[\]\\d{},-]+$/.test(text)) throw new Error(`a pattern has a sign that was not expected: ${text}`);
    return `R"(${text})"`;
};
const patterns = set => [...set].map(quoted).join(' "|" ');
const rows = [...byCode].sort(([a], [b]) => Number(a) - Number(b)).map(([code, row]) => {
    if (row.prefixes.size > 2) throw new Error(`calling code ${code} has more than two national prefixes`);
    const [first = '', second = ''] = row.prefixes;
    return `// ${row.names.join(' ')}\n{"${code}", {"${first}", "${second}"},\n ${patterns(row.mobile)},\n ${patterns(row.other)}},`;
});

writeFileSync(join(root, 'src/enrolment/phone_number_table.inc'),
    `// Made by scripts/phone_numbers.mjs from libphonenumber-js ${packageVersion}; edit that, not this.\n` +
    '// calling code, national prefixes, pattern of mobile numbers, pattern of all other numbers (within the country)\n' +
    rows.join('\n') + '\n');
