import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';

import express from 'express';

import { requireUser } from '../src/express.js';
import { type Verifier } from '../src/index.js';
import { Hallpass, newSession, until } from './support.js';

/** The address of an application with an open route, one for accounts and one for a role. */
async function serve(t: TestContext, verifier: Verifier): Promise<string> {
  const app = express();
  app.get('/', (_request, response) => void response.send('open'));
  app.get('/orders', requireUser(verifier), (request, response) => void response.json({ account: request.user?.sub }));
  app.get('/refunds', requireUser(verifier, { role: 'support' }), (request, response) => void response.json(request.user?.roles));
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.close(), server.closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('Express: a request is let in with a good token, and answered with a problem without', async (t) => {
  const hallpass = await Hallpass.start(t);
  const { verifier } = hallpass.verifier(t);
  const base = await serve(t, verifier);
  const get = (path: string, token?: string): Promise<Response> =>
    fetch(base + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

  assert.equal((await get('/')).status, 200);
  const good = await get('/orders', hallpass.token());
  assert.deepEqual([good.status, await good.json()], [200, { account: '7' }]);
  const support = await get('/refunds', hallpass.token({ roles: ['sales', 'support'] }));
  assert.deepEqual([support.status, await support.json()], [200, ['sales', 'support']]);

  const missing = await get('/orders');
  assert.deepEqual([missing.status, missing.headers.get('content-type'), missing.headers.get('www-authenticate')], [401, 'application/problem+json', 'Bearer']);
  assert.deepEqual(await missing.json(), {
    type: 'about:blank', title: 'Sign in first', status: 401, detail: 'Send an access token as `Authorization: Bearer`', code: 'token_missing',
  });
  const invalid = await get('/orders', 'nonsense');
  assert.equal(invalid.headers.get('www-authenticate'), 'Bearer error="invalid_token", error_description="The access token is not valid"');
  assert.deepEqual(await invalid.json(), {
    type: 'about:blank', title: 'The access token is not valid', status: 401, detail: 'Sign in again', code: 'token_invalid',
  });
  const forbidden = await get('/refunds', hallpass.token({ roles: ['sales'] }));
  assert.deepEqual([forbidden.status, ((await forbidden.json()) as { code: string }).code], [403, 'forbidden']);
  assert.equal(forbidden.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", error_description="The account may not do this"');

  const sid = newSession();
  const token = hallpass.token({ sid });
  hallpass.revoke({ session: sid, forget_at: Math.floor(Date.now() / 1_000) + 400 });
  await until(async () => (await get('/orders', token)).status === 401);
  assert.equal(((await (await get('/orders', token)).json()) as { code: string }).code, 'session_ended');
});

test('Express: while revocations are not known the answer is 503 and signs nobody out', async (t) => {
  const hallpass = await Hallpass.start(t);
  hallpass.feedStatus = 503;
  const { verifier } = hallpass.verifier(t);
  const response = await fetch(`${await serve(t, verifier)}/orders`, { headers: { authorization: `Bearer ${hallpass.token()}` } });
  assert.deepEqual([response.status, response.headers.get('retry-after'), response.headers.get('www-authenticate')], [503, '1', null]);
  assert.equal(((await response.json()) as { code: string }).code, 'revocation_unknown');
});

test('Express: of two `Authorization` headers none is chosen', async (t) => {
  const hallpass = await Hallpass.start(t);
  const { verifier } = hallpass.verifier(t);
  const token = hallpass.token();
  const base = await serve(t, verifier);
  const status = async (...values: string[]): Promise<number | undefined> => {
    const request = httpRequest(`${base}/orders`, { headers: ['Host', 'here', ...values.flatMap((value) => ['Authorization', value])] });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  assert.equal(await status(`Bearer ${token}`), 200);
  assert.equal(await status(`Bearer ${token}`, `Bearer ${token}`), 401);
  assert.equal(await status(`Bearer ${token}`, 'Basic eA=='), 401);
});
