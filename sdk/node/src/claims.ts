// What a token says, with types: the claims of RFC 9068 section 2.2 and the few that Hallpass adds. A claim of the wrong
// type is never taken for one that is absent.

import { HallpassError } from './errors.js';
import { type Json, type JsonObject } from './json.js';

/** The claims of one access token, frozen. Times are whole seconds since 1970 (UTC). */
export interface Claims {
  /** Who issued the token. */
  readonly iss: string;
  /** The account: decimal digits. */
  readonly sub: string;
  /** For whom the token is. */
  readonly aud: readonly string[];
  /** The application that the token was issued to. */
  readonly client_id: string;
  /** From this moment on the token is over. */
  readonly exp: number;
  /** Before this moment the token is not yet good. */
  readonly nbf?: number;
  /** When the token was issued. */
  readonly iat: number;
  /** The name of this one token. */
  readonly jti: string;
  /** The session: a UUID. */
  readonly sid: string;
  /** When the person last proved who they are. */
  readonly auth_time: number;
  /** How they proved it (RFC 8176). */
  readonly amr: readonly string[];
  /** What the account may do. */
  readonly roles: readonly string[];
  /** Counts the changes of the account that put older tokens out of date. */
  readonly account_version: number;
  /** All other claims by name. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** The most seconds between `iat` and `exp`: a longer life would outlive the memory of its revocation. */
const MAX_LIFETIME = 3_600;

/** The years to which a double counts seconds exactly; beyond, nothing is a date. */
const MAX_DATE = 2 ** 53;

const MAX_ACCOUNT = 2n ** 63n - 1n;

/** Reads the claims out of a payload, as far as that needs neither a clock nor a name to compare with. */
export function readClaims(payload: JsonObject): Claims {
  // A token that is bound to a key (RFC 7800, RFC 9449) is not a bearer token.
  if (Object.hasOwn(payload, 'cnf')) throw refused('cnf');
  const rest: JsonObject = Object.assign(Object.create(null), payload);
  const take = (name: string): Json | undefined => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const nbf = take('nbf');
  const claims: Claims = {
    iss: string('iss', take('iss')),
    sub: account('sub', take('sub')),
    aud: audience(take('aud')),
    client_id: string('client_id', take('client_id')),
    exp: date('exp', take('exp'), Math.floor),
    ...(nbf === undefined ? {} : { nbf: date('nbf', nbf, Math.ceil) }),
    iat: date('iat', take('iat'), Math.floor),
    jti: string('jti', take('jti')),
    sid: session('sid', take('sid')),
    auth_time: date('auth_time', take('auth_time'), Math.floor),
    amr: strings('amr', take('amr')),
    roles: strings('roles', take('roles')),
    account_version: integer('account_version', take('account_version')),
    extra: rest,
  };
  const lifetime = claims.exp - claims.iat;
  if (lifetime < 0 || lifetime > MAX_LIFETIME) throw refused('exp');
  // One object answers many requests: none of them may change it for the others.
  return deepFreeze(claims);
}

/** Whether this is the one spelling of a session: a UUID of version 7 (RFC 9562), hyphenated, in lower case. */
export function isSession(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value);
}

/** Whether this is the one spelling of an account: digits without sign or leading zero, from 1 to 2^63 - 1. */
export function isAccount(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[1-9][0-9]{0,18}$/.test(value) && BigInt(value) <= MAX_ACCOUNT;
}

function refused(name: string): HallpassError {
  return new HallpassError('token_invalid', `claim \`${name}\``);
}

function string(name: string, value: Json | undefined): string {
  if (typeof value !== 'string') throw refused(name);
  return value;
}

function strings(name: string, value: Json | undefined): string[] {
  if (!Array.isArray(value)) throw refused(name);
  return value.map((item) => string(name, item));
}

/** One string or an array of strings (RFC 7519 section 4.1.3). */
function audience(value: Json | undefined): string[] {
  return typeof value === 'string' ? [value] : strings('aud', value);
}

function account(name: string, value: Json | undefined): string {
  if (!isAccount(value)) throw refused(name);
  return value;
}

function session(name: string, value: Json | undefined): string {
  if (!isSession(value)) throw refused(name);
  return value;
}

function integer(name: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw refused(name);
  return value;
}

/**
 * A NumericDate (RFC 7519 section 2), which may have a fraction: `round` says to which side it is cut, so that a
 * fraction never makes a token good for longer.
 */
function date(name: string, value: Json | undefined, round: (seconds: number) => number): number {
  if (typeof value !== 'number') throw refused(name);
  const seconds = round(value);
  if (Math.abs(seconds) > MAX_DATE) throw refused(name);
  return seconds;
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member as object);
  }
  return Object.freeze(value);
}
