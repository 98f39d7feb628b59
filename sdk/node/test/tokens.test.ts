import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';

import { HallpassError, type Verifier } from '../src/index.js';
import { type Algorithm } from '../src/jwks.js';
import { answer, AUDIENCE, encode, Hallpass, newSession, Signer } from './support.js';

/** Why a token is refused as not valid; any other end is the test's failure. */
async function reason(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
  } catch (error) {
    if (error instanceof HallpassError && error.code === 'token_invalid') return error.reason ?? '';
    throw error;
  }
  return 'good';
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256'] as Algorithm[]) {
  test(`a good token of ${algorithm} is taken, and its claims are told and frozen`, async (t) => {
    const server = await Hallpass.start(t, algorithm);
    const { verifier } = server.verifier(t);
    const said = server.claims({ roles: ['support'], tenant: { id: 5 }, aud: [AUDIENCE, 'https://other.example'] });
    const claims = await verifier.verify(server.signer.token(said));
    const { tenant, ...known } = said;
    assert.deepEqual({ ...claims, extra: { ...claims.extra, tenant: { ...(claims.extra['tenant'] as object) } } }, { ...known, extra: { tenant } });
    for (const part of [claims, claims.roles, claims.extra, claims.extra['tenant']]) assert.ok(Object.isFrozen(part));
    assert.equal(await verifier.verify(server.signer.token(said, server.signer.header({ typ: 'application/AT+JWT' }))).then(() => 'good'), 'good');
  });

  test(`a token of ${algorithm} whose header, payload or signature was changed is refused`, async (t) => {
    const server = await Hallpass.start(t, algorithm);
    const { verifier } = server.verifier(t);
    const token = server.token();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const wrong = 'its signature is wrong';
    assert.equal(await reason(verifier, token), 'good');
    assert.equal(await reason(verifier, `${header}.${encode(JSON.stringify(server.claims({ sub: '1' })))}.${signature}`), wrong);
    assert.equal(await reason(verifier, `${encode(JSON.stringify(server.signer.header({ typ: 'JWT' })))}.${payload}.${signature}`), wrong);
    const bytes = Buffer.from(signature, 'base64url');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    for (const other of ['', encode(bytes), encode(bytes.subarray(1)), `${signature}AAAA`, encode(Buffer.alloc(bytes.length))]) {
      assert.equal(await reason(verifier, `${header}.${payload}.${other}`), wrong, other);
    }
    const thief = new Signer(algorithm, server.signer.kid);
    assert.equal(await reason(verifier, thief.token(server.claims())), wrong);
  });
}

test('no text that is not exactly a signed token in compact form is looked at further', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const token = server.token();
  const [header = '', payload = '', signature = ''] = token.split('.');
  // The last character of an ES256 signature has 4 bits that mean nothing.
  const twin = signature.slice(0, -1) + (signature.endsWith('A') ? 'B' : signature.endsWith('Q') ? 'R' : signature.endsWith('g') ? 'h' : 'x');
  const malformed = [
    '', '.', '..', '...', header, `${header}.${payload}`, `${token}.`, `.${token}`, `${token}.${signature}`, `${header}..${payload}..${signature}`,
    `${header}.${payload}.${signature}.${payload}.${signature}`, `${token} `, ` ${token}`, `${token}\n`, `${token}=`, `${token}==`,
    `${header}=.${payload}.${signature}`, `${header}.${payload}.${twin}`, `${header}.${payload}.+${signature.slice(1)}`,
    `${header}.${payload}./${signature.slice(1)}`, `${header}.${payload}!.${signature}`, `${header}. ${payload}.${signature}`,
    `${encode('[]')}.${payload}.${signature}`, `${encode('null')}.${payload}.${signature}`, `.${payload}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -1)}`,
  ];
  for (const text of malformed) assert.equal(await reason(verifier, text), 'it is malformed', text);
  assert.equal(await reason(verifier, '.'.repeat(8192)), 'it is malformed');
  assert.equal(await reason(verifier, '.'.repeat(8193)), 'it is too long');
  assert.equal(await reason(verifier, server.token({ x: 'x'.repeat(8192) })), 'it is too long');
  assert.equal(await reason(verifier, undefined as unknown as string), 'it is not a text');
  assert.equal(await reason(verifier, token), 'good');
});

