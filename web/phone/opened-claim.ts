// The address of a page's QR code or link that opened the app: behind `#`, so that it reaches no server. It leaves the
// address at once: it is good once, and a QR code for seconds.

import { claimOfAddress, type PageClaim } from '../shared/device-protocol.ts';

let opened: PageClaim | null = null;

export function takeOpenedClaim(): void {
  // The app is open and is opened again: only the fragment changes. A fresh start loses nothing.
  window.addEventListener('hashchange', () => /^#(qr|link)=/.test(location.hash) && location.reload());
  opened = claimOfAddress(location.href, location.origin, 'address');
  if (opened) history.replaceState(null, '', location.pathname);
}

export function openedClaim(): PageClaim | null {
  return opened;
}

export function forgetOpenedClaim(): void {
  opened = null;
}
