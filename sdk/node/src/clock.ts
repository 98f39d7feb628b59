// Where the time comes from: the machine, or whatever a test says. Nothing here waits.

import { performance } from 'node:perf_hooks';

/** Where the time comes from. */
export interface Clock {
  /** Seconds since 1970 (UTC), for `exp` and `forget_at`. */
  now(): number;
  /** Milliseconds since any moment, never backwards, for what is too long ago. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Math.floor(Date.now() / 1_000),
  monotonic: () => performance.now(),
};
