import assert from 'node:assert/strict';
import test from 'node:test';

import { answer, CLIENT, Hallpass, newSession, until } from './support.js';

/** Later than any token of these tests is good. */
const LATER = Math.floor(Date.now() / 1_000) + 3_700;

test('an ended session is refused as soon as the stream says so', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, errors } = server.verifier(t);
  await verifier.start();
  await until(() => server.openStreams === 1);
  const [ours, other] = [newSession(), newSession()];
  const token = server.token({ sid: ours });
  assert.equal(await answer(verifier.verify(token)), 'good');
  server.revoke({ session: ours, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
  assert.equal(await answer(verifier.verify(server.token({ sid: ours }))), 'session_ended');
  assert.equal(await answer(verifier.verify(server.token({ sid: other }))), 'good');
  assert.deepEqual(server.feedRequests().map(({ stream }) => stream), [false, true], 'nothing was asked again');
  assert.deepEqual(errors, []);
});

test('a token below the version of its account is stale, and a newer one is good', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  const [old, next] = [server.token({ account_version: 1 }), server.token({ account_version: 2 })];
  assert.equal(await answer(verifier.verify(old)), 'good');
  server.revoke({ account: 7, below_version: 2, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(old))) === 'token_stale');
  assert.equal(await answer(verifier.verify(next)), 'good');
  assert.equal(await answer(verifier.verify(server.token({ sub: '8' }))), 'good');
});

test('what was taken back before the start is known when it is over, in however many pages it comes', async (t) => {
  const server = await Hallpass.start(t);
  const sessions = Array.from({ length: 10 }, newSession);
  server.revoke(...sessions.map((session) => ({ session, forget_at: LATER })));
  server.page = 3;
  const { verifier } = server.verifier(t);
  await verifier.start();
  for (const sid of sessions) assert.equal(await answer(verifier.verify(server.token({ sid }))), 'session_ended');
  const since = server.feedRequests().filter(({ stream }) => !stream).map(({ query }) => query.get('since'));
  assert.deepEqual(since, [null, 'h1.3', 'h1.6', 'h1.9']);
});

test('a snapshot whose rest does not come is not complete', async (t) => {
  const server = await Hallpass.start(t);
  server.feedBody = JSON.stringify({ cursor: 'h1.0', more: true, lines: [] });
  const { verifier } = server.verifier(t, { startTimeout: 1 });
  await assert.rejects(verifier.start(), /not ready after 1 s: .* more behind the same cursor/);
  assert.equal(verifier.current, false);
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
});

test('after a cut the stream is resumed with the cursor, and what was missed is known', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, errors } = server.verifier(t);
  await verifier.start();
  const [first, missed] = [newSession(), newSession()];
  const token = server.token({ sid: first });
  server.revoke({ session: first, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
  await until(() => server.openStreams === 1);
  const asked = server.feedRequests().length;
  server.cut();
  await until(() => server.openStreams === 0);
  server.revoke({ session: missed, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(server.token({ sid: missed })))) === 'session_ended');
  await until(() => server.openStreams === 1);
  const [again, stream] = server.feedRequests().slice(asked);
  assert.deepEqual([again?.query.get('since'), again?.ifNoneMatch], ['h1.1', '"h1.1"']);
  assert.deepEqual([stream?.stream, stream?.lastEventId], [true, 'h1.2']);
  assert.equal(await answer(verifier.verify(token)), 'session_ended');
  assert.deepEqual(errors, [], 'a cut that is over at once is no outage');
});

test('a new history is taken over, and what was held besides stays', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  await until(() => server.openStreams === 1);
  const [old, restored, later, last] = [newSession(), newSession(), newSession(), newSession()];
  const ended = async (sid: string): Promise<boolean> => (await answer(verifier.verify(server.token({ sid })))) === 'session_ended';
  server.revoke({ session: old, forget_at: LATER });
  await until(() => ended(old));
  server.restore({ session: restored, forget_at: LATER });
  await until(() => ended(restored));
  // Once more while nobody listens: the cursor is of a history that is gone.
  server.streamStatus = 503;
  server.cut();
  server.restore({ session: later, forget_at: LATER });
  await until(() => ended(later));
  server.streamStatus = undefined;
  await until(() => server.openStreams === 1);
  server.revoke({ session: last, forget_at: LATER });
  await until(() => ended(last));
  for (const sid of [old, restored, later, last]) assert.ok(await ended(sid));
});

