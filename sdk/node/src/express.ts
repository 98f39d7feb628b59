// For Express, and whatever else has handlers of `(req, res, next)`. It reads the `Authorization` header and nothing
// else, and leaves a request alone once it is let in.

import { authorizationOf, type RequestHead } from './bearer.js';
import { type Claims } from './claims.js';
import { HallpassError } from './errors.js';
import { type Verifier } from './verifier.js';

declare global {
  // The types of Express 4 and 5 look here; what passport declares is the same, so that both can be in one program.
  namespace Express {
    interface User extends Claims {}
    interface Request {
      user?: User | undefined;
    }
  }
}

/** The part of an answer that is written: Node's `ServerResponse` has it. */
export interface ResponseLike {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** What `requireUser` returns. */
export type Middleware = (
  request: RequestHead & { user?: Claims | undefined },
  response: ResponseLike,
  next: (error?: unknown) => void,
) => void;

/**
 * Lets a request in only with a good token, and only if the account has the role, where one is named. Then `req.user`
 * has the claims; else the answer is 401, 403 or 503 as `application/problem+json`.
 */
export function requireUser(verifier: Verifier, options: { role?: string } = {}): Middleware {
  return (request, response, next) => {
    verifier.authenticate(authorizationOf(request)).then(
      (user) => {
        if (options.role !== undefined && !user.roles.includes(options.role)) {
          refuse(response, new HallpassError('forbidden'));
          return;
        }
        request.user = user;
        next();
      },
      (error: unknown) => (error instanceof HallpassError ? refuse(response, error) : next(error)),
    );
  };
}

function refuse(response: ResponseLike, error: HallpassError): void {
  response.statusCode = error.status;
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  response.end(JSON.stringify(error.problem()));
}
