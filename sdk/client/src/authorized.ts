// `fetch` with the access token on it. The token goes to the origins that were named and to no other, and a
// request is repeated at most once.

import { HallpassError, problemOf } from "./errors.js";
import type { User } from "./types.js";

/** After these a new token may help, or the refresh finds out that the session is over. */
const OUTDATED = new Set(["token_expired", "token_stale", "token_invalid", "session_ended"]);

/** Seconds to wait at most before a request is repeated. */
const LONGEST_PAUSE = 10;

export interface Tokens {
  user(): User | null | undefined;
  /** Rejects if it cannot be known whether somebody is signed in. */
  token(): Promise<string | null>;
  /** Makes sure that the next token is another than this one. */
  replace(token: string): Promise<void>;
}

/** The same as `fetch` for every other origin, and where the caller has set `Authorization`. */
export const authorized = (origins: Set<string>, { user, token, replace }: Tokens): typeof fetch => {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const headers = new Headers(init?.headers ?? request?.headers);
    const target = new URL(request?.url ?? String(input), globalThis.location?.href);
    if (!origins.has(target.origin) || headers.has("authorization")) return fetch(input, init);

    let who = user()?.id;
    const mixed = () => who !== undefined && user()?.id !== who;
    const repeatable = !isStream(init?.body);
    const send = (bearer: string | null) => {
      if (mixed()) throw changed();
      if (bearer) headers.set("authorization", `Bearer ${bearer}`);
      return fetch(repeatable ? (request?.clone() ?? input) : input, { ...init, headers });
    };

    const first = await token();
    who ??= user()?.id;
    let response = await send(first);
    const code = first ? await codeOf(response) : undefined;
    if (code === "revocation_unknown" && repeatable) {
      await pause(response);
      response = await send(await token());
    } else if (first && code && OUTDATED.has(code)) {
      await replace(first);
      const second = await token();
      if (second && repeatable) response = await send(second);
    }
    // Somebody who has signed out may see the end of what they began; somebody else may not.
    if (mixed() && user() !== null) throw changed();
    return response;
  };
};

const changed = () =>
  new HallpassError({
    code: "user_changed",
    detail: "Somebody has signed in or out since this request began",
  });

/** A stream is gone once it has been sent. */
const isStream = (body: unknown): boolean =>
  typeof ReadableStream === "function" && body instanceof ReadableStream;

/** What is wrong with the token, by the problem document or, from others, by the challenge (RFC 6750). */
const codeOf = async (response: Response): Promise<string | undefined> => {
  if (response.status !== 401 && response.status !== 503) return undefined;
  const challenge = response.headers.get("www-authenticate") ?? "";
  return (
    (await problemOf(response.clone()))?.code ??
    (/\binvalid_token\b/.test(challenge) ? "token_invalid" : undefined)
  );
};

const pause = (response: Response): Promise<void> => {
  const seconds = Number(response.headers.get("retry-after") ?? 1) || 1;
  return new Promise((resolve) => setTimeout(resolve, Math.min(seconds, LONGEST_PAUSE) * 1000));
};
