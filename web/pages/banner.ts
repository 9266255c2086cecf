// Pages that are only text: the banner of a test installation, and the way to the app.

import { showTestBanner } from '../shared/site.ts';

const site = await showTestBanner(document.body.dataset['testBanner'] ?? '');
const app = document.querySelector<HTMLAnchorElement>('a[data-phone-app]');
if (app && site?.phone_url) {
  app.href = `${site.phone_url}/app/`;
  app.hidden = false;
}
