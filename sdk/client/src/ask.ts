// The requests that begin, prolong and end a session. Their answers count only if they come from Hallpass: a
// captive portal's page signs nobody in or out.

import type { components } from "./api.js";
import { HallpassError, unreachable } from "./errors.js";

export type Issued = components["schemas"]["Issued"];

/** Milliseconds; well below the 20 seconds for which the server repeats an answer that was lost. */
const TIMEOUT = 10_000;

/**
 * Posts, and gives what was issued; nothing if the answer is an empty success. Rejects with a
 * `HallpassError`.
 */
export const ask = async (
  url: string,
  body: object | undefined,
  init: RequestInit,
  flight = new AbortController(),
): Promise<Issued | undefined> => {
  const timer = setTimeout(() => flight.abort(), TIMEOUT);
  const json = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(url, {
      method: "POST",
      cache: "no-store",
      // Hallpass sends nobody elsewhere, and a secret would go along.
      redirect: "error",
      ...json,
      ...init,
      signal: flight.signal,
    });
    if (!response.ok) throw await HallpassError.from(response);
    if (response.status === 202 || response.status === 204) return undefined;
    const issued: unknown = await response.json().catch(() => undefined);
    if (isIssued(issued)) return issued;
    throw new HallpassError({
      code: "answer_unexpected",
      status: response.status,
      detail: `${url} is not Hallpass`,
    });
  } catch (cause) {
    return unreachable(cause);
  } finally {
    clearTimeout(timer);
  }
};

const isIssued = (value: unknown): value is Issued =>
  typeof value === "object" &&
  value !== null &&
  "access_token" in value &&
  "user" in value &&
  Number((value as Issued).expires_in) > 0;
