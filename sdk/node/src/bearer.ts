// The access token of a request: exactly one `Authorization` header, the scheme `Bearer` in any letter case, exactly one
// space, and one token68 (RFC 6750 section 2.1, RFC 9110 section 11.4). No cookie, no query and no body is ever read.

import { HallpassError } from './errors.js';

const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;

/** The part of a request that is read: Node's `IncomingMessage` has it. */
export interface RequestHead {
  headers: { authorization?: string | undefined };
  rawHeaders?: string[] | undefined;
}

/** The token in the value of an `Authorization` header, or in its only value. */
export function bearer(authorization: string | readonly string[] | undefined): string {
  const values = typeof authorization === 'string' ? [authorization] : (authorization ?? []);
  const [value] = values;
  if (value === undefined) throw new HallpassError('token_missing');
  const token = values.length === 1 ? BEARER.exec(value)?.[1] : undefined;
  if (token === undefined) {
    throw new HallpassError('token_invalid', 'the `Authorization` header is not one `Bearer` and one token');
  }
  return token;
}

/** All values of `Authorization` in a request. Of several, Node's `headers` shows the first and hides the others. */
export function authorizationOf(request: RequestHead): string | string[] | undefined {
  const names = (request.rawHeaders ?? []).filter((_, index) => index % 2 === 0);
  const count = names.filter((name) => name.toLowerCase() === 'authorization').length;
  const { authorization } = request.headers;
  return count > 1 && authorization !== undefined ? Array<string>(count).fill(authorization) : authorization;
}
