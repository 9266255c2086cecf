import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser, retryAfterSeconds } from './events.ts';

function events(...chunks: string[]): [string, string][] {
  const seen: [string, string][] = [];
  const parser = new EventParser((name, data) => seen.push([name, data]));
  for (const chunk of chunks) parser.feed(chunk);
  return seen;
}

test('an_event_is_read_however_the_network_cuts_it', () => {
  const text = 'event: state\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: heartbeat\n\ndata:x\n\n';
  const whole: [string, string][] = [
    ['state', '{"a":\n1}'],
    ['message', 'x'],
  ];
  assert.deepEqual(events(text), whole);
  assert.deepEqual(events(...text), whole);
  for (let at = 1; at < text.length; at++)
    assert.deepEqual(events(text.slice(0, at), text.slice(at)), whole, `cut at ${at}`);
});

test('an_event_that_never_ended_is_dropped', () => {
  assert.deepEqual(events('event: state\ndata: half'), []);
});

test('a_new_try_comes_after_1_2_4_and_at_most_30_seconds', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 9].map(retryAfterSeconds), [1, 2, 4, 8, 16, 30, 30]);
});
