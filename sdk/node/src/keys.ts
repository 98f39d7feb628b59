// Keeps up with the keys of the Hallpass server: asks when their `max-age` is over, and once more when a token names a
// key that is not known. While the server is away the keys stay as they are.

import { type Clock } from './clock.js';
import { Backoff, Deadline, get, PATIENCE, sleep, text, unexpected } from './http.js';
import { type KeySet, readKeySet, sameKeys } from './jwks.js';
import { type Outage } from './outage.js';
import { Verified } from './verified.js';

/** A token with an unknown `kid` is a reason to ask at most this often, in milliseconds. */
const ASK_AGAIN_AFTER = 10_000;

/** The most milliseconds for which a token waits for the answer to that. */
const ASK_AGAIN_WAIT = 1_000;

/** Seconds for which keys are good: where nothing is said, and the bounds of what is believed. */
const MAX_AGE = { unsaid: 300, least: 1, most: 3_600 };

/**
 * Keys, and what was verified with them: one thing, so that a token that is verified while the keys change is remembered
 * beside the keys that it was verified with, and forgotten with them.
 */
export interface Ring {
  readonly keys: KeySet;
  readonly verified: Verified;
}

export class Keys {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #outage: Outage;
  readonly #closing: AbortSignal;
  #ring: Ring | undefined;
  #maxAge = MAX_AGE.unsaid;
  #loading: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(base: string, clock: Clock, outage: Outage, closing: AbortSignal) {
    this.#url = `${base}/.well-known/jwks.json`;
    this.#clock = clock;
    this.#outage = outage;
    this.#closing = closing;
  }

  /** The keys, once they were answered. */
  get ring(): Ring | undefined {
    return this.#ring;
  }

  /** Whether the newest attempt is over and succeeded, so that a key that is not here does not exist. */
  get upToDate(): boolean {
    return this.#ring !== undefined && this.#outage.last === undefined && this.#loading === undefined;
  }

  /** Follows until `closing`; calls `attempted` after each attempt. */
  async follow(attempted: () => void): Promise<void> {
    const backoff = new Backoff();
    while (!this.#closing.aborted) {
      await this.#load();
      attempted();
      if (this.upToDate) {
        backoff.reset();
        await sleep(this.#maxAge * 1_000, this.#closing);
      } else {
        await backoff.wait(this.#closing);
      }
    }
  }

  /** Asks once more, unless that was done a moment ago, and waits a moment for the answer. Never throws. */
  async askAgain(): Promise<void> {
    const now = this.#clock.monotonic();
    if (this.#loading === undefined && now - this.#askedAt < ASK_AGAIN_AFTER) return;
    this.#askedAt = now;
    const answered = new AbortController();
    await Promise.race([this.#load(), sleep(ASK_AGAIN_WAIT, answered.signal)]);
    answered.abort();
  }

  /** One request for all who wait for it. */
  #load(): Promise<void> {
    this.#loading ??= this.#ask().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #ask(): Promise<void> {
    const deadline = new Deadline(this.#closing, PATIENCE);
    try {
      const response = await get(this.#url, { accept: 'application/json' }, deadline.signal, [200]);
      const document = await text(this.#url, response);
      const keys = await readKeySet(document).catch((error: Error) => {
        throw unexpected(this.#url, `with keys that cannot be used: ${error.message}`);
      });
      this.#maxAge = maxAge(response.headers.get('cache-control') ?? '');
      // The same keys again change nothing.
      if (this.#ring === undefined || !sameKeys(this.#ring.keys, keys)) this.#ring = { keys, verified: new Verified() };
      this.#outage.over();
    } catch (error) {
      if (!this.#closing.aborted) this.#outage.failed(error);
    } finally {
      deadline.end();
    }
  }
}

function maxAge(cacheControl: string): number {
  const said = /(?:^|[\s,])max-age="?([0-9]+)/i.exec(cacheControl)?.[1];
  const seconds = said === undefined ? MAX_AGE.unsaid : Number(said);
  return Math.min(Math.max(seconds, MAX_AGE.least), MAX_AGE.most);
}
