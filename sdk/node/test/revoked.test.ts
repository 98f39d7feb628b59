import assert from 'node:assert/strict';
import test from 'node:test';

import { readAnswer } from '../src/answer.js';
import { type Claims } from '../src/claims.js';
import { Revoked } from '../src/revoked.js';
import { newSession } from './support.js';

const SID = newSession();

function claims(members: Partial<Claims>): Claims {
  return { sid: SID, sub: '7', account_version: 3, ...members } as Claims;
}

test('an ended session and an account below its version are told apart, and the session outweighs', () => {
  const revoked = new Revoked();
  assert.equal(revoked.check(claims({})), undefined);
  revoked.apply({ account: '7', belowVersion: 4, forgetAt: 100 });
  assert.equal(revoked.check(claims({})), 'token_stale');
  assert.equal(revoked.check(claims({ account_version: 4 })), undefined);
  assert.equal(revoked.check(claims({ sub: '70' })), undefined);
  revoked.apply({ session: SID, forgetAt: 100 });
  assert.equal(revoked.check(claims({})), 'session_ended');
  assert.equal(revoked.check(claims({ account_version: 4 })), 'session_ended');
  assert.equal(revoked.check(claims({ sid: newSession(), account_version: 4 })), undefined);
});

test('the later moment and the higher version count, in whatever order the lines come', () => {
  for (const order of [[1, 2], [2, 1], [1, 2, 1], [2, 1, 2, 1]]) {
    const revoked = new Revoked();
    for (const step of order) {
      revoked.apply({ session: SID, forgetAt: 100 * step });
      // The higher version comes with the earlier moment.
      revoked.apply({ account: '7', belowVersion: 10 - step, forgetAt: 100 * step });
    }
    revoked.forget(199);
    assert.equal(revoked.size, 2, String(order));
    assert.equal(revoked.check(claims({ sid: newSession(), account_version: 8 })), 'token_stale', String(order));
    revoked.forget(200);
    assert.equal(revoked.size, 0, String(order));
  }
});

test('a line is forgotten at its `forget_at` and not before', () => {
  const revoked = new Revoked();
  revoked.apply({ session: SID, forgetAt: 100 });
  revoked.apply({ account: '7', belowVersion: 4, forgetAt: 101 });
  revoked.forget(99);
  assert.equal(revoked.size, 2);
  revoked.forget(100);
  assert.equal(revoked.size, 1);
  assert.equal(revoked.check(claims({})), 'token_stale');
  revoked.forget(101);
  assert.equal(revoked.size, 0);
});

test('an account beyond the whole numbers of a double is read exactly', () => {
  const answer = readAnswer('{"cursor":"c","lines":[{"account":9007199254740993,"below_version":2,"forget_at":5}]}');
  assert.deepEqual(answer.lines, [{ account: '9007199254740993', belowVersion: 2, forgetAt: 5 }]);
});

test('an answer that makes no sense is not taken, and one with unknown lines says so', () => {
  const line = { session: SID, forget_at: 5 };
  const good = { cursor: 'a.B-_9', more: false, reset: true, lines: [line] };
  assert.deepEqual(readAnswer(JSON.stringify(good)), { cursor: 'a.B-_9', more: false, lines: [{ session: SID, forgetAt: 5 }], tooNew: false });
  const bad: object[] = [
    { cursor: undefined }, { cursor: '' }, { cursor: 'a b' }, { cursor: 'a'.repeat(201) }, { cursor: 7 }, { more: 1 }, { reset: 'no' },
    { lines: undefined }, { lines: {} },
  ];
  for (const members of bad) assert.throws(() => readAnswer(JSON.stringify({ ...good, ...members })), JSON.stringify(members));
  const unknown: unknown[] = [
    null, {}, { ...line, forget_at: '5' }, { ...line, forget_at: 5.5 }, { ...line, forget_at: undefined }, { ...line, session: SID.toUpperCase() },
    { ...line, account: 7 }, { ...line, below_version: 7 }, { account: 7, forget_at: 5 }, { account: 0, below_version: 1, forget_at: 5 },
    { account: '7', below_version: 1, forget_at: 5 }, { account: 7, below_version: 1.5, forget_at: 5 }, { device: 7, forget_at: 5 },
  ];
  for (const other of unknown) {
    const { lines, tooNew } = readAnswer(JSON.stringify({ ...good, lines: [other, line] }));
    assert.deepEqual([lines.length, tooNew], [1, true], JSON.stringify(other));
  }
  assert.throws(() => readAnswer('[]'));
  assert.throws(() => readAnswer('{"cursor":"a","cursor":"b","lines":[]}'));
});
