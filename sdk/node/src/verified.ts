// Remembers which tokens carry a good signature, so that it is checked once and not with every request. Only what time
// and revocations cannot change is remembered; a full memory forgets what was not asked for longest.

import { createHash } from 'node:crypto';

import { type Claims } from './claims.js';

/** How many tokens are remembered; some 20 MB when full. */
const REMEMBERED = 10_000;

export class Verified {
  readonly #limit: number;
  /** By the SHA-256 of the whole token, its signature too. */
  readonly #claims = new Map<string, Claims>();

  constructor(limit = REMEMBERED) {
    this.#limit = limit;
  }

  get(token: string): Claims | undefined {
    const name = fingerprint(token);
    const claims = this.#claims.get(name);
    if (claims !== undefined) {
      // A `Map` keeps the order of insertion: this one is now the youngest.
      this.#claims.delete(name);
      this.#claims.set(name, claims);
    }
    return claims;
  }

  add(token: string, claims: Claims): void {
    this.#claims.set(fingerprint(token), claims);
    const [oldest] = this.#claims.keys();
    if (this.#claims.size > this.#limit && oldest !== undefined) this.#claims.delete(oldest);
  }

  get size(): number {
    return this.#claims.size;
  }
}

function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