test('the token never says how it is to be verified', async (t) => {
  const server = await Hallpass.start(t);
  const second = new Signer('RS256');
  server.keys.push(second.jwk);
  const { verifier } = server.verifier(t);
  const { signer } = server;
  const other = 'its algorithm is not that of its key';
  const pem = second.publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const payload = JSON.stringify(server.claims());
  const mac = (header: object, secret: string | Buffer): string => {
    const signed = `${encode(JSON.stringify(header))}.${encode(payload)}`;
    return `${signed}.${encode(createHmac('sha256', secret).update(signed).digest())}`;
  };
  for (const none of ['none', 'None', 'NONE', 'nOnE', '', ' none', 'none\0']) {
    const header = signer.header({ alg: none });
    assert.equal(await reason(verifier, signer.token(server.claims(), header)), other, none);
    assert.equal(await reason(verifier, `${encode(JSON.stringify(header))}.${encode(payload)}.`), other, none);
  }
  for (const secret of [pem, pem.trimEnd(), JSON.stringify(second.jwk), Buffer.from(String(second.jwk['n']), 'base64url'), '']) {
    assert.equal(await reason(verifier, mac(second.header({ alg: 'HS256' }), secret)), other);
    assert.equal(await reason(verifier, mac(second.header(), secret)), 'its signature is wrong');
  }
  for (const alg of ['es256', 'ES384', 'EdDSA', 'RS256', 'HS256']) {
    assert.equal(await reason(verifier, signer.token(server.claims(), signer.header({ alg }))), other, alg);
  }
  // An RSA key has one algorithm too.
  assert.equal(await reason(verifier, second.token(server.claims(), second.header({ alg: 'PS256' }))), other);
  assert.equal(await reason(verifier, signer.token(server.claims(), signer.header({ kid: second.kid, alg: 'RS256' }))), 'its signature is wrong');
  assert.equal(await reason(verifier, signer.token(server.claims(), signer.header({ kid: second.kid }))), other);
  for (const alg of [undefined, null, ['ES256'], 0]) {
    assert.equal(await reason(verifier, signer.token(server.claims(), signer.header({ alg }))), 'header member `alg`', String(alg));
  }
});

test('a header brings no key and no rule with it, though it was signed by us', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const thief = new Signer('ES256');
  const trap = `${server.url}/trap`;
  const members: [string, unknown][] = [
    ['crit', ['exp']], ['crit', []], ['b64', false], ['b64', true], ['zip', 'DEF'], ['cty', 'JWT'], ['jwk', thief.jwk], ['jku', trap],
    ['x5u', trap], ['x5c', ['AAAA']], ['crit', null],
  ];
  for (const [name, value] of members) {
    for (const signer of [server.signer, thief]) {
      const token = signer.token(server.claims(), server.signer.header({ [name]: value }));
      assert.equal(await reason(verifier, token), `header member \`${name}\``);
    }
  }
  assert.deepEqual(server.asked.filter(({ path }) => path === '/trap'), []);
  assert.equal(await reason(verifier, server.signer.token(server.claims(), server.signer.header({ 'urn:example': 1 }))), 'good');
});

test('what was signed for another purpose is no access token', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  for (const typ of ['JWT', 'id+jwt', 'logout+jwt', 'secevent+jwt', 'dpop+jwt', 'rt+jwt', 'at+jwt ', 'application/jwt', '', undefined, 7]) {
    assert.equal(await reason(verifier, server.signer.token(server.claims(), server.signer.header({ typ }))), 'header member `typ`', String(typ));
  }
});

test('a name that comes twice is refused though we signed it', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const header = JSON.stringify(server.signer.header());
  const payload = JSON.stringify(server.claims());
  const twice = (object: string, member: string): string => `{${member},${object.slice(1)}`;
  for (const member of ['"sub":"1"', '"sub":"7"', '"s\\u0075b":"1"', '"exp":1', '"x":{"y":1,"y":1}']) {
    assert.equal(await reason(verifier, server.signer.compact(header, twice(payload, member))), 'it is malformed', member);
  }
  for (const member of ['"alg":"none"', '"alg":"ES256"', '"k\\u0069d":"x"']) {
    assert.equal(await reason(verifier, server.signer.compact(twice(header, member), payload)), 'it is malformed', member);
  }
  for (const text of [`${payload} {}`, `\ufeff${payload}`, `[${payload}]`, payload.slice(0, -1), '']) {
    assert.equal(await reason(verifier, server.signer.compact(header, text)), 'it is malformed', text);
  }
  assert.equal(await reason(verifier, server.signer.compact(header, twice(payload, '"once":1'))), 'good');
});