test('lines that come twice and out of order do no harm', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const sid = newSession();
  const lines = [
    { account: 7, below_version: 3, forget_at: LATER }, { session: sid, forget_at: LATER }, { account: 7, below_version: 2, forget_at: LATER + 9 },
    { session: sid, forget_at: LATER - 9 }, { account: 7, below_version: 3, forget_at: LATER },
  ];
  await verifier.start();
  server.revoke(...lines, ...lines.reverse());
  await until(async () => (await answer(verifier.verify(server.token({ sid, account_version: 9 })))) === 'session_ended');
  assert.equal(await answer(verifier.verify(server.token({ account_version: 2 }))), 'token_stale');
  assert.equal(await answer(verifier.verify(server.token({ account_version: 3 }))), 'good');
});

test('a line stays until its `forget_at`, and is dropped with the news that come after', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, clock } = server.verifier(t);
  const sid = newSession();
  const now = Math.floor(clock.now());
  server.revoke({ session: sid, forget_at: now + 60 });
  await verifier.start();
  // It lives longer than any token that Hallpass would issue for this session, so that the line can be seen to go.
  const token = server.token({ sid, exp: now + 3_000 });
  clock.advance(50);
  await until(() => verifier.current);
  assert.equal(await answer(verifier.verify(token)), 'session_ended');
  // A minute later: clocks are set back now and then.
  clock.advance(80);
  await until(async () => (await answer(verifier.verify(token))) === 'good');
});

test('silence is refused with 503 until something is heard again, and nobody is signed out', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, clock } = server.verifier(t);
  await verifier.start();
  await until(() => server.openStreams === 1);
  const token = server.token();
  assert.equal(await answer(verifier.verify(token)), 'good');
  server.silent = true;
  server.feedStatus = 503;
  // What was on its way is heard; then the clock says that it was long ago.
  await until(async () => {
    clock.advance(11);
    return (await answer(verifier.verify(token))) === 'revocation_unknown';
  });
  assert.equal(verifier.current, false);
  const error = await verifier.verify(token).catch((error: unknown) => error);
  const { status, headers } = error as { status: number; headers: Record<string, string> };
  assert.deepEqual([status, headers['retry-after'], headers['www-authenticate']], [503, '1', undefined]);
  assert.equal(await answer(verifier.verify('nonsense')), 'token_invalid', 'what is wrong is wrong all the same');
  server.silent = false;
  server.feedStatus = undefined;
  await until(async () => (await answer(verifier.verify(token))) === 'good');
});

test('comments on an open stream are no heartbeats', async (t) => {
  const server = await Hallpass.start(t);
  server.silent = true;
  const { verifier, clock } = server.verifier(t);
  await verifier.start();
  await until(() => server.openStreams === 1);
  clock.advance(11);
  server.write(': still here\n\nevent: other\ndata: {}\n\ndata: {}\n\n');
  // Whatever comes after them is read after them.
  assert.equal(verifier.current, false);
  const sid = newSession();
  const token = server.token({ sid });
  assert.equal(await answer(verifier.verify(token)), 'revocation_unknown');
  server.revoke({ session: sid, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
  await until(() => verifier.current);
});

test('`accept` goes on with what is known', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, clock } = server.verifier(t, { whenStale: 'accept' });
  const sid = newSession();
  server.revoke({ session: sid, forget_at: LATER });
  await verifier.start();
  server.stop();
  clock.advance(60);
  await until(() => !verifier.current);
  assert.equal(await answer(verifier.verify(server.token())), 'good');
  assert.equal(await answer(verifier.verify(server.token({ sid }))), 'session_ended');
});

test('a stream that is silent for too long is given up for a new one', async (t) => {
  const server = await Hallpass.start(t);
  server.silent = true;
  const { verifier, errors } = server.verifier(t, { maxStaleness: 5 });
  await verifier.start();
  await until(() => server.openStreams === 1);
  await until(() => server.feedRequests().filter(({ stream }) => stream).length === 2);
  assert.ok(verifier.current, 'what was asked before the new stream counts');
  assert.deepEqual(errors.map(({ code, message }) => [code, message.includes('silent')]), [['unreachable', true]]);
});

test('a feed that says 503 is told once for each outage, and asked again', async (t) => {
  const server = await Hallpass.start(t);
  server.feedStatus = 503;
  const { verifier, errors } = server.verifier(t);
  const started = verifier.start();
  await until(() => server.feedRequests().length >= 4);
  assert.deepEqual(errors.map(({ code }) => code), ['unavailable']);
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
  server.feedStatus = undefined;
  await started;
  assert.equal(await answer(verifier.verify(server.token())), 'good');
  await until(() => server.openStreams === 1);
  const sid = newSession();
  const token = server.token({ sid });
  server.revoke({ session: sid, forget_at: LATER });
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
  server.feedStatus = 503;
  server.cut();
  await until(() => errors.length === 2);
  assert.equal(errors[1]?.code, 'unavailable');
});

