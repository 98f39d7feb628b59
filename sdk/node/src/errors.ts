// The two ways in which things go wrong: a request that is not let in, and a Hallpass server that does not answer as it
// should. Nothing here ever holds a part of a token or a secret.

/** Why a request is not let in, by its stable name on the wire. */
export type Code =
  | 'token_missing'
  | 'token_invalid'
  | 'token_expired'
  | 'token_stale'
  | 'session_ended'
  | 'forbidden'
  | 'revocation_unknown';

/** The body of an answer (RFC 9457). */
export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  detail: string;
  code: Code;
}

interface Answer {
  status: number;
  title: string;
  detail: string;
  headers: Record<string, string>;
}

const ANSWERS: Readonly<Record<Code, Answer>> = {
  token_missing: {
    status: 401,
    title: 'Sign in first',
    detail: 'Send an access token as `Authorization: Bearer`',
    // Without a token there is no `error` in the challenge (RFC 6750 section 3.1).
    headers: { 'www-authenticate': 'Bearer' },
  },
  token_invalid: {
    status: 401,
    title: 'The access token is not valid',
    detail: 'Sign in again',
    headers: challenge('invalid_token', 'The access token is not valid'),
  },
  token_expired: {
    status: 401,
    title: 'The access token has expired',
    detail: 'Refresh and try again',
    headers: challenge('invalid_token', 'The access token has expired'),
  },
  token_stale: {
    status: 401,
    title: 'The access token is out of date',
    detail: 'Refresh and try again',
    headers: challenge('invalid_token', 'The access token is out of date'),
  },
  session_ended: {
    status: 401,
    title: 'The session has ended',
    detail: 'Sign in again',
    headers: challenge('invalid_token', 'The session has ended'),
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    detail: 'The account may not do this',
    headers: challenge('insufficient_scope', 'The account may not do this'),
  },
  revocation_unknown: {
    status: 503,
    title: 'The access token cannot be checked now',
    detail: 'Try again in a second',
    headers: { 'retry-after': '1' },
  },
};

function challenge(error: string, description: string): Record<string, string> {
  return { 'www-authenticate': `Bearer error="${error}", error_description="${description}"` };
}

/** A request that is not let in. Every token that is not valid gets the same answer. */
export class HallpassError extends Error {
  override readonly name = 'HallpassError';
  readonly code: Code;
  /** 401, 403 or 503. */
  readonly status: number;
  /** For the answer: `content-type`, and `www-authenticate` or `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What exactly is wrong: for the log, never for the client. */
  readonly reason: string | undefined;

  constructor(code: Code, reason?: string) {
    const { status, title, headers } = ANSWERS[code];
    super(reason === undefined ? title : `${title}: ${reason}`);
    this.code = code;
    this.status = status;
    this.headers = { 'content-type': 'application/problem+json', ...headers };
    this.reason = reason;
  }

  /** The body of the answer: `application/problem+json`. */
  problem(): Problem {
    const { status, title, detail } = ANSWERS[this.code];
    return { type: 'about:blank', title, status, detail, code: this.code };
  }
}

/**
 * What is wrong between here and the Hallpass server: `client_invalid` (the client id or secret is refused),
 * `unavailable` (it says that it cannot answer now), `unreachable` (there is no answer), `answer_unexpected` (the answer
 * is not one that this version understands).
 */
export type ServerErrorCode = 'client_invalid' | 'unavailable' | 'unreachable' | 'answer_unexpected';

/** Keys or revocations could not be had from the Hallpass server. The verifier goes on asking. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;

  constructor(code: ServerErrorCode, message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
  }
}