test('a claim that is missing, of another type or of no sense is refused by its name', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const now = Math.floor(Date.now() / 1_000);
  const bad: Record<string, unknown[]> = {
    iss: [undefined, null, 7, '', `${server.issuer}/`, server.issuer.toUpperCase(), [server.issuer]],
    aud: [undefined, null, 7, '', [], [7], [[AUDIENCE]], `${AUDIENCE}/`, { 0: AUDIENCE }, 'https://api.example.evil'],
    sub: [undefined, null, 7, '', '0', '07', '-7', '+7', ' 7', '7 ', '7.0', '1e3', '٧', '9223372036854775808', ['7']],
    client_id: [undefined, null, 7],
    exp: [undefined, null, '1', true, [now], now - 10, now + 3_601, 1e300, Number.MAX_SAFE_INTEGER * 2],
    nbf: [null, '1', {}],
    iat: [undefined, null, '1'],
    jti: [undefined, null, 7],
    sid: [undefined, null, 7, '', newSession().toUpperCase(), newSession().replaceAll('-', ''), crypto.randomUUID(), `{${newSession()}}`],
    auth_time: [undefined, null, '1'],
    amr: [undefined, null, 'pwd', [7]],
    roles: [undefined, null, 'admin', { admin: true }, [['admin']]],
    account_version: [undefined, null, '1', 1.5, true, 1e300],
    cnf: [{ jkt: 'x' }, null],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.equal(await reason(verifier, server.token({ [name]: value })), `claim \`${name}\``, `${name}: ${JSON.stringify(value)}`);
    }
  }
  assert.equal(await reason(verifier, server.token({ sub: '9223372036854775807' })), 'good');
});

test('the times are compared with the leeway, and a fraction never makes a token good for longer', async (t) => {
  const server = await Hallpass.start(t);
  let now = 2_000_000_000;
  const { verifier } = server.verifier(t, { clock: { now: () => now, monotonic: () => performance.now() }, maxStaleness: 3_600 });
  const at = (claims: object): string => server.signer.token({ ...server.claims(), iat: now, auth_time: now, exp: now + 100, ...claims });
  const token = at({ exp: now + 100.9 });
  assert.equal(await answer(verifier.verify(token)), 'good');
  now += 104;
  assert.equal(await answer(verifier.verify(token)), 'good');
  now += 1;
  assert.equal(await answer(verifier.verify(token)), 'token_expired');
  for (const name of ['iat', 'nbf', 'auth_time']) {
    assert.equal(await reason(verifier, at({ [name]: now + 5 })), 'good', name);
    assert.equal(await reason(verifier, at({ [name]: now + 6 })), `claim \`${name}\` lies in the future`);
  }
  assert.equal(await reason(verifier, at({ nbf: now + 5.1 })), 'claim `nbf` lies in the future');
});

test('an expired token of somebody else is not told that it has expired', async (t) => {
  const server = await Hallpass.start(t);
  const { verifier } = server.verifier(t);
  const now = Math.floor(Date.now() / 1_000);
  const expired = { iat: now - 600, exp: now - 300 };
  assert.equal(await answer(verifier.verify(server.token(expired))), 'token_expired');
  assert.equal(await answer(verifier.verify(server.token({ ...expired, iss: 'https://evil.example' }))), 'token_invalid');
  const thief = new Signer('ES256', server.signer.kid);
  assert.equal(await answer(verifier.verify(thief.token(server.claims(expired)))), 'token_invalid');
});

test('what was verified is remembered by all of the token, up to a limit', async () => {
  const { Verified } = await import('../src/verified.js');
  const claims = {} as Parameters<InstanceType<typeof Verified>['add']>[1];
  const verified = new Verified(2);
  verified.add('a.b.c', claims);
  verified.add('a.b.d', claims);
  assert.equal(verified.get('a.b.c'), claims);
  assert.equal(verified.get('a.b.C'), undefined);
  verified.add('a.b.e', claims);
  assert.equal(verified.size, 2);
  assert.equal(verified.get('a.b.d'), undefined, 'the one that was not asked for longest is forgotten');
  assert.equal(verified.get('a.b.c'), claims);
});
