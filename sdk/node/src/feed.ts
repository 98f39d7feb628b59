// Follows the feed of revocations, by a stream or by asking again and again, and says for how long nothing was heard.
// What goes wrong here is tried again later; it never reaches whoever checks a token.

import { type Answer, readAnswer } from './answer.js';
import { type Clock, Moment } from './clock.js';
import { ServerError } from './errors.js';
import { EventReader, type ServerEvent } from './events.js';
import { Backoff, Deadline, get, PATIENCE, sleep, text, unexpected, unreachable } from './http.js';
import { type Outage } from './outage.js';
import { type Revoked } from './revoked.js';

/** The most seconds that the feed waits for news. */
const MAX_WAIT = 25;

/** The least milliseconds between two questions where the first one told nothing. */
const POLL_EVERY = 1_000;

/** After how much silence a stream is given up, in milliseconds. Heartbeats come every 2 seconds. */
const SILENCE = { least: 2_500, most: 5_000 };

/** How often what is over is dropped, in milliseconds. */
const FORGET_EVERY = 10_000;

/** Seconds for which it is kept beyond its time, since clocks are set back now and then. */
const KEPT = 60;

export interface FeedOptions {
  readonly base: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly mode: 'stream' | 'poll';
  /** In seconds. */
  readonly maxStaleness: number;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #url: string;
  readonly #authorization: string;
  readonly #revoked: Revoked;
  readonly #clock: Clock;
  readonly #outage: Outage;
  readonly #closing: AbortSignal;
  readonly #backoff = new Backoff();
  #cursor: string | undefined;
  #heard: Moment | undefined;
  #forgotAt: number;
  /** Until this moment (seconds since 1970, UTC) what is over was dropped. */
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(options: FeedOptions, revoked: Revoked, clock: Clock, outage: Outage, closing: AbortSignal) {
    this.#options = options;
    this.#url = `${options.base}/api/v1/revocations`;
    this.#authorization = `Basic ${Buffer.from(`${options.clientId}:${options.clientSecret}`).toString('base64')}`;
    this.#revoked = revoked;
    this.#clock = clock;
    this.#outage = outage;
    this.#closing = closing;
    this.#forgotAt = clock.monotonic();
  }

  /** Whether a complete answer has ever come. */
  get complete(): boolean {
    return this.#heard !== undefined;
  }

