// What is kept over restarts. In a browser that is at most the mark of a sign-out that the server has not
// heard of; the refresh secret is in a cookie, out of reach.

import { HallpassError } from "./errors.js";

/**
 * A place for one secret: the keychain of a phone, a file that only its owner can read. `set` replaces it
 * whole.
 */
export interface Store {
  get(): Promise<string | null | undefined> | string | null | undefined;
  set(value: string): Promise<void> | void;
  remove(): Promise<void> | void;
}

/** Forgets everything at the end of the program: for scripts and tests. */
export const memoryStore = (): Store => {
  let kept: string | null = null;
  return {
    get: () => kept,
    set: (value) => {
      kept = value;
    },
    remove: () => {
      kept = null;
    },
  };
};

/** What the store's one value says. */
export interface Kept {
  refresh_token?: string | undefined;
  /** Outlives sign-outs: with it nobody who fails on purpose locks the owner out on this device. */
  device_token?: string | undefined;
  /** A sign-out that the server has not heard of. */
  signing_out?: boolean | undefined;
}

/** Reads and writes it as JSON. Whatever the store throws comes as `store_failed`. */
export const keeping = (store: Store) => ({
  read: (): Promise<Kept> =>
    guard(async () => {
      const text = await store.get();
      return text ? read(text) : {};
    }),
  write: (kept: Kept): Promise<void> =>
    guard(async () => {
      const text = JSON.stringify(kept);
      await (text === "{}" ? store.remove() : store.set(text));
    }),
});

/** What is not ours, or only half written, is as good as nothing. */
const read = (text: string): Kept => {
  try {
    return Object(JSON.parse(text)) as Kept;
  } catch {
    return {};
  }
};

const guard = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    throw new HallpassError({ code: "store_failed", detail: "The store of the app has failed", cause });
  }
};

/** The browser's, for the mark; a browser that keeps nothing goes without. */
export const browserStore = (name: string): Store => ({
  get: () => attempt(() => localStorage.getItem(name)),
  set: (value) => attempt(() => localStorage.setItem(name, value)),
  remove: () => attempt(() => localStorage.removeItem(name)),
});

const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};
