import assert from 'node:assert/strict';
import test from 'node:test';

import { EventReader } from '../src/events.js';

function read(...pieces: string[]): { event: string; data: string; id: string }[] {
  const reader = new EventReader();
  return pieces.flatMap((piece) => [...reader.push(piece)]);
}

const STREAM = ': a comment\n\nevent: lines\nid: 7\ndata: one\ndata:two\ndata\n\ndata:  three\nretry: 1\n\nid\ndata: four\n\n';
const EVENTS = [
  { event: 'lines', data: 'one\ntwo\n', id: '7' },
  { event: 'message', data: ' three', id: '7' },
  { event: 'message', data: 'four', id: '' },
];

test('a stream says the same with every end of line and in whatever pieces it comes', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const text = STREAM.replaceAll('\n', end);
    assert.deepEqual(read(text), EVENTS, JSON.stringify(end));
    assert.deepEqual(read(...text), EVENTS, `${JSON.stringify(end)} by characters`);
    for (let cut = 0; cut <= text.length; cut += 1) {
      assert.deepEqual(read(text.slice(0, cut), '', text.slice(cut)), EVENTS, `${JSON.stringify(end)} cut at ${cut}`);
    }
  }
});

test('an event without data, or without its blank line, is none', () => {
  assert.deepEqual(read('event: lines\nid: 1\n\n'), []);
  assert.deepEqual(read('data: 1\n'), []);
  assert.deepEqual(read('data: 1'), []);
});

test('the name of an event is forgotten with it, an id is not, and an id with a NUL is none', () => {
  assert.deepEqual(read('event: a\nid: 1\ndata: x\n\nid: 2\0\ndata: y\n\n'), [
    { event: 'a', data: 'x', id: '1' },
    { event: 'message', data: 'y', id: '1' },
  ]);
});

test('an event without an end is given up', () => {
  const reader = new EventReader();
  assert.throws(() => {
    for (let megabytes = 0; megabytes < 20; megabytes += 1) [...reader.push('x'.repeat(1024 * 1024))];
  }, RangeError);
});
