// How much a page may weigh (gzip), and what no built file may hold.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const read = (path) => readFileSync(new URL(path, dist));
const kilobytes = (paths) => paths.reduce((sum, path) => sum + gzipSync(read(path), { level: 9 }).length, 0) / 1024;
const assets = (origin) =>
  readdirSync(new URL(`${origin}/assets/`, dist))
    .filter((name) => !name.endsWith('.gz'))
    .map((name) => `${origin}/assets/${name}`);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`);

/** What the HTML itself asks for, without what a script loads later. */
function linked(html) {
  return Array.from(
    read(html)
      .toString()
      .matchAll(/(?:src|href)="(\/assets\/[^"#]+\.(?:js|css))"/g),
    ([, path]) => path,
  );
}

test('the_phone_app_starts_within_its_budget', () => {
  const all = assets('phone');
  const app = linked('phone/app/index.html').map((path) => `phone${path}`);
  assert.ok(kilobytes(app.filter((path) => path.endsWith('.js'))) <= 25, 'script');
  assert.ok(kilobytes(app.filter((path) => path.endsWith('.css'))) <= 6, 'style');
  assert.ok(kilobytes(['phone/assets/symbols.svg']) <= 6, 'symbols');
  const texts = all.filter((path) => /\/(common|phone)-[\w-]+\.js$/.test(path));
  assert.equal(texts.length, 8);
  assert.ok(kilobytes(texts) / 4 <= 6, 'language');
});

test('the_sign_in_page_is_light', () => {
  assert.ok(
    kilobytes(['id/assets/sign-in.js', 'id/assets/sign-in.css', 'id/assets/symbols.svg', 'id/assets/icons.svg']) <= 20,
  );
});

test('the_enrolment_page_loads_the_rules_for_numbers_only_when_they_are_needed', () => {
  const page = linked('id/fr/enrol/index.html').map((path) => `id${path}`);
  assert.ok(!page.some((path) => path.includes('phone-number')));
  assert.ok(kilobytes(page) <= 35, `${kilobytes(page)} KB`);
  const rules = assets('id').filter((path) => path.includes('phone-number'));
  assert.ok(kilobytes(rules) <= 20);
});

test('no_page_holds_a_script_or_a_style_of_its_own', () => {
  for (const path of files.filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(path, 'utf8');
    assert.ok(!/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i.test(html), path);
    assert.ok(!/\{\{/.test(html), `${path} has a place that was not filled`);
  }
});

test('nothing_comes_from_another_origin', () => {
  for (const path of files.filter((name) => /\.(html|css|js|webmanifest)$/.test(name))) {
    const others = Array.from(
      readFileSync(path, 'utf8').matchAll(/(?:src|href)=["']?https?:\/\/|url\(["']?https?:|import\(["']https?:/g),
    );
    assert.deepEqual(others, [], path);
  }
});
