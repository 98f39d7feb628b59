// A browser, as far as the client looks at it: a cookie jar, a storage, locks, a document. Each tab loads the
// module anew, so tabs share what real ones share and nothing else.

import { vi } from "vitest";

import type { Hallpass } from "../src/index.js";
import type { Fake } from "./fake.js";

export const PAGE = "http://localhost:3000";

type Handle = (request: Request) => Promise<Response>;

export class Browser {
  readonly jar = new Map<string, string>();
  readonly storage = new Map<string, string>();
  readonly messages: unknown[] = [];
  readonly requests: Request[] = [];
  readonly document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  readonly window = new EventTarget();
  private readonly tabs: Hallpass[] = [];

  private readonly handle: Handle;

  constructor(handle: Handle) {
    this.handle = handle;
    const { storage, messages } = this;
    vi.stubGlobal("document", this.document);
    vi.stubGlobal("window", this.window);
    vi.stubGlobal("location", { href: `${PAGE}/` });
    vi.stubGlobal("navigator", { locks: new Locks() });
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => storage.get(name) ?? null,
      setItem: (name: string, value: string) => storage.set(name, value),
      removeItem: (name: string) => storage.delete(name),
    });
    vi.stubGlobal("fetch", this.fetch);
    const post = BroadcastChannel.prototype.postMessage;
    vi.spyOn(BroadcastChannel.prototype, "postMessage").mockImplementation(function (
      this: BroadcastChannel,
      message,
    ) {
      messages.push(message);
      post.call(this, message);
    });
  }

  static at(fake: Fake): Browser {
    return new Browser((request) => fake.handle(request));
  }

  /** Loads the page, and does not wait for it. */
  async open(apis: string[] = [], url = "http://localhost:8000"): Promise<Hallpass> {
    vi.resetModules();
    const { createHallpass } = await import("../src/index.js");
    const tab = createHallpass({ url, apis });
    this.tabs.push(tab);
    return tab;
  }

  /** A tab in which alice is signed in. */
  async signedIn(): Promise<Hallpass> {
    const tab = await this.open();
    await tab.signIn({ username: "alice", password: "correct" });
    return tab;
  }

  see(visibilityState: "visible" | "hidden"): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }

  close(): void {
    for (const tab of this.tabs) tab.close();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }

  /** As in a browser, with the jar of this origin's cookies; an answer never comes after an abort. */
  private readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    this.requests.push(request.clone());
    const headers = new Headers(request.headers);
    headers.set("origin", PAGE);
    const sent = request.credentials === "include";
    if (sent) headers.set("cookie", [...this.jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const body = request.body && (await request.arrayBuffer());
    const aborted = new Promise<never>((_, reject) => {
      request.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
    const answer = await Promise.race([
      this.handle(new Request(request.url, { method: request.method, headers, body })),
      aborted,
    ]);
    for (const line of sent ? answer.headers.getSetCookie() : []) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
      if (value) this.jar.set(name, value);
      else this.jar.delete(name);
    }
    return answer;
  };
}

/** Web Locks, one after the other. */
export class Locks {
  private readonly last = new Map<string, Promise<unknown>>();

  async request<T>(name: string, { signal }: { signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(name);
    let release: () => void = () => undefined;
    this.last.set(name, Promise.all([before, new Promise<void>((resolve) => (release = resolve))]));
    try {
      await Promise.race([before, new Promise((_, reject) => signal.addEventListener("abort", reject))]);
      return await work();
    } finally {
      release();
    }
  }
}

/** Something that a test lets happen. */
export const gate = (): { open: () => void; opened: Promise<void> } => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
};
