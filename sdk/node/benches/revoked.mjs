// What a million live revocations cost: memory, time for a check, and for how long forgetting holds everybody up.
//
//     $ npm test && node --expose-gc benches/revoked.mjs

import { randomUUID } from 'node:crypto';

import { readAnswer } from '../build/src/answer.js';
import { Revoked } from '../build/src/revoked.js';

const COUNT = 1_000_000;
const PAGE = 10_000;
const NOW = 1_790_000_000;

/** A UUID of version 7, as random as those of a server. */
function session() {
  const uuid = randomUUID();
  return `${uuid.slice(0, 14)}7${uuid.slice(15)}`;
}

/** An answer of the feed. */
function page(sessions) {
  const lines = sessions.map((session, number) => ({ session, forget_at: NOW + (number % 300) }));
  return JSON.stringify({ cursor: 'a.1', more: true, reset: false, lines });
}

/** MiB of the heap and beside it. */
function held() {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

function milliseconds(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

const revoked = new Revoked();
const before = held();
const some = [];
let took = 0;
for (let number = 0; number < COUNT / PAGE; number += 1) {
  const sessions = Array.from({ length: PAGE }, session);
  if (number % 10 === 0) some.push(...JSON.parse(JSON.stringify(sessions)));
  const document = page(sessions);
  took += milliseconds(() => readAnswer(document).lines.forEach((line) => revoked.apply(line)));
}
const own = (some.length * 64) / 2 ** 20;
console.log(`${COUNT} sessions: ${(held() - before - own).toFixed(0)} MiB, ${((took / COUNT) * 1e3).toFixed(2)} µs to read and apply a line`);

const others = some.map(session);
for (const [what, sessions] of [['that is over', some], ['like any other', others]]) {
  const claims = sessions.map((sid) => ({ sid, sub: '42', account_version: 1 }));
  const all = milliseconds(() => claims.forEach((each) => revoked.check(each)));
  console.log(`a check of a session ${what}: ${((all / claims.length) * 1e6).toFixed(0)} ns`);
}
for (const [what, moment] of [['nothing', NOW - 1], ['a minute of five', NOW + 60], ['all', NOW + 300]]) {
  console.log(`to forget ${what}: ${milliseconds(() => revoked.forget(moment)).toFixed(0)} ms`);
}
console.log(`then: ${(held() - before).toFixed(0)} MiB`);
