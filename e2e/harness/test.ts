import type { Browser, BrowserContextOptions } from "playwright-core";
import { test as plain } from "vitest";

import { launch } from "./browser";
import { Server, type ServerOptions } from "./server";
import { Visitor } from "./visitor";

interface Fixtures {
  /** Flags for the browser of this file. */
  flags: string[];
  browser: Browser;
  /** Lets somebody come who has never been here; what goes wrong in their browser fails the test. */
  visit: (options?: BrowserContextOptions) => Promise<Visitor>;
  /** Starts a server for this test alone, which ends with it. */
  serve: (options: ServerOptions) => Promise<Server>;
}

export const test = plain.extend<Fixtures>({
  flags: [[], { scope: "file" }],
  browser: [
    async ({ flags }, use) => {
      const browser = await launch({ flags });
      await use(browser);
      await browser.close();
    },
    { scope: "file" },
  ],
  visit: async ({ browser }, use) => {
    const visitors: Visitor[] = [];
    await use(async (options = {}) => {
      const visitor = await Visitor.open(browser, options);
      visitors.push(visitor);
      return visitor;
    });
    await Promise.all(visitors.map((visitor) => visitor.context.close()));
    const problems = visitors.flatMap((visitor) => visitor.problems);
    if (problems.length > 0) throw new Error(`unannounced:\n${problems.join("\n")}`);
  },
  serve: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (options) => {
      const server = await Server.start(options);
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.stop()));
  },
});