  /** Whether everything is known that was taken back until `maxStaleness` ago. */
  get current(): boolean {
    if (this.#heard === undefined || this.#closing.aborted) return false;
    return this.#heard.age <= this.#options.maxStaleness;
  }

  /** Follows until `closing`; calls `attempted` when everything that is live is known, and after each failure. */
  async follow(attempted: () => void): Promise<void> {
    while (!this.#closing.aborted) {
      try {
        // First what was missed, whole: the events of a stream do not say whether they are all.
        while (await this.#ask(0));
        attempted();
        await (this.#options.mode === 'stream' ? this.#listen() : this.#poll());
      } catch (error) {
        // It may be the cursor; without one there is an answer for everybody.
        if (error instanceof ServerError && error.status === 400) this.#cursor = undefined;
        if (!this.#closing.aborted) this.#outage.failed(error);
        attempted();
      }
      await this.#backoff.wait(this.#closing);
    }
  }

  /** Asks until an answer fails. */
  async #poll(): Promise<void> {
    // A third of it: an answer is as old as its question when it comes, and the next one takes as long.
    const wait = Math.min(Math.floor(this.#options.maxStaleness / 3), MAX_WAIT);
    const every = Math.min(POLL_EVERY, this.#options.maxStaleness * 250);
    while (!this.#closing.aborted) {
      const askedAt = this.#clock.monotonic();
      const more = await this.#ask(wait);
      this.#well();
      // A feed that does not wait, as behind some caches, is not asked without a pause.
      if (!more) await sleep(Math.max(every - (this.#clock.monotonic() - askedAt), 0), this.#closing);
    }
  }

  /** Asks once. Returns whether there is more to be had at once. */
  async #ask(wait: number): Promise<boolean> {
    const asked = new Moment(this.#clock);
    const cursor = this.#cursor;
    const query = new URLSearchParams({ ...(cursor === undefined ? {} : { since: cursor }), wait: String(wait) });
    const headers = {
      accept: 'application/json',
      authorization: this.#authorization,
      ...(cursor === undefined ? {} : { 'if-none-match': `"${cursor}"` }),
    };
    const deadline = new Deadline(this.#closing, wait * 1_000 + PATIENCE);
    try {
      const url = `${this.#url}?${query}`;
      const response = await get(url, headers, deadline.signal, cursor === undefined ? [200] : [200, 304]);
      const more = response.status === 200 && this.#apply(await text(url, response));
      if (more && this.#cursor === cursor) throw unexpected(this.#url, 'that there is more behind the same cursor');
      // As of then, however long this process stood still in between.
      return more || !this.#hear(asked);
    } finally {
      deadline.end();
    }
  }

  /** Follows a stream until it ends, is cut, or is silent for too long. */
  async #listen(): Promise<void> {
    // Half of the time, so that the other half is left to hear it from a new stream.
    const silence = Math.min(Math.max(SILENCE.least, this.#options.maxStaleness * 500), SILENCE.most);
    const deadline = new Deadline(this.#closing, silence);
    const headers = {
      accept: 'text/event-stream',
      // Compressed events wait in the compressor.
      'accept-encoding': 'identity',
      authorization: this.#authorization,
      ...(this.#cursor === undefined ? {} : { 'last-event-id': this.#cursor }),
    };
    let works = false;
    let last = new Moment(this.#clock);
    try {
      const response = await get(this.#url, headers, deadline.signal, [200]);
      const type = response.headers.get('content-type') ?? '';
      if (!/^text\/event-stream\b/i.test(type) || response.body === null) {
        throw unexpected(this.#url, `with \`${type}\` instead of a stream of events: \`poll\` does without`);
      }
      for await (const event of events(response.body)) {
        if (event.event !== 'lines' && event.event !== 'heartbeat') continue;
        // What waited here while this process or the machine stood still says nothing about now: it is asked for anew.
        const arrived = new Moment(this.#clock);
        if (last.age > Math.min(silence / 1_000, this.#options.maxStaleness)) return;
        const all = event.event === 'heartbeat' || !this.#apply(event.data);
        if (all && !this.#hear(arrived)) return;
        last = arrived;
        works = true;
        this.#well();
        deadline.extend();
      }
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      if (deadline.signal.aborted) throw unreachable(this.#url, 'the stream is silent', error);
    } finally {
      deadline.end();
    }
    // Servers restart and proxies cut: that is no failure of a stream that worked.
    if (!works) throw unexpected(this.#url, 'with a stream that ends at once');
  }

  /** Takes over what an answer says. Returns whether there is more to be had at once. */
  #apply(document: string): boolean {
    const { cursor, more, lines, tooNew } = this.#understand(document);
    for (const line of lines) this.#revoked.apply(line);
    // What is not understood does not keep the rest from taking effect, but counts as nothing heard.
    if (tooNew) throw unexpected(this.#url, 'with a line that this version does not know');
    this.#cursor = cursor;
    return more;
  }

  #understand(document: string): Answer {
    try {
      return readAnswer(document);
    } catch (error) {
      throw unexpected(this.#url, `what is not understood: ${(error as Error).message}`);
    }
  }

  /** It works as it was asked to; what was caught up before does not show that. */
  #well(): void {
    this.#outage.over();
    this.#backoff.reset();
  }

  /**
   * All is known as of `moment`, and it returns true; unless this machine's clock was set back so far that what was
   * dropped may live again. Then everything is to be read anew.
   */
  #hear(moment: Moment): boolean {
    const now = this.#clock.now();
    if (now < this.#forgotten) {
      this.#cursor = undefined;
      this.#heard = undefined;
      this.#forgotten = Number.NEGATIVE_INFINITY;
      return false;
    }
    this.#heard = moment;
    const monotonic = this.#clock.monotonic();
    if (monotonic - this.#forgotAt >= FORGET_EVERY) {
      this.#forgotAt = monotonic;
      this.#forgotten = now - KEPT;
      this.#revoked.forget(this.#forgotten);
    }
    return true;
  }
}

/** A stream of events that was open is so no longer. */
class Cut extends Error {}

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  const reader = new EventReader();
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await chunks.next().catch((cause: unknown) => {
      throw new Cut('the stream was cut', { cause });
    });
    if (chunk.done === true) return;
    yield* reader.push(decoder.decode(chunk.value as Uint8Array, { stream: true }));
  }
}
