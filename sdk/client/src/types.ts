// What the client takes and gives.

import type { Client } from "openapi-fetch";

import type { components, paths } from "./api.js";
import type { HallpassError } from "./errors.js";
import type { Store } from "./store.js";

/** An account, as its owner sees it. Times are seconds since 1970 (UTC). */
export type User = components["schemas"]["User"];

/** By name and password, by the secret behind `#token=` in a mailed link, or by the code in that mail. */
export type SignIn = { remember?: boolean } & (
  | { username: string; password: string }
  | { email: string; password: string }
  | { token: string }
  | { email: string; code: string }
);

/** A new account. Which of user name and e-mail are needed is the operator's choice. */
export type SignUp = components["schemas"]["SignUp"];

/** Signed in; or a mail went to the address, and its link comes first. */
export type SignUpResult = { status: "signed_in"; user: User } | { status: "verify_email" };

export interface Options {
  /** The public URL of Hallpass. Relative ones, and the empty one, are of the page's own origin. */
  url: string;
  /** Further origins whose requests get the access token: those of your back ends. */
  apis?: string[];
  /**
   * Where the refresh secret is kept by what is no browser: React Native, Node. Without it they keep it until
   * the program ends; a browser keeps it in a cookie that no script can read.
   */
  store?: Store;
}

/** Everything but `user` and `error` can be taken out by destructuring; those two change. */
export interface Hallpass {
  /** Of Hallpass, absolute and without a slash at its end. */
  readonly url: string;
  /**
   * Who is signed in; `null`: nobody; `undefined`: not known yet. The same object until something in it
   * changes.
   */
  readonly user: User | null | undefined;
  /**
   * Why the last refresh failed, which signs nobody out (`network`, `unavailable`, …), or why the server
   * ended the session (`session_ended` with its `cause`). `null` if neither is so.
   */
  readonly error: HallpassError | null;
  /** Resolves after the first attempt to find out who is signed in. Never rejects. */
  readonly ready: Promise<void>;
  /**
   * Calls the listener after each change of `user` or `error`, until the function that it returns is called.
   */
  onChange(listener: (user: User | null | undefined) => void): () => void;
  /** Signs in here and in the other tabs. Rejects with a `HallpassError`. */
  signIn(who: SignIn): Promise<User>;
  /** Makes an account. Rejects with a `HallpassError`; what is wrong with each value is in its `errors`. */
  signUp(account: SignUp): Promise<SignUpResult>;
  /**
   * Signs out here and in the other tabs, at once and also without a network. Never rejects. `false`: the
   * server could not be told yet and is told as soon as it can be reached; until then nobody is signed in
   * again by a reload.
   */
  signOut(): Promise<boolean>;
  /** Ends every session of the account. Rejects with a `HallpassError`, and then nothing has changed here. */
  signOutEverywhere(): Promise<void>;
  /** Asks for a new token and for the user as they are now, as after a change of the profile. */
  refresh(): Promise<void>;
  /**
   * An access token that is good for a while, for what cannot go through `fetch`; `null` if nobody is signed
   * in.
   */
  token(): Promise<string | null>;
  /**
   * As the platform's, with the access token where it belongs: on requests to `url` and `apis`. It refreshes
   * where needed and repeats the request at most once. It rejects with a `HallpassError` if no token can be
   * had (`network` and the like), and with `user_changed` rather than mix two people's requests and answers.
   */
  fetch: typeof fetch;
  /** Every operation of the server, typed: `const { data, error } = await api.GET("/api/v1/sessions")`. */
  api: Client<paths>;
  /** Stops timers and listeners, as before hot reloading or at the end of a test. */
  close(): void;
}
