// Debian's Apache with mod_auth_openidc protects a page; the holder gets in with the phone: D1, G3.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestStack } from '../../web/demo/stack.mjs';
import { freePort } from '../../web/demo/process.mjs';
import { startApache } from '../lib/apache.mjs';
import { Browser, makeHolder, signIn } from '../lib/holder.mjs';

let stack, holder, apache;

before(async () => {
  stack = await startTestStack({ persona: 'lotte' });
  holder = await makeHolder(stack);
});
after(async () => {
  await apache?.stop();
  await holder?.stop();
  await stack?.stop();
});

test('D1_G3_a_page_protected_by_mod_auth_openidc_opens_for_the_holder_and_shows_the_name_from_the_card', async () => {
  const port = await freePort();
  const client = await stack.addPartner({ name: 'Members', 'redirect-uri': `http://localhost:${port}/protected/callback`, auth: 'client_secret_basic' });
  const folder = join(stack.folder, 'apache');
  await mkdir(folder);
  // What lies above must let Apache's own user through.
  const { chmod } = await import('node:fs/promises');
  await chmod(stack.folder, 0o755);
  apache = await startApache({ folder, port, issuer: stack.idUrl, client });

  const browser = new Browser();
  const away = await browser.fetch(`${apache.url}/protected/`);
  assert.equal(away.status, 302, 'the page is closed to strangers');
  const authorization = new URL(away.headers.get('location'));
  assert.equal(authorization.origin, stack.idUrl);

  const back = await signIn(stack, holder, authorization);
  assert.equal(back.origin, apache.url);
  const landed = await browser.fetch(back);
  assert.equal(landed.status, 302, await landed.clone().text());
  const page = await browser.fetch(new URL(landed.headers.get('location'), apache.url));
  const html = await page.text();
  assert.equal(page.status, 200, html);
  assert.match(html, /Welcome, <span id="name">\S+ .*\S<\/span>/);
  assert.ok(html.includes(`<p id="iss">${stack.idUrl}</p>`), html);

  const again = await new Browser().fetch(back);
  assert.notEqual(again.status, 200, 'the way back works once, in the browser that left');
});
