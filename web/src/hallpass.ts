// The client of the server that these pages come from: who is signed in here, and requests with their access token.

import { createHallpass, HallpassError, type Problem, type User } from "@hallpass/client";
import { useSyncExternalStore } from "react";
import { BASE } from "./base";

export type { components, User } from "@hallpass/client";
export { HallpassError };

export const hallpass = createHallpass({ url: BASE });

/** Who is signed in; `null` if nobody is, `undefined` as long as that is not known. */
export function useUser(): User | null | undefined {
  return useSyncExternalStore(hallpass.onChange, () => hallpass.user);
}

/** Typed by the paths of `openapi.json`; see {@link ask}. */
export const api = hallpass.api;

/** What a request of {@link api} answers; a refusal is thrown as a {@link HallpassError}. */
export async function ask<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await request;
  if (response.ok) return data as T;
  const { status } = response;
  throw new HallpassError(isProblem(error) ? error : { code: "answer_unexpected", status });
}

function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "code" in error;
}
