// Where the time comes from: the machine, or whatever a test says. Nothing here waits.

import { performance } from 'node:perf_hooks';

/** Where the time comes from. */
export interface Clock {
  /** Seconds since 1970 (UTC), with their fraction, for `exp` and `forget_at`. */
  now(): number;
  /** Milliseconds since any moment, never backwards, for what is too long ago. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now() / 1_000,
  monotonic: () => performance.now(),
};

/** Seconds: set back by more than this, the clock is not believed. A little is what keeping clocks right takes now and then. */
const SET_BACK = 2;

/**
 * A moment by both clocks of the machine. Neither alone says how long ago it was: the monotonic one may stand still
 * while the machine sleeps, and the other one can be set.
 */
export class Moment {
  readonly #clock: Clock;
  readonly #at: number;
  readonly #shown: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
    this.#shown = clock.now();
  }

  /**
   * How many seconds ago it was, by whichever clock says more; infinitely many where the clock shows a time before it,
   * and nobody can say.
   */
  get age(): number {
    const shown = this.#clock.now() - this.#shown;
    return shown < -SET_BACK ? Number.POSITIVE_INFINITY : Math.max((this.#clock.monotonic() - this.#at) / 1_000, shown);
  }
}
