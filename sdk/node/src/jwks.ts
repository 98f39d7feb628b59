// Reads a JWK Set (RFC 7517): each key with exactly one algorithm (RFC 8725 section 3.1), which nothing that arrives
// with a token ever changes. A private or secret part is never read.

import { type CryptoKey, importJWK } from 'jose';

import { decodeBase64url } from './base64url.js';
import { isObject, type JsonObject, parseObject } from './json.js';

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256' | 'PS256';

/** One key that signatures are verified with. */
export interface VerifyingKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly key: CryptoKey;
  /** The public members and the algorithm: equal texts are equal keys. */
  readonly identity: string;
}

/** The keys by `kid`. */
export type KeySet = ReadonlyMap<string, VerifyingKey>;

/** The private members of RSA and of the curves, and the secret (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** RFC 7518 section 3.3; beyond the ceiling one signature costs an attacker nothing and us a lot. */
const RSA_BITS = { least: 2_048, most: 8_192 };

/**
 * Reads a JWK Set. A key that cannot verify tokens is passed over, as RFC 7517 section 5 asks; where different keys go by
 * one `kid`, neither is taken. Throws an `Error` where the document is not a JWK Set, or shows a private part.
 */
export async function readKeySet(document: string): Promise<KeySet> {
  const listed = parseObject(document)?.['keys'];
  if (!Array.isArray(listed) || !listed.every(isObject)) throw new Error('it is not a JWK Set');
  if (listed.some((jwk) => PRIVATE.some((name) => Object.hasOwn(jwk, name)))) {
    throw new Error('it shows a private or secret key');
  }
  const keys = new Map<string, VerifyingKey>();
  const ambiguous = new Set<string>();
  for (const jwk of listed) {
    const key = await readKey(jwk);
    if (key === undefined) continue;
    if ((keys.get(key.kid) ?? key).identity !== key.identity) ambiguous.add(key.kid);
    keys.set(key.kid, key);
  }
  for (const kid of ambiguous) keys.delete(kid);
  return keys;
}

/** Whether both hold the same keys by the same names. */
export function sameKeys(left: KeySet, right: KeySet): boolean {
  return left.size === right.size && [...left].every(([kid, key]) => right.get(kid)?.identity === key.identity);
}

async function readKey(jwk: JsonObject): Promise<VerifyingKey | undefined> {
  const { kid, use, key_ops: operations } = jwk;
  if (typeof kid !== 'string' || (use !== undefined && use !== 'sig')) return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
  const found = material(jwk);
  if (found === undefined) return undefined;
  const { algorithm, members } = found;
  try {
    // Importing also proves that a point lies on its curve.
    const key = (await importJWK({ ...members }, algorithm)) as CryptoKey;
    return { kid, algorithm, key, identity: JSON.stringify([algorithm, members]) };
  } catch {
    return undefined;
  }
}

/** The one algorithm of a key, and the members that make it. An RSA key must say its `alg`. */
function material(jwk: JsonObject): { algorithm: Algorithm; members: Record<string, string> } | undefined {
  const { kty, crv, alg } = jwk;
  const text = (name: string): string => {
    const value = jwk[name];
    return typeof value === 'string' ? value : '';
  };
  const bytes = (name: string): Buffer => decodeBase64url(text(name)) ?? Buffer.alloc(0);
  const says = (algorithm: Algorithm): boolean => alg === undefined || alg === algorithm;

  if (kty === 'EC' && crv === 'P-256' && says('ES256') && bytes('x').length === 32 && bytes('y').length === 32) {
    return { algorithm: 'ES256', members: { kty, crv, x: text('x'), y: text('y') } };
  }
  if (kty === 'OKP' && crv === 'Ed25519' && says('EdDSA') && bytes('x').length === 32) {
    return { algorithm: 'EdDSA', members: { kty, crv, x: text('x') } };
  }
  if (kty === 'RSA' && crv === undefined && (alg === 'RS256' || alg === 'PS256') && soundRsa(bytes('n'), bytes('e'))) {
    return { algorithm: alg, members: { kty, n: text('n'), e: text('e') } };
  }
  return undefined;
}

function soundRsa(n: Buffer, e: Buffer): boolean {
  const length = bits(n);
  // An odd exponent above 2^16 (FIPS 186-5 section A.1.1): with 1, the padding alone would be a signature.
  return length >= RSA_BITS.least && length <= RSA_BITS.most && bits(e) >= 17 && (e.at(-1) ?? 0) % 2 === 1;
}

/** The length of a big-endian number without leading zeros; 0 where it has some. */
function bits(number: Buffer): number {
  const first = number[0] ?? 0;
  return first === 0 ? 0 : 8 * number.length - Math.clz32(first) + 24;
}
