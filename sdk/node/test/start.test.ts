import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';

import { Verifier, type VerifierOptions } from '../src/index.js';
import { answer, AUDIENCE, CLIENT, Hallpass, newSession, until } from './support.js';

const LATER = Math.floor(Date.now() / 1_000) + 3_700;

test('the first token starts the verifier and waits for what was taken back', async (t) => {
  const server = await Hallpass.start(t);
  const sid = newSession();
  server.revoke({ session: sid, forget_at: LATER });
  const { verifier } = server.verifier(t);
  assert.equal(server.asked.length, 0);
  const answers = await Promise.all([answer(verifier.verify(server.token())), answer(verifier.authenticate(`Bearer ${server.token({ sid })}`))]);
  assert.deepEqual(answers, ['good', 'session_ended']);
  assert.equal(server.keyRequests().length, 1);
});

test('a server that is not there blocks no check, and is found when it is', async (t) => {
  const server = await Hallpass.start(t);
  const { port } = server;
  const { verifier, errors } = server.verifier(t, { startTimeout: 1, baseUrl: server.url });
  server.stop();
  const token = server.token();
  assert.equal(await answer(verifier.verify(token)), 'revocation_unknown');
  assert.equal(await answer(verifier.verify('nonsense')), 'token_invalid');
  await assert.rejects(verifier.start(), { code: 'unreachable', message: /^not ready after 1 s: .* cannot be reached: ECONNREFUSED$/ });
  await server.listen(port);
  await until(() => verifier.current);
  assert.equal(await answer(verifier.verify(token)), 'good');
  assert.deepEqual(errors.map(({ code }) => code), ['unreachable', 'unreachable'], 'once for the keys and once for the feed');
});

test('without keys no token is good, nor called wrong, whatever is accepted', async (t) => {
  const server = await Hallpass.start(t);
  server.keysStatus = 503;
  const { verifier } = server.verifier(t, { whenStale: 'accept' });
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
  const started = verifier.start();
  server.keysStatus = undefined;
  await started;
  assert.equal(await answer(verifier.verify(server.token())), 'good');
});

test('a verifier that is closed hears nothing more, and its requests end', async (t) => {
  const server = await Hallpass.start(t);
  for (const feed of ['stream', 'poll'] as const) {
    const { verifier, errors } = server.verifier(t, { feed });
    await verifier.start();
    verifier.close();
    await until(() => server.openStreams === 0);
    assert.equal(verifier.current, false);
    assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown');
    await assert.rejects(verifier.start(), /closed/);
    assert.deepEqual(errors, []);
  }
  const { verifier } = server.verifier(t);
  server.feedStatus = 503;
  const started = assert.rejects(verifier.start(), /closed/);
  verifier.close();
  await started;
});

test('the audience is the issuer where none is named, as in Hallpass', async (t) => {
  const server = await Hallpass.start(t);
  const verifier = new Verifier({ issuer: server.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret, baseUrl: `${server.url}/` });
  t.after(() => verifier.close());
  await verifier.start();
  assert.equal(await answer(verifier.verify(server.token({ aud: server.issuer }))), 'good');
  assert.equal(await answer(verifier.verify(server.token())), 'token_invalid');
});

test('an option that makes no sense is refused by its name', () => {
  const good = { issuer: 'https://id.example', clientId: 'a', clientSecret: 'b' };
  const bad: Record<string, unknown>[] = [
    { issuer: '' }, { issuer: undefined }, { audience: '' }, { audience: 7 }, { clientId: '' }, { clientId: 'a:b' }, { clientSecret: '' },
    { baseUrl: 'id.example' }, { baseUrl: 'file:///etc' }, { whenStale: 'allow' }, { feed: 'push' }, { maxStaleness: 0 },
    { maxStaleness: Number.NaN }, { maxStaleness: '10' }, { leeway: -1 }, { leeway: 61 }, { startTimeout: 0 },
  ];
  for (const options of bad) {
    const [name = ''] = Object.keys(options);
    assert.throws(() => new Verifier({ ...good, ...options } as VerifierOptions), { name: 'TypeError', message: new RegExp(`^\`(${name}|baseUrl)\``) });
  }
});

/** Runs a program that has a verifier, and tells how it ended and what it wrote. */
async function run(t: TestContext, options: object, program: string): Promise<{ code: number | null; out: string; err: string }> {
  const index = new URL('../src/index.js', import.meta.url);
  const source = `const { Verifier } = await import('${index}'); const verifier = new Verifier(${JSON.stringify(options)}); ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill());
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

test('a program ends when it has closed its verifier, and also between two attempts', { timeout: 30_000 }, async (t) => {
  const server = await Hallpass.start(t);
  const options = { issuer: server.issuer, audience: AUDIENCE, clientId: CLIENT.id, clientSecret: CLIENT.secret, baseUrl: server.url };
  for (const feed of ['stream', 'poll']) {
    const program = `await verifier.start(); console.log((await verifier.verify('${server.token()}')).sub); verifier.close();`;
    assert.deepEqual(await run(t, { ...options, feed }, program), { code: 0, out: '7\n', err: '' });
  }
  server.secret = 'another';
  const ended = await run(t, options, `await verifier.verify('${server.token()}').catch((error) => console.log(error.code));`);
  assert.deepEqual([ended.code, ended.out], [0, 'revocation_unknown\n']);
  assert.match(ended.err, /\[client_invalid\] HallpassWarning: .* refuses this client id and secret/, 'nobody listened for errors');
});
