import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buttons } from '../scripts/buttons.ts';

const folder = new URL('../button/', import.meta.url);

test('F5_the_sign_in_button_is_there_in_four_languages_for_light_and_dark_pages', () => {
  const made = buttons();
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(made).sort());
  for (const [name, content] of Object.entries(made)) {
    assert.equal(readFileSync(new URL(name, folder), 'utf8'), content, name);
    assert.match(content, /<title>[^<]+Symbolon<\/title>/);
    assert.ok(!/<script|href=|style=/.test(content), 'it can be embedded anywhere');
  }
});
