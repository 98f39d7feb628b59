// How much time has passed. One clock stands still while the machine sleeps, the other is set by people; the
// one that says more is believed, so a token counts as too old sooner rather than later, and what time it is
// never matters.

export interface Moment {
  steady: number;
  wall: number;
}

export const moment = (): Moment => ({ steady: performance.now(), wall: Date.now() });

/** Milliseconds. */
export const since = (start: Moment): number =>
  Math.max(performance.now() - start.steady, Date.now() - start.wall);
