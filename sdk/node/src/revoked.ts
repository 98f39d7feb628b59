// What was taken back before its time: sessions that are over, and accounts whose older tokens are out of date. It is a
// set and not a cache; an entry never leaves before its `forget_at`.

import { type Claims } from './claims.js';

/** Something that was taken back. Applying it twice, late or out of order does no harm. */
export type Line =
  | { readonly session: string; readonly forgetAt: number }
  | { readonly account: string; readonly belowVersion: number; readonly forgetAt: number };

export class Revoked {
  /** By session: when to forget it, in seconds since 1970 (UTC). */
  readonly #sessions = new Map<string, number>();
  readonly #accounts = new Map<string, { belowVersion: number; forgetAt: number }>();

  /** Takes something back. Of several about one thing, the later `forget_at` and the higher version count. */
  apply(line: Line): void {
    if ('session' in line) {
      this.#sessions.set(line.session, Math.max(line.forgetAt, this.#sessions.get(line.session) ?? line.forgetAt));
      return;
    }
    const known = this.#accounts.get(line.account) ?? line;
    this.#accounts.set(line.account, {
      belowVersion: Math.max(line.belowVersion, known.belowVersion),
      forgetAt: Math.max(line.forgetAt, known.forgetAt),
    });
  }

  /** What was done to the token of these claims. A session that is over outweighs claims that are out of date. */
  check(claims: Claims): 'session_ended' | 'token_stale' | undefined {
    if (this.#sessions.has(claims.sid)) return 'session_ended';
    const known = this.#accounts.get(claims.sub);
    return known !== undefined && claims.account_version < known.belowVersion ? 'token_stale' : undefined;
  }

  /** Drops what has nothing left to concern at `now` (seconds since 1970, UTC). */
  forget(now: number): void {
    for (const [session, forgetAt] of this.#sessions) {
      if (forgetAt <= now) this.#sessions.delete(session);
    }
    for (const [account, { forgetAt }] of this.#accounts) {
      if (forgetAt <= now) this.#accounts.delete(account);
    }
  }

  /** How many sessions and accounts are in the set. */
  get size(): number {
    return this.#sessions.size + this.#accounts.size;
  }
}
