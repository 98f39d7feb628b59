// Whether a token is good: the one place between a request and a signed-in account. It asks nobody about a token, and
// never lets the token say how it is to be verified.

import { bearer } from './bearer.js';
import { type Claims } from './claims.js';
import { type Clock, systemClock } from './clock.js';
import { HallpassError, ServerError } from './errors.js';
import { Feed } from './feed.js';
import { Keys } from './keys.js';
import { type OnError, Outage, warn } from './outage.js';
import { Revoked } from './revoked.js';
import { checkSize, open, takeApart } from './token.js';

/** What a `Verifier` needs to know. */
export interface VerifierOptions {
  /** The `iss` of the tokens: the public URL of the Hallpass server, unless its `tokens.issuer` is another. */
  issuer: string;
  /** What the `aud` of the tokens has to contain; the issuer by default, as it is by default in Hallpass. */
  audience?: string;
  /** Made by `hallpass clients create NAME`, like `clientSecret`. */
  clientId: string;
  clientSecret: string;
  /** Where the Hallpass server is reached from here; the issuer by default. */
  baseUrl?: string;
  /**
   * What to do when nothing was heard from the feed for longer than `maxStaleness`: `refuse` (the default) answers 503
   * until something is heard again, `accept` goes on with what is known.
   */
  whenStale?: 'refuse' | 'accept';
  /** In seconds; 10 by default. Heartbeats come every 2. */
  maxStaleness?: number;
  /** `stream` (the default) keeps a request open; `poll` is for where that is not possible. */
  feed?: 'stream' | 'poll';
  /** The clock difference that is forgiven, in seconds, from 0 to 60; 5 by default. */
  leeway?: number;
  /** How long `start` waits, in seconds; 10 by default. */
  startTimeout?: number;
  /** Hears once of each outage of the Hallpass server; by default it is a warning of the process. */
  onError?: OnError;
  /** Where the time comes from, for tests. */
  clock?: Clock;
}

/**
 * Verifies access tokens of one issuer for one audience.
 *
 * A token is checked in this order: its form, its key, its signature, `typ`, the claims with `iss` and `aud`, the times,
 * and what was taken back.
 */
export class Verifier {
  readonly #issuer: string;
  readonly #audience: string;
  readonly #leeway: number;
  readonly #accepting: boolean;
  readonly #startTimeout: number;
  readonly #clock: Clock;
  readonly #revoked = new Revoked();
  readonly #closing = new AbortController();
  readonly #outages: { keys: Outage; feed: Outage };
  readonly #keys: Keys;
  readonly #feed: Feed;
  #attempted: Promise<unknown> | undefined;
  /** Who waits in `start`. */
  readonly #waiting = new Set<() => void>();

  /** Asks nobody yet. Throws a `TypeError` where an option makes no sense. */
  constructor(options: VerifierOptions) {
    const { issuer, audience = issuer, clientId, clientSecret, baseUrl = issuer, clock = systemClock } = options;
    const { whenStale = 'refuse', maxStaleness = 10, feed = 'stream', leeway = 5, startTimeout = 10, onError = warn } = options;
    for (const [name, value] of Object.entries({ issuer, audience, clientId, clientSecret, baseUrl })) {
      check(name, typeof value === 'string' && value !== '', 'a text');
    }
    check('baseUrl', /^https?:$/.test(protocol(baseUrl)), 'an `http` or `https` URL');
    check('clientId', !clientId.includes(':'), 'without a colon');
    check('whenStale', ['refuse', 'accept'].includes(whenStale), '`refuse` or `accept`');
    check('feed', ['stream', 'poll'].includes(feed), '`stream` or `poll`');
    check('leeway', typeof leeway === 'number' && leeway >= 0 && leeway <= 60, 'from 0 to 60 seconds');
    for (const [name, value] of Object.entries({ maxStaleness, startTimeout })) {
      check(name, typeof value === 'number' && value > 0 && value <= 3_600, 'more than 0 and at most 3600 seconds');
    }

    this.#issuer = issuer;
    this.#audience = audience;
    this.#leeway = leeway;
    this.#accepting = whenStale === 'accept';
    this.#startTimeout = startTimeout;
    this.#clock = clock;
    this.#outages = { keys: new Outage(onError), feed: new Outage(onError) };
    const base = baseUrl.replace(/\/+$/, '');
    this.#keys = new Keys(base, clock, this.#outages.keys, this.#closing.signal);
    const how = { base, clientId, clientSecret, mode: feed, maxStaleness };
    this.#feed = new Feed(how, this.#revoked, clock, this.#outages.feed, this.#closing.signal);
  }

