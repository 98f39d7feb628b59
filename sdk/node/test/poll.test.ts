import assert from 'node:assert/strict';
import test from 'node:test';

import { answer, Hallpass, newSession, until } from './support.js';

const LATER = Math.floor(Date.now() / 1_000) + 3_700;

test('a poll waits at the server, with the cursor of what it knows, and opens no stream', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, errors } = server.verifier(t, { feed: 'poll' });
  await verifier.start();
  await until(() => server.feedRequests().length === 2);
  const sid = newSession();
  const token = server.token({ sid });
  assert.equal(await answer(verifier.verify(token)), 'good');
  server.revoke({ session: sid, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
  const [first, second] = server.feedRequests();
  assert.deepEqual([first?.query.get('since'), first?.query.get('wait'), first?.ifNoneMatch], [null, '0', undefined]);
  assert.deepEqual([second?.query.get('since'), second?.query.get('wait'), second?.ifNoneMatch], ['h1.0', '3', '"h1.0"']);
  assert.ok(server.feedRequests().every(({ stream }) => !stream));
  assert.deepEqual(errors, []);
});

test('304 means that everything is known', async (t) => {
  const server = await Hallpass.start(t);
  const sid = newSession();
  server.revoke({ session: sid, forget_at: LATER });
  // It is a third of the time that a poll waits: none, and so there are many answers 304.
  const { verifier, clock } = server.verifier(t, { feed: 'poll', maxStaleness: 1 });
  await verifier.start();
  await until(() => server.feedRequests().length >= 4);
  assert.ok(server.feedRequests().slice(1).every(({ ifNoneMatch, query }) => ifNoneMatch === '"h1.1"' && query.get('since') === 'h1.1'));
  clock.advance(2);
  await until(() => verifier.current);
  assert.equal(await answer(verifier.verify(server.token({ sid }))), 'session_ended');
  assert.equal(await answer(verifier.verify(server.token())), 'good');
});

test('several pages are asked for without a pause', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t, { feed: 'poll' });
  await verifier.start();
  await until(() => server.feedRequests().length === 2);
  server.page = 1;
  const sessions = Array.from({ length: 20 }, newSession);
  const before = performance.now();
  server.revoke(...sessions.map((session) => ({ session, forget_at: LATER })));
  await until(async () => (await answer(verifier.verify(server.token({ sid: sessions.at(-1) ?? '' })))) === 'session_ended');
  assert.ok(performance.now() - before < 5_000, 'with a pause between two of them it would be 19 seconds');
});

test('a poll that fails is told once, not current after a while, and resumed with the cursor', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, errors, clock } = server.verifier(t, { feed: 'poll' });
  const { port } = server;
  await verifier.start();
  server.stop();
  clock.advance(11);
  await until(() => errors.some(({ message }) => message.includes('/api/v1/revocations')));
  assert.deepEqual([verifier.current, errors.length, errors[0]?.code], [false, 1, 'unreachable']);
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
  const asked = server.feedRequests().length;
  const sid = newSession();
  server.revoke({ session: sid, forget_at: LATER });
  await server.listen(port);
  await until(async () => (await answer(verifier.verify(server.token({ sid })))) === 'session_ended');
  assert.equal(server.feedRequests()[asked]?.query.get('since'), 'h1.0');
  await until(async () => (await answer(verifier.verify(server.token()))) === 'good');
  assert.equal(errors.length, 1);
});
