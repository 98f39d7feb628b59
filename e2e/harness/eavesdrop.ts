/** What a script in the page could get hold of, if somebody smuggled one in before all others. */
import type { BrowserContext, Page } from "playwright-core";

declare global {
  interface Window {
    heard: string[];
  }
}

/** Puts a script into every page to come that notes every answer, with its headers, and every message between tabs. */
export async function eavesdrop(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    window.heard = [];
    const hear = (what: unknown) => void window.heard.push(typeof what === "string" ? what : JSON.stringify(what));
    const send = window.fetch;
    window.fetch = async (input, init) => {
      const request = new Request(input, init);
      hear([request.url, [...request.headers], await request.clone().text()]);
      const answer = await send(request);
      hear([answer.url, [...answer.headers], await answer.clone().text()]);
      return answer;
    };
    const open = XMLHttpRequest.prototype.open;
    XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, ...words: unknown[]) {
      this.addEventListener("load", () => hear(this.getAllResponseHeaders() + String(this.response)));
      Reflect.apply(open, this, words);
    };
    const post = BroadcastChannel.prototype.postMessage;
    BroadcastChannel.prototype.postMessage = function (this: BroadcastChannel, message: unknown) {
      hear(message ?? null);
      post.call(this, message);
    };
    addEventListener("message", ({ data }) => hear(data ?? null));
  });
}

/** All that was heard, and all that is kept where scripts can read it. */
export function within(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const databases = await Promise.all((await indexedDB.databases()).map(({ name }) => read(name ?? "")));
    const caches = await Promise.all((await window.caches.keys()).map((name) => keep(name)));
    const objects = [window.heard, databases, caches, { ...localStorage }, { ...sessionStorage }, history.state];
    return [...objects.map((one) => JSON.stringify(one)), document.cookie, window.name, document.URL].join("\n");

    async function keep(name: string) {
      const cache = await window.caches.open(name);
      return Promise.all((await cache.matchAll()).map((answer) => answer.text()));
    }

    async function read(name: string) {
      const database = await finished(indexedDB.open(name));
      const stores = [...database.objectStoreNames].map((store) =>
        finished(database.transaction(store).objectStore(store).getAll()),
      );
      return Promise.all(stores);
    }

    function finished<T>(request: IDBRequest<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    }
  });
}
