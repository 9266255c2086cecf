import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { languages, longDate, minutesAndSeconds, preferredLanguage, translator } from './language.ts';

const folder = (name: string) => new URL(`../${name}`, import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(folder(path), 'utf8')) as Record<string, string>;
const catalogues = readdirSync(folder('texts/fr')).sort();
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test('F5_every_text_is_there_in_the_four_languages_with_the_same_placeholders', () => {
  for (const language of languages) {
    assert.deepEqual(readdirSync(folder(`texts/${language}`)).sort(), catalogues, language);
    for (const catalogue of catalogues) {
      const french = read(`texts/fr/${catalogue}`);
      const texts = read(`texts/${language}/${catalogue}`);
      assert.deepEqual(Object.keys(texts).sort(), Object.keys(french).sort(), `${language}/${catalogue}`);
      for (const [key, text] of Object.entries(texts)) {
        assert.ok(text.trim() === text && text.length > 0, `${language}/${catalogue} ${key} is empty or padded`);
        assert.deepEqual(placeholders(text), placeholders(french[key]!), `${language}/${catalogue} ${key}`);
      }
    }
  }
});

test('F5_no_text_was_left_in_another_language', () => {
  // Sentences that are word for word the same in two languages were not translated.
  for (const catalogue of catalogues) {
    const texts = languages.map((language) => read(`texts/${language}/${catalogue}`));
    for (const key of Object.keys(texts[0]!)) {
      const sentences = texts.map((all) => all[key]!).filter((text) => text.split(' ').length > 4);
      assert.equal(new Set(sentences).size, sentences.length, `${catalogue} ${key}`);
    }
  }
});

test('F5_every_text_is_used_and_every_text_used_is_there', () => {
  const sources = ['phone', 'pages', 'shared', 'sign-in', 'scripts']
    .flatMap((name) => readdirSync(folder(name), { recursive: true }).map((file) => `${name}/${String(file)}`))
    .filter((path) => /\.(tsx?|html)$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(folder(path), 'utf8'))
    .join('\n');
  for (const catalogue of catalogues) {
    for (const key of Object.keys(read(`texts/fr/${catalogue}`))) {
      const name = key.replace(/\.(one|other)$/, '');
      // A key is written in full, or its last part is a name from a table: `claim.${name}`.
      const family = name.slice(0, name.lastIndexOf('.') + 1);
      const used =
        sources.includes(`'${name}'`) ||
        sources.includes(`{{${name}}}`) ||
        (family !== '' && sources.includes(`\`${family}\${`));
      assert.ok(used, `${catalogue} ${key} is used nowhere`);
    }
  }
});

test('addresses_of_people_are_formal', () => {
  // nl: u, never je/jij/jouw; de: Sie, never du/dein; fr: vous, never tu/ton/ta/tes.
  const words = { fr: 'tu|toi|tes|ton', nl: 'je|jij|jou|jouw', de: 'du|dich|dir|deine?[nmrs]?', en: 'thou' };
  for (const language of languages) {
    const familiar = new RegExp(`(?<!\\p{L})(${words[language]})(?!\\p{L})`, 'iu');
    for (const catalogue of catalogues)
      for (const [key, text] of Object.entries(read(`texts/${language}/${catalogue}`)))
        assert.ok(!familiar.test(text), `${language}/${catalogue} ${key}: ${text}`);
  }
});

test('no_French_line_begins_with_the_second_half_of_a_sign', () => {
  // The server's catalogues too, but for the SMS: their alphabet (3GPP TS 23.038 §6.2.1) has no space that does not break.
  const served = readdirSync(folder('../texts')).filter((name) => name.endsWith('.fr.json') && name !== 'sms.fr.json');
  assert.ok(served.length > 5);
  for (const path of [...catalogues.map((name) => `texts/fr/${name}`), ...served.map((name) => `../texts/${name}`)])
    JSON.parse(readFileSync(folder(path), 'utf8'), (key, text) => {
      if (typeof text === 'string')
        assert.doesNotMatch(text, / [;:?!»]|« /, `${path} ${key}: the space is one that does not break`);
    });
});

test('texts_on_buttons_fit_on_a_small_phone', () => {
  for (const language of languages)
    for (const catalogue of catalogues)
      for (const [key, text] of Object.entries(read(`texts/${language}/${catalogue}`)))
        if (key.startsWith('button.'))
          assert.ok(text.length <= 38, `${language}/${catalogue} ${key}: ${text.length} signs`);
});

test('a_text_gets_its_values_and_its_plural', () => {
  const t = translator('fr', {
    'tries.one': 'encore {count} essai',
    'tries.other': 'encore {count} essais',
    hello: 'Bonjour {name}',
  });
  assert.equal(t('tries', { count: 1 }), 'encore 1 essai');
  assert.equal(t('tries', { count: 3 }), 'encore 3 essais');
  assert.equal(t('hello', { name: '{name}<b>' }), 'Bonjour {name}<b>');
  assert.throws(() => t('hello'));
  assert.throws(() => t('missing' as 'hello'));
});

test('the_language_is_the_first_of_ours_that_the_browser_asks_for', () => {
  assert.equal(preferredLanguage(['it-IT', 'nl-BE', 'fr']), 'nl');
  assert.equal(preferredLanguage(['DE']), 'de');
  assert.equal(preferredLanguage([]), 'fr');
});

test('dates_and_times_are_written_as_people_write_them', () => {
  assert.equal(longDate('fr', '1985-07-30'), '30 juillet 1985');
  assert.equal(longDate('fr', '1985-05-01'), '1er mai 1985');
  assert.equal(longDate('fr', '1985-05-11'), '11 mai 1985');
  assert.equal(longDate('de', '1985-07-30'), '30. Juli 1985');
  assert.equal(longDate('en', 'unknown'), 'unknown');
  assert.equal(minutesAndSeconds(125), '2:05');
  assert.equal(minutesAndSeconds(-1), '0:00');
});
