// The state of one client: who is signed in, and the access token, in memory alone. It never navigates, never
// shares a token between tabs, and takes only the server's own word for the end of a session.

import createClient from "openapi-fetch";

import type { paths } from "./api.js";
import { ask, type Issued } from "./ask.js";
import { authorized } from "./authorized.js";
import { moment, since, type Moment } from "./clock.js";
import { HallpassError, unreachable } from "./errors.js";
import { exclusively } from "./exclusively.js";
import { browserStore, keeping, memoryStore } from "./store.js";
import type { Hallpass, Options, SignIn, SignUp, SignUpResult, User } from "./types.js";

/** Only these end a session; whatever else goes wrong may pass. */
const OVER = new Set(["refresh_missing", "refresh_invalid", "session_ended"]);

/** Parts of a token's life: it is refreshed between the first two, and never used after the third. */
const DUE = [0.7, 0.85] as const;
const OLD = 0.95;

/** Milliseconds between attempts after failures: at first, and at most. */
const BACKOFF = [1000, 60_000] as const;

/** The longest time that a timer can take, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

interface Access {
  token: string;
  issued: Moment;
  /** Milliseconds. */
  life: number;
  due: number;
}

/** What tabs tell each other, never a token: who is signed in now, or that it is time to ask the server. */
type News = User | null | "look";