test('a wrong secret is told once and clearly, and is asked with again until it is right', async (t) => {
  const server = await Hallpass.start(t);
  server.secret = 'another';
  const { verifier, errors } = server.verifier(t, { startTimeout: 1 });
  await assert.rejects(verifier.start(), { name: 'ServerError', code: 'client_invalid', message: /^not ready after 1 s: .* refuses this client id/ });
  await until(() => server.wrongSecrets < 0);
  assert.deepEqual(errors.map(({ code }) => code), ['client_invalid']);
  assert.match(errors[0]?.message ?? '', /refuses this client id and secret; `hallpass clients create` makes a new pair$/);
  assert.doesNotMatch(errors[0]?.message ?? '', /a secret of/);
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
  server.secret = CLIENT.secret;
  await until(() => verifier.current);
  assert.equal(await answer(verifier.verify(server.token())), 'good');
});

test('an answer that is not understood is told, and does not count as heard; what is understood of it counts', async (t) => {
  const server = await Hallpass.start(t);
  const sid = newSession();
  server.feedBody = JSON.stringify({ cursor: 'a', lines: [{ device: 1, forget_at: 5 }, { session: sid, forget_at: LATER }] });
  const { verifier, errors } = server.verifier(t, { startTimeout: 1 });
  await assert.rejects(verifier.start(), { code: 'answer_unexpected', message: /a line that this version does not know/ });
  assert.equal(errors.length, 1);
  assert.equal(verifier.current, false);
  assert.equal(await answer(verifier.verify(server.token({ sid }))), 'session_ended');
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
});

test('a cursor that the server does not take is given up for everything that is live', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  await until(() => server.openStreams === 1);
  const asked = server.feedRequests().length;
  server.feedStatus = 400;
  server.cut();
  await until(() => server.feedRequests().length > asked);
  server.feedStatus = undefined;
  await until(() => server.openStreams === 1);
  const since = server.feedRequests().slice(asked).map(({ query }) => query.get('since'));
  assert.deepEqual([since[0], since.at(-2)], ['h1.0', null]);
});

test('a clock that is set back far is a reason to read everything anew', async (t) => {
  const server = await Hallpass.start(t);
  let now = Math.floor(Date.now() / 1_000);
  let ahead = 0;
  const clock = { now: () => now, monotonic: () => performance.now() + ahead };
  const { verifier } = server.verifier(t, { clock });
  const sid = newSession();
  server.revoke({ session: sid, forget_at: now + 400 });
  await verifier.start();
  const token = server.token({ sid });
  now += 3_600;
  ahead += 10_000;
  // What is over by this clock is dropped with the next heartbeat.
  await until(async () => (await answer(verifier.verify(server.token({ sid, iat: now, exp: now + 300 })))) === 'good');
  now -= 3_600;
  await until(async () => (await answer(verifier.verify(token))) === 'session_ended');
});

test('nonsense in an open stream counts as nothing heard', async (t) => {
  for (const data of ['nonsense', '{}', '{"cursor":"h1.0","lines":[{"device":1,"forget_at":5}]}']) {
    const server = await Hallpass.start(t);
    server.silent = true;
    const { verifier, errors, clock } = server.verifier(t);
    await verifier.start();
    await until(() => server.openStreams === 1);
    // Nothing else will be heard.
    server.feedStatus = 500;
    clock.advance(4);
    server.write(`event: lines\ndata: ${data}\n\n`);
    await until(() => errors.length > 0);
    assert.deepEqual([verifier.current, errors[0]?.code], [true, 'answer_unexpected'], data);
    clock.advance(7);
    assert.deepEqual([verifier.current, await answer(verifier.verify(server.token()))], [false, 'revocation_unknown'], data);
  }
});

test('a stream that ends at once is told', async (t) => {
  const server = await Hallpass.start(t);
  server.endless = false;
  const { verifier, errors } = server.verifier(t);
  await verifier.start();
  await until(() => errors.length === 1);
  assert.match(errors[0]?.message ?? '', /a stream that ends at once/);
});

test('where no stream is to be had, the questions between the attempts keep it current', async (t) => {
  const server = await Hallpass.start(t);
  server.streamStatus = 404;
  const { verifier, errors } = server.verifier(t);
  await verifier.start();
  await until(() => server.feedRequests().length >= 6);
  assert.ok(verifier.current);
  assert.deepEqual(errors.map(({ code }) => code), ['answer_unexpected']);
});

test('the secret is not sent along where the server sends elsewhere', async (t) => {
  const server = await Hallpass.start(t);
  server.feedStatus = 307;
  const { verifier } = server.verifier(t, { startTimeout: 1 });
  await assert.rejects(verifier.start(), { code: 'answer_unexpected', message: /answered 307/ });
});
