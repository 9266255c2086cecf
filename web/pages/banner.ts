// Pages that are only text: the banner of a test installation.

import { showTestBanner } from '../shared/site.ts';

void showTestBanner(document.body.dataset['testBanner'] ?? '');