/** Makes a client. In a browser, and wherever there is a `store`, it looks at once who is signed in. */
export const createHallpass = (options: Options): Hallpass => {
  const page = globalThis.location?.href;
  const url = new URL(options.url || "/", page).href.replace(/\/+$/, "");
  const name = `hallpass:${url}`;
  let { store } = options;
  let keep = keeping(store ?? browserStore(name));
  const key = store ?? name;
  const credentials = store ? "omit" : "include";
  const browser = typeof document !== "undefined";
  const channel =
    browser && !store && typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : undefined;
  const listeners = new Set<(user: User | null | undefined) => void>();

  let user: User | null | undefined;
  let error: HallpassError | null = null;
  let access: Access | undefined;
  /** Grows with each sign-in and sign-out; a refresh that began before is void. */
  let epoch = 0;
  let signOuts = 0;
  let refreshing: Promise<void> | undefined;
  let flight: AbortController | undefined;
  let failed: { times: number; at: Moment } | undefined;
  /** A sign-out is not finished. */
  let leaving = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  // State

  const change = (next: User | null | undefined, problem: HallpassError | null): void => {
    if (same(user, next) && error === problem) return;
    if (!same(user, next)) user = next;
    error = problem;
    // Later, so that a listener that throws stops neither the others nor the session.
    for (const listener of listeners) queueMicrotask(() => listener(user));
  };

  /** Whatever is under way belongs to the past. */
  const turn = (): void => {
    epoch += 1;
    flight?.abort();
    clearTimeout(timer);
    access = refreshing = failed = undefined;
    leaving = false;
  };

  const adopt = (issued: Issued, asked: Moment): void => {
    const life = issued.expires_in * 1000;
    access = { token: issued.access_token, issued: asked, life, due: life * between(...DUE) };
    failed = undefined;
    change(issued.user, null);
    plan(Math.max(access.due - since(asked), BACKOFF[0]));
  };

  const leave = (): void => {
    signOuts += 1;
    turn();
    change(null, null);
  };

  const tell = (news: News): void => channel?.postMessage(news);

  const hear = (news: News): void => {
    if (news === null) return leave();
    if (news === "look") return user === null ? undefined : look();
    if (news.id === user?.id) return change(news, error);
    look();
    change(undefined, null);
  };

  const look = (): void => {
    turn();
    renew().catch(ignore);
  };

  // Refreshing

  const renew = (): Promise<void> => {
    if (refreshing) return refreshing;
    const wait = failed ? (error?.retryAfter ?? 0) * 1000 - since(failed.at) : 0;
    if (wait > 0) {
      plan(wait);
      return Promise.reject(error);
    }
    const mine = attempt(epoch).finally(() => {
      if (refreshing === mine) refreshing = undefined;
    });
    refreshing = mine;
    return mine;
  };

  const attempt = async (began: number): Promise<void> => {
    try {
      await exclusively(key, () => exchange(began));
    } catch (problem) {
      if (began !== epoch) return;
      if (!(problem instanceof HallpassError)) throw problem;
      if (OVER.has(problem.code)) return ended(problem);
      later(problem.retryAfter);
      change(user, problem);
      throw problem;
    }
  };

  /**
   * Presents what is kept, and keeps what it brings before using it: a crash or a lost answer loses no
   * session.
   */
  const exchange = async (began: number): Promise<void> => {
    const kept = await keep.read();
    if (began !== epoch) return;
    leaving = kept.signing_out === true;
    if (leaving || (store && !kept.refresh_token)) throw new HallpassError({ code: "refresh_missing" });
    flight = new AbortController();
    const asked = moment();
    const secret = store && { refresh_token: kept.refresh_token };
    try {
      const issued = await ask(`${url}/api/v1/refresh`, secret, { credentials }, flight);
      if (!issued || began !== epoch) return;
      // If it cannot be kept, the old one goes on working, since nobody ever uses the new one.
      if (store) await keep.write({ ...kept, refresh_token: issued.refresh_token }).catch(ignore);
      if (began !== epoch) return;
      const before = user;
      adopt(issued, asked);
      if (before !== undefined && before !== user) tell(issued.user);
    } catch (problem) {
      const over = problem instanceof HallpassError && OVER.has(problem.code);
      if (store && over && began === epoch) await keep.write({ device_token: kept.device_token });
      throw problem;
    }
  };

  const ended = (problem: HallpassError): void => {
    const before = user;
    access = failed = undefined;
    clearTimeout(timer);
    if (leaving) plan(0);
    change(null, before || problem.code === "session_ended" ? problem : null);
    // The others ask for themselves: one of them may just have signed in.
    if (before) tell("look");
  };

  const token = async (): Promise<string | null> => {
    if (user === null) return null;
    if (access && since(access.issued) < access.life * OLD) return access.token;
    const began = epoch;
    await renew();
    return began === epoch || access ? (access?.token ?? null) : token();
  };

  const replace = async (old: string): Promise<void> => {
    if (access?.token === old) await renew();
  };

  // Time

  const plan = (delay: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(wake, Math.min(Math.max(delay, 0), LONGEST_TIMER));
    // A program in Node may end although a timer runs.
    (timer as { unref?: () => void }).unref?.();
  };

  const later = (seconds = 0): void => {
    const times = failed?.times ?? 0;
    failed = { times: times + 1, at: moment() };
    const backoff = Math.min(BACKOFF[0] * 2 ** times, BACKOFF[1]);
    plan(Math.max(backoff * between(0.5, 1), seconds * 1000));
  };

  /** Does what is due. A hidden tab does nothing until somebody looks at it or a request needs a token. */
  const wake = (): void => {
    if (closed || (browser && document.visibilityState === "hidden")) return;
    if (leaving) return void settle();
    if (user === null) return;
    const left = access && !failed ? access.due - since(access.issued) : 0;
    if (left > 0) plan(left);
    else renew().catch(ignore);
  };

  // A page that comes back out of the cache has missed what the other tabs said.
  const show = (event: PageTransitionEvent): void => {
    if (event.persisted) look();
  };

  // Signing in and out

  const enter = (path: string, body: object): Promise<User | undefined> => {
    const before = signOuts;
    const current = (): void => {
      if (before === signOuts) return;
      throw new HallpassError({ code: "user_changed", detail: "Somebody has signed out in the meantime" });
    };
    return exclusively(key, async () => {
      const kept = await keep.read();
      const device = path === "login" && kept.device_token ? { device_token: kept.device_token } : {};
      const asked = moment();
      const issued = await ask(`${url}/api/v1/${path}`, { ...body, ...device }, { credentials });
      current();
      if (!issued) return undefined;
      const { refresh_token, device_token = kept.device_token } = issued;
      // No browser, and no store: what a cookie would hold lasts as long as the program.
      if (refresh_token && !store) keep = keeping((store = memoryStore()));
      await keep.write(store ? { refresh_token, device_token } : {});
      current();
      turn();
      adopt(issued, asked);
      tell(issued.user);
      return issued.user;
    });
  };

  const signOut = async (): Promise<boolean> => {
    const bearer = access?.token;
    leave();
    tell(null);
    // At once: the page may be left before its turn comes.
    if (!store) await keep.write({ signing_out: true });
    return settle(bearer, true);
  };

  /** Lets the server end the session. Somebody who has signed in since the `first` attempt is left alone. */
  const settle = (bearer?: string, first = false): Promise<boolean> => {
    const began = epoch;
    return exclusively(key, async () => {
      const kept = await keep.read();
      if (!first && !kept.signing_out) return true;
      if (store) await keep.write({ ...kept, signing_out: true }).catch(ignore);
      const proof = !store && bearer ? { headers: { authorization: `Bearer ${bearer}` } } : {};
      const secret = store && { refresh_token: kept.refresh_token };
      if (!store || kept.refresh_token) {
        await ask(`${url}/api/v1/logout`, secret, { credentials, keepalive: true, ...proof });
      }
      await keep.write({ device_token: kept.device_token });
      if (began === epoch) leaving = false;
      return true;
    }).catch((problem: unknown) => {
      if (began === epoch) {
        leaving = true;
        later(problem instanceof HallpassError ? problem.retryAfter : undefined);
      }
      return false;
    });
  };

  const signIn = async (who: SignIn): Promise<User> => {
    const signedIn = await enter("password" in who ? "login" : "sign-in-link", who);
    if (signedIn) return signedIn;
    throw new HallpassError({ code: "answer_unexpected", detail: "The server has signed nobody in" });
  };

  const signUp = async (account: SignUp): Promise<SignUpResult> => {
    const signedIn = await enter("signup", account);
    return signedIn ? { status: "signed_in", user: signedIn } : { status: "verify_email" };
  };

  const signOutEverywhere = async (): Promise<void> => {
    const response = await send(`${url}/api/v1/logout-everywhere`, { method: "POST", credentials }).catch(
      unreachable,
    );
    if (!response.ok) throw await HallpassError.from(response);
    leave();
    tell(null);
    if (store)
      await exclusively(key, async () => keep.write({ device_token: (await keep.read()).device_token }));
  };

  const refresh = async (): Promise<void> => {
    // One that is under way may bring what was true before.
    await refreshing?.catch(ignore);
    return renew();
  };

  const origins = new Set([url, ...(options.apis ?? [])].map((api) => new URL(api, page).origin));
  const send = authorized(origins, { user: () => user, token, replace });

  if (channel) channel.onmessage = ({ data }: MessageEvent<News>) => hear(data);
  if (browser) {
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", show);
  }
  // While a page is rendered on a server, nobody is signed in or out.
  const ready = browser || store ? renew().catch(ignore) : Promise.resolve();

  return {
    url,
    get user() {
      return user;
    },
    get error() {
      return error;
    },
    ready,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    signIn,
    signUp,
    signOut,
    signOutEverywhere,
    refresh,
    token,
    fetch: send,
    api: createClient<paths>({ baseUrl: url, credentials, fetch: (request) => send(request) }),
    close: () => {
      closed = true;
      turn();
      channel?.close();
      if (!browser) return;
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("online", wake);
      window.removeEventListener("pageshow", show);
    },
  };
};

const ignore = (): void => undefined;

const between = (least: number, most: number): number => least + (most - least) * Math.random();

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
