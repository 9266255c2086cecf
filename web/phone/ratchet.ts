// The ratchet that shows copies of this phone: one message at a time uses it up, and the next one is on disk before
// anything goes on (docs/device-protocol.md §5).

import { b64, unb64 } from '../shared/bytes.ts';
import { load, save, type Device } from './store.ts';

/** One after the other on this phone, whatever the number of windows. */
export function alone(work: () => Promise<void>): Promise<void> {
  return navigator.locks ? (navigator.locks.request('symbolon-answer', work) as Promise<void>) : work();
}

/**
 * The new ratchet is on disk before the result is shown; the one that the message used stays beside it. A message that is late
 * used the one before, and the server has put the next one in the place of ours all the same.
 */
export async function turnRatchet(body: string, next: string, changes: Partial<Device> = {}): Promise<void> {
  const device = await load('device');
  const ratchet = unb64(next);
  if (!device || !ratchet || ratchet.length !== 16) return;
  const used = (JSON.parse(body) as { ratchet: string }).ratchet;
  const usedRatchet = [device.ratchet, device.previousRatchet].find((ours) => ours && b64(ours) === used);
  if (!usedRatchet) return;
  await save({ device: { ...device, ...changes, ratchet, previousRatchet: usedRatchet } });
}
