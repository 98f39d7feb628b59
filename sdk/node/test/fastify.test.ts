import assert from 'node:assert/strict';
import test from 'node:test';

import fastify from 'fastify';

import { hallpass, requireUser } from '../src/fastify.js';
import { type Claims } from '../src/index.js';
import { answer, Hallpass } from './support.js';

declare module 'fastify' {
  interface FastifyRequest {
    user: Claims | null;
  }
}

test('Fastify: a request is let in with a good token, and answered with a problem without', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const app = fastify();
  t.after(() => app.close());
  await app.register(hallpass, { verifier });
  app.get('/', async (request) => ({ user: request.user }));
  app.get('/orders', { onRequest: requireUser(verifier) }, async (request) => ({ account: request.user?.sub }));
  app.get('/refunds', { preHandler: requireUser(verifier, { role: 'support' }) }, async (request) => request.user?.roles);
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  const get = async (path: string, token?: string): Promise<{ status: number; headers: Headers; body: unknown }> => {
    const response = await fetch(base + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  assert.deepEqual((await get('/')).body, { user: null });
  assert.deepEqual((await get('/orders', server.token())).body, { account: '7' });
  assert.deepEqual((await get('/refunds', server.token({ roles: ['support'] }))).body, ['support']);
  const missing = await get('/orders');
  assert.deepEqual([missing.status, missing.headers.get('content-type'), missing.headers.get('www-authenticate')], [401, 'application/problem+json', 'Bearer']);
  assert.equal((missing.body as { code: string }).code, 'token_missing');
  const forbidden = await get('/refunds', server.token());
  assert.deepEqual([forbidden.status, (forbidden.body as { code: string }).code], [403, 'forbidden']);

  await app.close();
  assert.equal(await answer(verifier.verify(server.token())), 'revocation_unknown', 'the verifier was closed with the server');
});
