// Machines that sleep, processes that are stopped, and clocks that are set: what was heard counts for as long as
// `maxStaleness` says by whichever clock says more, and nothing that a wrong clock made it forget is taken for good.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';

import { answer, AUDIENCE, CLIENT, Hallpass, newSession, until } from './support.js';

const DAY = 86_400;
const BOTH = ['stream', 'poll'] as const;

/** The two clocks of the machine, each put forward by itself. */
class Clocks {
  ahead = 0;
  monotonicAhead = 0;
  now = (): number => Date.now() / 1_000 + this.ahead;
  monotonic = (): number => performance.now() + this.monotonicAhead * 1_000;
}

/** The feed goes away, and nothing of it is on its way any more. */
async function goAway(server: Hallpass, errors: readonly unknown[]): Promise<void> {
  server.feedStatus = 503;
  server.silent = true;
  server.cut();
  await until(() => errors.length > 0);
}

test('what the machine slept through counts as silence', async (t) => {
  for (const feed of BOTH) {
    const server = await Hallpass.start(t);
    const clock = new Clocks();
    const { verifier, errors } = server.verifier(t, { feed, clock });
    await verifier.start();
    const token = server.token();
    await goAway(server, errors);
    assert.equal(await answer(verifier.verify(token)), 'good');
    // The monotonic clock stood still.
    clock.ahead += 11;
    assert.deepEqual([verifier.current, await answer(verifier.verify(token))], [false, 'revocation_unknown'], feed);
    [server.feedStatus, server.silent] = [undefined, false];
    await until(() => verifier.current);
    assert.equal(await answer(verifier.verify(token)), 'good');
  }
});

test('a clock that was set back is not believed before the server is heard again', async (t) => {
  for (const feed of BOTH) {
    const server = await Hallpass.start(t);
    const clock = new Clocks();
    const { verifier, errors } = server.verifier(t, { feed, clock });
    await verifier.start();
    const now = Math.floor(Date.now() / 1_000) - 60;
    const token = server.token({ iat: now, auth_time: now });
    await goAway(server, errors);
    clock.ahead -= 1;
    assert.equal(await answer(verifier.verify(token)), 'good', 'by so much it may be wrong');
    clock.ahead -= 20;
    assert.deepEqual([verifier.current, await answer(verifier.verify(token))], [false, 'revocation_unknown'], feed);
    [server.feedStatus, server.silent] = [undefined, false];
    await until(() => verifier.current);
    assert.equal(await answer(verifier.verify(token)), 'good');
  }
});

test('a day ahead and back lets no ended session in, and the others are good again', { timeout: 60_000 }, async (t) => {
  for (const feed of BOTH) {
    const server = await Hallpass.start(t);
    const clock = new Clocks();
    const { verifier } = server.verifier(t, { feed, clock, maxStaleness: 3 });
    const sid = newSession();
    server.revoke({ session: sid, forget_at: Math.floor(Date.now() / 1_000) + 400 });
    await verifier.start();
    const [over, live] = [server.token({ sid }), server.token()];
    const back = async (): Promise<void> => {
      clock.ahead = 0;
      await until(async () => {
        assert.notEqual(await answer(verifier.verify(over)), 'good', feed);
        return (await answer(verifier.verify(live))) === 'good';
      });
      assert.equal(await answer(verifier.verify(over)), 'session_ended', feed);
    };
    clock.ahead = DAY;
    // Time to forget: by this clock nothing that is held matters any more.
    clock.monotonicAhead += 61;
    const tomorrow = { iat: Math.floor(clock.now()), exp: Math.floor(clock.now()) + 300, auth_time: 0 };
    await until(async () => (await answer(verifier.verify(server.token({ sid, ...tomorrow })))) === 'good');
    await back();
    clock.ahead = -DAY;
    clock.monotonicAhead += 61;
    await until(() => verifier.current);
    await back();
  }
});

/** A back end, which prints its port and lets in whoever has a good token. */
const BACK_END = `
  const server = http.createServer((request, response) => {
    verifier.authenticate(request.headers.authorization).then(
      () => response.end('good'),
      (error) => response.writeHead(error.status ?? 500).end(error.code),
    );
  });
  await verifier.start();
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

test('a process that was stopped for too long lets in nobody who signed out meanwhile', { timeout: 60_000 }, async (t) => {
  for (const feed of BOTH) {
    const server = await Hallpass.start(t);
    const options = { issuer: server.issuer, audience: AUDIENCE, clientId: CLIENT.id, clientSecret: CLIENT.secret, baseUrl: server.url };
    const index = new URL('../src/index.js', import.meta.url);
    const first = `import http from 'node:http'; import { Verifier } from '${index}';
      const verifier = new Verifier(${JSON.stringify({ ...options, feed, maxStaleness: 1 })});`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', first + BACK_END], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const ask = async (token: string): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${String(port).trim()}`, { headers: { authorization: `Bearer ${token}` } });
      return await response.text();
    };
    for (let round = 0; round < 3; round += 1) {
      const sid = newSession();
      const [over, live] = [server.token({ sid }), server.token()];
      await until(async () => (await ask(over)) === 'good');
      child.kill('SIGSTOP');
      const [stopped, line] = [performance.now(), { session: sid, forget_at: Math.floor(Date.now() / 1_000) + 400 }];
      const without = round === 1;
      if (!without) server.revoke(line);
      // Longer than `maxStaleness`, with what the stream brings meanwhile.
      await until(() => performance.now() - stopped > 1_500);
      if (without) {
        // Heartbeats are all that waits there: the news never comes.
        server.feedStatus = 503;
        server.cut();
        server.revoke(line);
      }
      // They wait for it when it goes on.
      const answers = Promise.all(Array.from({ length: 8 }, () => ask(over)));
      child.kill('SIGCONT');
      for (const given of await answers) assert.match(given, /^(session_ended|revocation_unknown)$/, `${feed} ${round}`);
      // Nor is what waited in the stream taken for news, a moment later.
      for (let count = 0; count < 20; count += 1) assert.notEqual(await ask(over), 'good', `${feed} ${round}`);
      server.feedStatus = undefined;
      await until(async () => {
        assert.notEqual(await ask(over), 'good', feed);
        return (await ask(live)) === 'good';
      });
      assert.equal(await ask(over), 'session_ended');
    }
    child.kill('SIGKILL');
  }
});
