// The service worker: registered under the one Trusted Types policy, and told to take over when the holder says so.

import { scriptUrl } from '../shared/trusted.ts';

/** `ready` is called when a new version waits; `take()` changes to it and loads the app anew. */
export async function watchForUpdates(ready: (take: () => void) => void): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const container = navigator.serviceWorker;
  try {
    const registration = await container.register(scriptUrl('/app/sw.js'), { scope: '/app/', updateViaCache: 'none' });
    const offer = (worker: ServiceWorker) =>
      ready(() => {
        // Another window has taken it already: the change of this one is over, and no event comes any more.
        if (worker.state !== 'installed') return location.reload();
        container.addEventListener('controllerchange', () => location.reload(), { once: true });
        worker.postMessage('take over');
      });
    if (registration.waiting && container.controller) offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed' && container.controller) offer(worker);
      });
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void registration.update().catch(() => undefined);
    });
  } catch {
    // A browser without workers (private windows of some): the app works as long as it is online.
  }
}
