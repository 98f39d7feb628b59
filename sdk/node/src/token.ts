// A signed token in compact form (RFC 7515 section 7.1), taken apart as strictly as the standard allows. Nothing in the
// header ever brings a key or a rule with it: it names a key that is already here, and says what it must say.

import { flattenedVerify } from 'jose';

import { decodeBase64url } from './base64url.js';
import { type Claims, readClaims } from './claims.js';
import { HallpassError } from './errors.js';
import { type JsonObject, parseObject } from './json.js';
import { type KeySet, type VerifyingKey } from './jwks.js';

/** The most characters of a token that are looked at; a longer one is refused unread. What is good is ASCII. */
const MAX_TOKEN = 8 * 1_024;

/**
 * Members that bring a key, or change what is signed or what it means; none has a place in an access token. A key in the
 * header is never used anyhow: that it is there says that somebody hopes otherwise.
 */
const FORBIDDEN = ['crit', 'b64', 'zip', 'cty', 'jku', 'jwk', 'x5u', 'x5c'];

/** Every `typ` of an access token (RFC 9068 section 4). As media types they are compared without regard to case. */
const TYPES = ['at+jwt', 'application/at+jwt'];

/** A token in parts; nothing in it is trusted yet. */
export interface Parts {
  readonly header: JsonObject;
  readonly kid: string;
  readonly encoded: { protected: string; payload: string; signature: string };
  readonly payload: Buffer;
}

/** To be called before anything else is done with a token. */
export function checkSize(token: string): void {
  if (typeof token !== 'string') throw invalid('it is not a text');
  if (token.length > MAX_TOKEN) throw invalid('it is too long');
}

/** Takes a token apart, as far as that needs no key. */
export function takeApart(token: string): Parts {
  // With a limit: a token of dots costs no memory.
  const [encodedHeader, encodedPayload, signature, more] = token.split('.', 4);
  if (encodedHeader === undefined || encodedPayload === undefined || signature === undefined || more !== undefined) {
    throw invalid('it is malformed');
  }
  const header = decodeBase64url(encodedHeader);
  const payload = decodeBase64url(encodedPayload);
  if (header === undefined || payload === undefined || decodeBase64url(signature) === undefined) {
    throw invalid('it is malformed');
  }
  const members = parseObject(header);
  if (members === undefined) throw invalid('it is malformed');
  const forbidden = FORBIDDEN.find((name) => Object.hasOwn(members, name));
  if (forbidden !== undefined) throw invalid(`header member \`${forbidden}\``);
  const kid = text(members, 'kid');
  return { header: members, kid, encoded: { protected: encodedHeader, payload: encodedPayload, signature }, payload };
}

/** The claims of the token, if one of these keys signed it; `undefined` where none goes by its `kid`. */
export async function open(parts: Parts, keys: KeySet): Promise<Claims | undefined> {
  const key = keys.get(parts.kid);
  if (key === undefined) return undefined;
  // The key has an algorithm; the token can only agree with it (RFC 8725 section 3.1).
  if (text(parts.header, 'alg') !== key.algorithm) throw invalid('its algorithm is not that of its key');
  await verifySignature(parts, key);
  // Only now: what a token that nobody signed says of itself does not matter.
  if (!TYPES.includes(text(parts.header, 'typ').toLowerCase())) throw invalid('header member `typ`');
  const payload = parseObject(parts.payload);
  if (payload === undefined) throw invalid('it is malformed');
  return readClaims(payload);
}

async function verifySignature({ encoded }: Parts, { key, algorithm }: VerifyingKey): Promise<void> {
  try {
    await flattenedVerify(encoded, key, { algorithms: [algorithm] });
  } catch {
    throw invalid('its signature is wrong');
  }
}

function text(header: JsonObject, name: string): string {
  const value = header[name];
  if (typeof value !== 'string') throw invalid(`header member \`${name}\``);
  return value;
}

function invalid(reason: string): HallpassError {
  return new HallpassError('token_invalid', reason);
}
