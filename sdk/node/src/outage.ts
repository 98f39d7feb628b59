// Tells about an outage once and not with every attempt. It decides nothing and stops nothing.

import { ServerError } from './errors.js';

export type OnError = (error: ServerError) => void;

/** The state of one thing that is asked for again and again. */
export class Outage {
  readonly #onError: OnError;
  readonly #told = new Set<string>();
  #last: ServerError | undefined;

  constructor(onError: OnError) {
    this.#onError = onError;
  }

  /** What the last attempt failed with, unless it succeeded. */
  get last(): ServerError | undefined {
    return this.#last;
  }

  failed(error: unknown): void {
    const told = error instanceof ServerError ? error : new ServerError('answer_unexpected', String(error), { cause: error });
    this.#last = told;
    if (this.#told.has(told.code)) return;
    this.#told.add(told.code);
    // Not from here: what a callback throws is its own affair.
    queueMicrotask(() => this.#onError(told));
  }

  over(): void {
    this.#last = undefined;
    this.#told.clear();
  }
}

/** Where nobody listens, a warning of the process, which Node writes to stderr. */
export function warn(error: ServerError): void {
  process.emitWarning(error.message, { type: 'HallpassWarning', code: error.code });
}
