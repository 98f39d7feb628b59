import assert from 'node:assert/strict';
import test from 'node:test';

import { authorizationOf, bearer } from '../src/bearer.js';
import { answer } from './support.js';

test('exactly one `Bearer` and one token is taken, in any letter case of the scheme', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) assert.equal(bearer(`${scheme} a.b-c_d~e+f/g==`), 'a.b-c_d~e+f/g==');
  assert.equal(bearer(['Bearer a']), 'a');
});

test('whatever else an `Authorization` header says is refused', async () => {
  const bad = [
    '', ' ', 'Bearer', 'Bearer ', 'Bearer  a', ' Bearer a', 'Bearer a ', 'Bearer\ta', 'Bearer a b', 'Bearer a,b', 'Bearer a, Bearer b',
    'Bearera', 'Basic a', 'Token a', 'a', 'Bearer =', 'Bearer ==', 'Bearer a=b', 'Bearer "a"', 'Bearer a\n', 'Bearer ä', 'Bearer a;b',
  ];
  for (const value of bad) assert.equal(await answer((async () => bearer(value))()), 'token_invalid', JSON.stringify(value));
  assert.equal(await answer((async () => bearer(['Bearer a', 'Bearer a']))()), 'token_invalid');
});

test('no header is no token', async () => {
  for (const nothing of [undefined, []]) assert.equal(await answer((async () => bearer(nothing))()), 'token_missing');
});

test('a second `Authorization` header is seen though Node hides it', () => {
  const headers = { authorization: 'Bearer a' };
  assert.equal(authorizationOf({ headers, rawHeaders: ['Host', 'x', 'Authorization', 'Bearer a'] }), 'Bearer a');
  assert.equal(authorizationOf({ headers }), 'Bearer a');
  assert.equal(authorizationOf({ headers: {}, rawHeaders: ['Host', 'Authorization'] }), undefined);
  const twice = authorizationOf({ headers, rawHeaders: ['authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b'] });
  assert.equal(twice?.length, 2);
});
