// What the app does with notifications that were shown (sw.ts shows them, push.ts turns them on and off).

import { load, save } from './store.ts';

const tag = 'action';

export function canNotify(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;
}

/** The first login was approved here: from now on it makes sense to ask for notifications. */
export async function rememberApproval(): Promise<void> {
  const kept = await load('push');
  if (!kept?.approved) await save({ push: { ...kept, approved: true } });
}

/** What was notified is no longer open: the notification goes. */
export async function clearNotifications(): Promise<void> {
  if (!canNotify()) return;
  const worker = await navigator.serviceWorker.getRegistration('/app/');
  for (const notification of (await worker?.getNotifications({ tag })) ?? []) notification.close();
}

/** The address that a notification leads to: `#action=ID`. It leaves the address at once. */
export function takeNotified(): string | null {
  const match = /^#action=([\w-]{1,64})$/.exec(location.hash);
  if (match) history.replaceState(null, '', location.pathname);
  return match?.[1] ?? null;
}

/** Calls back with the action of each notification that is tapped while the app is open. */
export function onNotified(open: (action: string) => void): () => void {
  const moved = () => {
    const action = takeNotified();
    if (action) open(action);
  };
  const told = (event: MessageEvent) => {
    const { open: action } = (event.data ?? {}) as { open?: unknown };
    if (typeof action === 'string') open(action);
  };
  window.addEventListener('hashchange', moved);
  navigator.serviceWorker?.addEventListener('message', told);
  return () => {
    window.removeEventListener('hashchange', moved);
    navigator.serviceWorker?.removeEventListener('message', told);
  };
}
