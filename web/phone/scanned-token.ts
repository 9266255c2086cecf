// The identification token of the QR code: in the address's fragment, so that it reaches no server. It leaves the address
// at once and stays in this tab until it was used.

const key = 'symbolon-token';
let token = '';

export function takeScannedToken(): void {
  // The app is open and the camera opens it again: only the fragment changes. A fresh start loses nothing.
  window.addEventListener('hashchange', () => location.hash.startsWith('#token=') && location.reload());
  const match = /^#token=([^&]*)/.exec(location.hash);
  if (match) history.replaceState(null, '', location.pathname);
  try {
    token = match ? decodeURIComponent(match[1]!) : (sessionStorage.getItem(key) ?? '');
    if (match) sessionStorage.setItem(key, token);
  } catch {
    // A fragment that is no text, or a browser that keeps nothing: the holder types the token.
  }
}

export function scannedToken(): string {
  return token;
}

export function forgetScannedToken(): void {
  token = '';
  forgetWithReload();
}

/** A phone that is linked has said what it has to say of the token: the next start begins without it. */
export function forgetWithReload(): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}