  /** Whether everything is known that was taken back until `maxStaleness` ago. */
  get current(): boolean {
    return this.#keys.ring !== undefined && this.#feed.current;
  }

  /**
   * Begins to follow the Hallpass server, and resolves when its keys and everything that was taken back are known.
   * Rejects with a `ServerError` after `startTimeout`; the verifier goes on asking all the same.
   */
  async start(): Promise<void> {
    void this.#follow();
    const ready = (): boolean => this.#keys.ring !== undefined && this.#feed.complete;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.#closing.signal.aborted) settle(() => reject(new ServerError('unreachable', 'the verifier is closed')));
        else if (ready()) settle(resolve);
      };
      // The one timer that keeps the process alive: somebody waits for it.
      const timer = setTimeout(() => settle(() => reject(this.#late())), this.#startTimeout * 1_000);
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        done();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Stops following, for good. */
  close(): void {
    this.#closing.abort();
    this.#look();
  }

  /** The claims of the token in the value of an `Authorization` header. Rejects with a `HallpassError`. */
  async authenticate(authorization: string | readonly string[] | undefined): Promise<Claims> {
    return await this.verify(bearer(authorization));
  }

  /** The claims of `token`, if it is good now. Rejects with a `HallpassError`. */
  async verify(token: string): Promise<Claims> {
    // The first one waits until the server was asked once, with success or without.
    await this.#follow();
    const claims = await this.#identify(token);
    this.#checkTimes(claims);
    const effect = this.#revoked.check(claims);
    if (effect !== undefined) throw new HallpassError(effect);
    // Only now: what is known to be over is over, however old the news is.
    if (!this.#feed.current && !this.#accepting) throw new HallpassError('revocation_unknown', 'nothing heard from the feed');
    return claims;
  }

  /** Whose token this is, be it over or taken back. What is found does not change while the keys stay the same. */
  async #identify(token: string): Promise<Claims> {
    checkSize(token);
    const known = this.#keys.ring?.verified.get(token);
    if (known !== undefined) return known;
    const parts = takeApart(token);
    if (this.#keys.ring?.keys.has(parts.kid) === false) await this.#keys.askAgain();
    const ring = this.#keys.ring;
    const claims = ring === undefined ? undefined : await open(parts, ring.keys);
    if (ring === undefined || claims === undefined) {
      // While the server is away nobody can say whether there is such a key.
      if (!this.#keys.upToDate) throw new HallpassError('revocation_unknown', 'the keys cannot be asked for');
      throw new HallpassError('token_invalid', 'its key is not known');
    }
    if (claims.iss !== this.#issuer) throw new HallpassError('token_invalid', 'claim `iss`');
    if (!claims.aud.includes(this.#audience)) throw new HallpassError('token_invalid', 'claim `aud`');
    ring.verified.add(token, claims);
    return claims;
  }

  #checkTimes(claims: Claims): void {
    const now = this.#clock.now();
    for (const name of ['iat', 'nbf', 'auth_time'] as const) {
      const moment = claims[name];
      if (moment !== undefined && moment > now + this.#leeway) {
        throw new HallpassError('token_invalid', `claim \`${name}\` lies in the future`);
      }
    }
    // "On or after" `exp` it is over (RFC 7519 section 4.1.4).
    if (now >= claims.exp + this.#leeway) throw new HallpassError('token_expired');
  }

  /** Begins to follow, once. Resolves when keys and feed were asked once, with success or without. */
  #follow(): Promise<unknown> {
    const first = (follow: (attempted: () => void) => Promise<void>): Promise<void> =>
      new Promise((resolve) => {
        const attempted = (): void => {
          resolve();
          this.#look();
        };
        void follow(attempted).finally(attempted);
      });
    this.#attempted ??= Promise.all([
      first((attempted) => this.#keys.follow(attempted)),
      first((attempted) => this.#feed.follow(attempted)),
    ]);
    return this.#attempted;
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }

  #late(): ServerError {
    const last = this.#outages.feed.last ?? this.#outages.keys.last;
    const why = last?.message ?? 'the Hallpass server has not answered completely';
    return new ServerError(last?.code ?? 'unreachable', `not ready after ${this.#startTimeout} s: ${why}`, { cause: last });
  }
}

function check(name: string, good: boolean, wanted: string): void {
  if (!good) throw new TypeError(`\`${name}\` has to be ${wanted}`);
}

function protocol(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
