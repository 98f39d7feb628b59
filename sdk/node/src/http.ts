// How the Hallpass server is asked: with a deadline, without following redirects, and again after a failure, each time
// a little later. No timer here keeps the process alive.

import { setTimeout as pause } from 'node:timers/promises';

import { ServerError, type ServerErrorCode } from './errors.js';
import { parseObject } from './json.js';

/** An abort signal that fires when `closing` does, or when so many milliseconds have passed since the last `extend`. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #closing: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = (): void => this.#controller.abort();

  constructor(closing: AbortSignal, milliseconds: number) {
    this.#closing = closing;
    this.#timer = setTimeout(this.#abort, milliseconds).unref();
    closing.addEventListener('abort', this.#abort);
    if (closing.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  extend(): void {
    this.#timer.refresh();
  }

  /** To be called in any case: what is still open is aborted. */
  end(): void {
    clearTimeout(this.#timer);
    this.#closing.removeEventListener('abort', this.#abort);
    this.#abort();
  }
}

/** How long to wait before asking again: 0.1 s doubling to 5 s, with jitter so that many do not ask at once. */
export class Backoff {
  static readonly #FIRST = 100;
  static readonly #LAST = 5_000;
  #next = Backoff.#FIRST;

  reset(): void {
    this.#next = Backoff.#FIRST;
  }

  /** Waits, or returns at once when `closing` fires. */
  async wait(closing: AbortSignal): Promise<void> {
    const milliseconds = this.#next * (0.5 + Math.random() / 2);
    this.#next = Math.min(2 * this.#next, Backoff.#LAST);
    await sleep(milliseconds, closing);
  }
}

/** Waits without keeping the process alive. */
export async function sleep(milliseconds: number, closing: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { ref: false, signal: closing }).catch(() => undefined);
}

/** The least that is waited for an answer, in milliseconds. */
export const PATIENCE = 5_000;

/** Sends a GET request and returns the answer if its status is one of `expected`. */
export async function get(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  expected: readonly number[],
): Promise<Response> {
  const response = await reach(url, () => fetch(url, { headers, signal, redirect: 'manual' }));
  if (expected.includes(response.status)) return response;
  const body = await response.text().catch(() => '');
  throw refusal(url, response.status, String(parseObject(body)?.['code'] ?? ''));
}

/** Reads the whole body as text. */
export async function text(url: string, response: Response): Promise<string> {
  return await reach(url, () => response.text());
}

/** An answer that is not what this version understands. */
export function unexpected(url: string, what: string): ServerError {
  return new ServerError('answer_unexpected', `\`${address(url)}\` answered ${what}`);
}

/** There is no answer, or no more. */
export function unreachable(url: string, why: string, cause?: unknown): ServerError {
  return new ServerError('unreachable', `\`${address(url)}\` cannot be reached: ${why}`, { cause });
}

async function reach<T>(url: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
    const why = name === 'AbortError' ? 'no answer in time' : (cause?.code ?? cause?.message ?? message);
    throw unreachable(url, why, error);
  }
}

function refusal(url: string, status: number, code: string): ServerError {
  // Too many wrong secrets from one address: the right one is let in however many there were.
  if (status === 401 || status === 403 || code === 'rate_limited') {
    const what = 'refuses this client id and secret; `hallpass clients create` makes a new pair';
    return new ServerError('client_invalid', `\`${address(url)}\` ${what}`, { status });
  }
  const known: ServerErrorCode = status === 503 ? 'unavailable' : 'answer_unexpected';
  return new ServerError(known, `\`${address(url)}\` answered ${status}${code === '' ? '' : ` \`${code}\``}`, { status });
}

/** The URL without its query: a cursor says nothing to people. */
function address(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
