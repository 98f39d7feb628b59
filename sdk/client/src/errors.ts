// Why something failed, as Hallpass and its SDKs for back ends say it: problem documents (RFC 9457) with a
// stable code.

import type { components } from "./api.js";

/** As the server sends it. */
export type Problem = components["schemas"]["Problem"];

/** One value that is not allowed. */
export type FieldError = components["schemas"]["ProblemField"];

/** Those of the server, and four of our own. */
export type Code =
  | Problem["code"]
  /** No answer came: offline, or the server is away, or the page's origin is not in `frontend_origins`. */
  | "network"
  /** An answer came, but not from Hallpass: a proxy's, or another server's. */
  | "answer_unexpected"
  /** Somebody else has signed in since the request began. */
  | "user_changed"
  /** The `store` threw. */
  | "store_failed";

/** A failure. Programs go by `code`, people read `detail`. */
export class HallpassError extends Error {
  override readonly name = "HallpassError";
  readonly code: Code;
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  readonly title: string;
  /** What to do next, for a person. The message is the same. */
  readonly detail: string;
  /** Each value that is not allowed, if the code is `validation_failed`. */
  readonly errors: FieldError[];
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;
  /**
   * Why the session is over, if the code is `session_ended` and the server knows; else what was thrown, if
   * anything.
   */
  override readonly cause: unknown;
  /** Finds the request in the server's log. */
  readonly requestId: string | undefined;

  constructor(problem: Partial<Omit<Problem, "code" | "cause">> & { code: Code; cause?: unknown }) {
    super(problem.detail ?? problem.title ?? problem.code);
    this.code = problem.code;
    this.status = problem.status ?? 0;
    this.title = problem.title ?? problem.code;
    this.detail = this.message;
    this.errors = problem.errors ?? [];
    this.retryAfter = problem.retry_after;
    this.cause = problem.cause;
    this.requestId = problem.request_id;
  }

  /** Reads the answer to a request that failed. */
  static async from(response: Response): Promise<HallpassError> {
    const { status } = response;
    const problem = await problemOf(response);
    const code = "answer_unexpected";
    return new HallpassError(
      problem ?? { code, status, detail: `The answer was ${status} without a problem document` },
    );
  }
}

/** For what `fetch` throws, which differs from browser to browser. */
export const unreachable = (cause: unknown): never => {
  if (cause instanceof HallpassError) throw cause;
  throw new HallpassError({ code: "network", detail: "The server cannot be reached", cause });
};

/** The problem document of an answer, if it is one. */
export const problemOf = async (response: Response): Promise<Problem | undefined> => {
  try {
    const problem: unknown = await response.json();
    return isProblem(problem) ? problem : undefined;
  } catch {
    return undefined;
  }
};

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "code" in value && typeof value.code === "string";
