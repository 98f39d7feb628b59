import assert from 'node:assert/strict';
import test from 'node:test';

import { answer, Hallpass, Signer, until } from './support.js';

test('a token with a new key is a reason to ask for the keys once more', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  const next = new Signer('EdDSA');
  server.keys.push(next.jwk);
  assert.equal(await answer(verifier.verify(next.token(server.claims()))), 'good');
  assert.equal(await answer(verifier.verify(server.token())), 'good');
  assert.equal(server.keyRequests().length, 2);
});

test('for unknown keys the server is asked at most once in 10 seconds', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, clock } = server.verifier(t);
  await verifier.start();
  const stranger = (): string => new Signer('EdDSA').token(server.claims());
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(verifier.verify(stranger()))));
  assert.deepEqual(new Set(answers), new Set(['token_invalid']));
  assert.equal(await answer(verifier.verify(stranger())), 'token_invalid');
  assert.equal(server.keyRequests().length, 2);
  clock.advance(10);
  assert.equal(await answer(verifier.verify(stranger())), 'token_invalid');
  assert.equal(await answer(verifier.verify(stranger())), 'token_invalid');
  assert.equal(server.keyRequests().length, 3);
});

test('a key that was withdrawn is good no more, nor is what was verified with it', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  const token = server.token();
  assert.equal(await answer(verifier.verify(token)), 'good');
  const next = new Signer('EdDSA');
  server.keys = [next.jwk];
  assert.equal(await answer(verifier.verify(next.token(server.claims()))), 'good');
  assert.equal(await answer(verifier.verify(token)), 'token_invalid');
});

test('another key by an old name is not what verified the old tokens', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  const token = server.token();
  assert.equal(await answer(verifier.verify(token)), 'good');
  const twin = new Signer('ES256', server.signer.kid);
  const next = new Signer('EdDSA');
  server.keys = [twin.jwk, next.jwk];
  assert.equal(await answer(verifier.verify(next.token(server.claims()))), 'good');
  assert.equal(await answer(verifier.verify(token)), 'token_invalid');
  assert.equal(await answer(verifier.verify(twin.token(server.claims()))), 'good');
});

test('while the server is away or shows nonsense the keys stay, and an unknown one is not called wrong', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier, errors, clock } = server.verifier(t);
  await verifier.start();
  const unknown = new Signer('EdDSA').token(server.claims());
  for (const spoil of [
    () => (server.keysStatus = 500),
    () => ((server.keysStatus = undefined), (server.keys = [{ kty: 'oct', k: 'AAAA' }])),
  ]) {
    spoil();
    assert.equal(await answer(verifier.verify(unknown)), 'revocation_unknown');
    assert.equal(await answer(verifier.verify(server.token())), 'good');
    clock.advance(10);
    await until(() => verifier.current);
  }
  assert.deepEqual(errors.map(({ code }) => code), ['answer_unexpected']);
  server.keys = [server.signer.jwk];
  assert.equal(await answer(verifier.verify(unknown)), 'token_invalid');
});

test('a token with an unknown key waits for a server that does not answer no longer than a moment', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  await verifier.start();
  server.keysHang = true;
  const unknown = new Signer('EdDSA').token(server.claims());
  const before = performance.now();
  assert.equal(await answer(verifier.verify(unknown)), 'revocation_unknown');
  assert.ok(performance.now() - before < 4_000, 'the request itself is given up after 5 seconds');
  assert.equal(await answer(verifier.verify(server.token())), 'good');
});

test('keys are asked for again when their time is over, without a token that asks for it', async (t) => {
  const server = await Hallpass.start(t);
  server.cacheControl = 'public, max-age=1';
  const { verifier } = server.verifier(t);
  await verifier.start();
  const token = server.token();
  assert.equal(await answer(verifier.verify(token)), 'good');
  server.keys = [new Signer('EdDSA').jwk];
  await until(async () => (await answer(verifier.verify(token))) === 'token_invalid');
});
