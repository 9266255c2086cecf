// Debian's Firefox as it is, headless, with a push service of the test in place of Mozilla's.
import puppeteer from 'puppeteer-core';

export async function launchFirefox({ pushService }) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    extraPrefsFirefox: {
      'dom.push.enabled': true,
      'alerts.useSystemBackend': false, // there is no desktop that shows notifications
      'dom.push.connection.enabled': true,
      'dom.push.serverURL': pushService.webSocketUrl,
      'dom.push.testing.allowInsecureServerURL': true,
      'dom.push.testing.ignorePermission': true,
      'permissions.default.desktop-notification': 1,
      'intl.accept_languages': 'nl-BE,nl',
    },
  });
}
