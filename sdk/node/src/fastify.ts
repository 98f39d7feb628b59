// For Fastify: a hook that lets a request in only with a good token. It reads the `Authorization` header and nothing
// else, and leaves a request alone once it is let in.

import { authorizationOf, type RequestHead } from './bearer.js';
import { type Claims } from './claims.js';
import { HallpassError } from './errors.js';
import { type Verifier } from './verifier.js';

/** The part of a request that is read and written. */
export interface RequestLike {
  raw: RequestHead;
  user?: Claims | null | undefined;
}

/** The part of an answer that is written. */
export interface ReplyLike {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: Uint8Array): unknown;
}

/** What `requireUser` returns. */
export type Hook = (request: RequestLike, reply: ReplyLike) => Promise<unknown>;

/** The part of an instance that the plugin needs. */
export interface InstanceLike {
  decorateRequest(name: 'user', value: null): unknown;
  addHook(name: 'onClose', hook: () => Promise<void>): unknown;
}

/**
 * Lets a request in only with a good token, and only if the account has the role, where one is named: an `onRequest` or
 * `preHandler` hook. Then `request.user` has the claims; else the answer is 401, 403 or 503 as
 * `application/problem+json`.
 */
export function requireUser(verifier: Verifier, options: { role?: string } = {}): Hook {
  return async (request, reply) => {
    try {
      const user = await verifier.authenticate(authorizationOf(request.raw));
      if (options.role !== undefined && !user.roles.includes(options.role)) throw new HallpassError('forbidden');
      request.user = user;
      return undefined;
    } catch (error) {
      if (!(error instanceof HallpassError)) throw error;
      reply.code(error.status);
      reply.headers({ ...error.headers });
      // As bytes, for Fastify adds a charset to a text, and JSON has none.
      return reply.send(Buffer.from(JSON.stringify(error.problem())));
    }
  };
}

/** Gives every request a `user`, which is null until `requireUser` lets it in, and closes the verifier with the server. */
export async function hallpass(instance: InstanceLike, options: { verifier: Verifier }): Promise<void> {
  instance.decorateRequest('user', null);
  instance.addHook('onClose', async () => options.verifier.close());
}

// For the whole server and not only for this plugin: what `fastify-plugin` would say.
Object.assign(hallpass, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'hallpass' });
