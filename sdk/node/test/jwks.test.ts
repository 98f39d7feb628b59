import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';

import { type Algorithm, readKeySet, sameKeys } from '../src/jwks.js';
import { Signer } from './support.js';

const SIGNERS = (['ES256', 'EdDSA', 'RS256', 'PS256'] as Algorithm[]).map((algorithm) => new Signer(algorithm, algorithm));
const [EC, ED, RSA] = SIGNERS.map(({ jwk }) => jwk);

async function names(...keys: unknown[]): Promise<string[]> {
  return [...(await readKeySet(JSON.stringify({ keys }))).keys()];
}

test('a key of each algorithm is taken, with that algorithm and no other', async () => {
  const keys = await readKeySet(JSON.stringify({ keys: SIGNERS.map(({ jwk }) => jwk) }));
  for (const { kid, algorithm } of SIGNERS) assert.equal(keys.get(kid)?.algorithm, algorithm);
  assert.equal(keys.size, 4);
});

test('a curve says its algorithm by itself, an RSA key has to say it', async () => {
  assert.deepEqual(await names({ ...EC, alg: undefined }, { ...ED, alg: undefined }, { ...RSA, alg: undefined }), ['ES256', 'EdDSA']);
});

test('a key that cannot verify tokens is passed over', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
  const other = new Signer('ES256').jwk;
  const bad = [
    { ...EC, kid: undefined }, { ...EC, kid: 7 }, { ...EC, use: 'enc' }, { ...EC, key_ops: ['sign'] }, { ...EC, alg: 'ES384' },
    { ...EC, alg: 'HS256' }, { ...EC, alg: 'none' }, { ...EC, alg: 1 }, { ...EC, crv: 'secp256k1' }, { ...EC, y: other['y'] },
    { ...EC, x: `${EC?.['x']}=` }, { ...EC, x: `AA${EC?.['x']}` }, { ...ED, alg: 'ES256' }, { ...ED, alg: 'Ed25519' }, { ...ED, x: 'AAAA' },
    { ...RSA, alg: 'RS512' }, { ...RSA, alg: 'ES256' }, { ...RSA, e: 'AQ' }, { ...RSA, e: 'Aw' }, { ...RSA, e: 'AQAA' },
    { ...RSA, n: `AA${RSA?.['n']}` }, { ...RSA, n: undefined }, { ...short, kid: 's', alg: 'RS256' }, { ...p384, kid: 'p', alg: 'ES384' },
    { ...p384, kid: 'q' }, {}, { kty: 'oct', kid: 'o', alg: 'HS256' },
  ];
  for (const jwk of bad) assert.deepEqual(await names(jwk, ED), ['EdDSA'], JSON.stringify(jwk));
  assert.deepEqual(await names({ ...EC, key_ops: ['verify'] }), ['ES256']);
});

test('different keys by one name are none, the same key twice is one', async () => {
  assert.deepEqual(await names(EC, EC), ['ES256']);
  assert.deepEqual(await names(EC, { ...new Signer('ES256').jwk, kid: 'ES256' }), []);
  assert.deepEqual(await names({ ...RSA, alg: 'RS256' }, { ...RSA, alg: 'PS256' }, EC), ['ES256']);
});

test('what is no JWK Set, or shows a private part, is not read at all', async () => {
  for (const text of ['', '[]', '{}', '{"keys":{}}', '{"keys":[1]}', '{"keys":[],"keys":[]}']) await assert.rejects(readKeySet(text), text);
  const secret = new Signer('ES256').privateKey.export({ format: 'jwk' });
  await assert.rejects(names(EC, { ...secret, kid: 'x', alg: 'ES256' }), /private or secret/);
  await assert.rejects(names(EC, { kty: 'oct', k: 'AAAA', kid: 'x' }), /private or secret/);
});

test('equal keys are told from others', async () => {
  const set = async (...keys: unknown[]) => await readKeySet(JSON.stringify({ keys }));
  assert.ok(sameKeys(await set(EC, ED), await set(ED, { ...EC, use: undefined })));
  assert.ok(!sameKeys(await set(EC, ED), await set(EC)));
  assert.ok(!sameKeys(await set({ ...RSA, alg: 'RS256' }), await set({ ...RSA, alg: 'PS256' })));
});
