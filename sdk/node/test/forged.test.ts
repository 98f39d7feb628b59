// Every way of forging a token that a generator of forgeries knows, against a verifier whose keys it was given. Where
// the generator, Python with `cryptography` or the table of choices are not there, it says so and is skipped.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { type Algorithm } from '../src/jwks.js';
import { answer, Hallpass, Signer } from './support.js';

interface Forgery {
  id: string;
  token: string;
  expect: 'accept' | 'reject' | 'policy';
  needs: string;
}

const PYTHON = process.env['HALLPASS_TEST_PYTHON'] ?? 'python3';
const SCRIPT = join(process.env['HALLPASS_SHARED'] ?? '/nowhere', 'security', 'forge.py');
/** What the verifier's clock shows; the token was issued a minute before. */
const NOW = 2_000_000_000;

/** Where the standards leave a choice, all Hallpass verifiers make the same. */
const CHOICES = fileURLToPath(new URL('../../../../crates/hallpass-token/src/choices.md', import.meta.url));

const missing = [
  ...(existsSync(SCRIPT) ? [] : ['the generator of forgeries in `HALLPASS_SHARED`']),
  ...(existsSync(CHOICES) ? [] : ['the table of choices']),
  ...(spawnSync(PYTHON, ['-c', 'import cryptography']).status === 0 ? [] : ['Python with `cryptography`']),
];
const skip = missing.length > 0 && `missing: ${missing.join(', ')}`;

/** Whether the token of a name is taken. */
function choices(): Map<string, boolean> {
  const taken = new Map<string, boolean>();
  for (const row of readFileSync(CHOICES, 'utf8').trimEnd().split('\n').slice(2)) {
    const [, named = '', is = ''] = row.split('|').map((cell) => cell.trim());
    assert.ok(is === 'taken' || is === 'refused', row);
    for (const [, name = ''] of (named.split(':', 1)[0] ?? '').matchAll(/`([^`]+)`/g)) taken.set(name, is === 'taken');
  }
  return taken;
}

async function forge(t: TestContext, server: Hallpass, other: Signer): Promise<Forgery[]> {
  const claims = server.claims({ iat: NOW - 60, auth_time: NOW - 60, exp: NOW + 240 });
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-forged-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { signer } = server;
  const args = [
    SCRIPT, '--now', String(NOW), '--big', '200000', '--evil-url', `${server.url}/trap`,
    '--token', signer.token(claims), '--other-token', other.token(claims),
    '--jwks', put('jwks.json', JSON.stringify({ keys: server.keys })),
    '--pem', put('public.pem', signer.publicKey.export({ format: 'pem', type: 'spki' }) as string),
    '--sign-key', put('private.pem', signer.pem),
  ];
  const { stdout } = await promisify(execFile)(PYTHON, args, { maxBuffer: 256 * 1024 * 1024 });
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Forgery);
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256'] as Algorithm[]) {
  test(`every forgery for ${algorithm} is answered as documented`, { skip }, async (t) => {
    const server = await Hallpass.start(t, algorithm);
    // A second good key, as during a rotation: parts of its tokens must not fit into those of the first.
    const other = new Signer('ES256');
    server.keys.push(other.jwk);
    const { verifier } = server.verifier(t, { clock: { now: () => NOW, monotonic: () => performance.now() } });
    await verifier.start();
    const documented = choices();
    let taken = 0;
    let refused = 0;
    for (const { id, token, expect, needs } of await forge(t, server, other)) {
      const good = expect === 'policy' ? documented.get(id) : expect === 'accept';
      assert.notEqual(good, undefined, `${id}: no row in the table of choices`);
      const code = await answer(verifier.verify(token));
      assert.equal(code === 'good', good, `${id}: ${code}`);
      assert.equal(await answer(verifier.verify(token)), code, `${id}: the second answer is another one`);
      if (needs !== 'signer') assert.ok(['good', 'token_invalid'].includes(code), `${id}: \`${code}\` tells of a token that is not ours`);
      if (good) taken += 1;
      else refused += 1;
    }
    t.diagnostic(`${taken} taken, ${refused} refused`);
    assert.ok(taken >= 5 && refused >= 300, `only ${taken} taken and ${refused} refused`);
    assert.deepEqual(server.asked.filter(({ path }) => path === '/trap'), []);
  });
}
