/**
 * Tabs that refresh at the same time over a network that loses things. The front end is on another port than the
 * server, and a proxy between them makes the trouble.
 */
import { createHallpass, memoryStore } from "@hallpass/client";
import type { Page } from "playwright-core";
import { afterAll, beforeEach, expect } from "vitest";

import { FrontEnd } from "../harness/front-end";
import { Proxy, type Trouble } from "../harness/proxy";
import { PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";
import { until } from "../harness/until";
import type { Visitor } from "../harness/visitor";

const REFRESH = "POST /api/v1/refresh";
/** What befalls refreshes, one after the other; delays are longer than a refresh takes. */
const TROUBLES: Trouble[] = [
  {},
  { before: 120 },
  { lose: "answer" },
  { after: 150 },
  { before: 60, lose: "answer" },
  { lose: "request" },
  { after: 90, lose: "answer" },
];

const front = await FrontEnd.build("e2e/front-end");
const proxy = await Proxy.start();
const server = await Server.start({ publicUrl: proxy.url, settings: { FRONTEND_ORIGINS: front.url } });
proxy.target = server.port;

beforeEach(() => {
  proxy.trouble = () => ({});
});
afterAll(async () => {
  await Promise.all([server.stop(), proxy.stop(), front.stop()]);
});

/** Opens the front end in a tab and waits until it knows who is signed in. */
async function tab(person: Visitor): Promise<Page> {
  const page = person.context.pages().find((one) => one.url() === "about:blank") ?? (await person.context.newPage());
  await page.goto(`${front.url}/?server=${encodeURIComponent(proxy.url)}`);
  await page.evaluate(() => window.hallpass.ready);
  return page;
}

async function twoTabs(person: Visitor, username: string): Promise<[Page, Page]> {
  server.account(username);
  const first = await tab(person);
  await signIn(first, username);
  const second = await tab(person);
  expect(await userOf(second)).toBe(username);
  return [first, second];
}

async function signIn(page: Page, username: string): Promise<void> {
  const who = { username, password: PASSWORD };
  await page.evaluate(async (who) => void (await window.hallpass.signIn(who)), who);
}

/** `null` for nobody, `undefined` if it is not known. */
function userOf(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => {
    const { user } = window.hallpass;
    return user ? user.username : user;
  });
}

/** Refreshes, and says what came of it. */
function refresh(page: Page): Promise<string> {
  return page.evaluate(() =>
    window.hallpass.refresh().then(
      () => "refreshed",
      (error: { code: string }) => error.code,
    ),
  );
}

/** Asks for the account with the client's token. */
function me(page: Page): Promise<{ status: number; roles: string[] }> {
  return page.evaluate(async () => {
    const answer = await window.hallpass.fetch(`${window.hallpass.url}/api/v1/me`);
    const { roles } = (await answer.json()) as { roles: string[] };
    return { status: answer.status, roles };
  });
}

/** The ends of sessions that the server has recorded. */
function ends(username: string): object[] {
  return JSON.parse(server.cli(["audit", "--account", username, "--event", "session_ended", "--json"])) as object[];
}

async function twentyRounds(person: Visitor, username: string): Promise<void> {
  const tabs = await twoTabs(person, username);
  person.announce(/net::ERR_\w+ .*\/api\/v1\/refresh/);
  let requests = 0;
  proxy.trouble = (what) => (what === REFRESH ? (TROUBLES[requests++ % TROUBLES.length] ?? {}) : {});
  const outcomes: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    outcomes.push(...(await Promise.all(tabs.map(refresh))));
    expect(await Promise.all(tabs.map(userOf))).toEqual([username, username]);
  }
  // Some must have failed and some not, or there was no trouble or no network.
  expect(new Set(outcomes)).toEqual(new Set(["refreshed", "network"]));
  expect(requests).toBeGreaterThan(20);
  proxy.trouble = () => ({});
  for (const page of tabs) {
    expect(await refresh(page)).toBe("refreshed");
    expect((await me(page)).status).toBe(200);
    await page.reload();
    await page.evaluate(() => window.hallpass.ready);
    expect(await userOf(page)).toBe(username);
  }
  expect(ends(username)).toEqual([]);
}

test("two tabs that refresh at once twenty times, over a bad network, stay signed in", async ({ visit }) => {
  await twentyRounds(await visit(), "ada");
});

test("so do tabs of a browser without Web Locks and BroadcastChannel", async ({ visit }) => {
  const person = await visit();
  await person.context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
    Object.defineProperty(window, "BroadcastChannel", { value: undefined });
  });
  await twentyRounds(person, "bob");
});

test("a restart of the server signs nobody out", async ({ visit }) => {
  const person = await visit();
  const tabs = await twoTabs(person, "cleo");
  person.announce(/net::ERR_\w+ .*\/api\/v1\//);
  await server.halt();
  expect(await Promise.all(tabs.map(refresh))).toEqual(["network", "network"]);
  expect(await Promise.all(tabs.map(userOf))).toEqual(["cleo", "cleo"]);
  await server.run();
  expect(await Promise.all(tabs.map(refresh))).toEqual(["refreshed", "refreshed"]);
  expect(await Promise.all(tabs.map(userOf))).toEqual(["cleo", "cleo"]);
});

test("signing out in one tab signs out the other", async ({ visit }) => {
  const [first, second] = await twoTabs(await visit(), "dan");
  expect(await first.evaluate(() => window.hallpass.signOut())).toBe(true);
  await until("the other tab is signed out", async () => (await userOf(second)) === null);
  expect(await server.signIn("dan").then(({ access_token }) => liveSessions(access_token))).toBe(1);
});

test("without BroadcastChannel the other tab finds out with its next request", async ({ visit }) => {
  const person = await visit();
  await person.context.addInitScript(() => Object.defineProperty(window, "BroadcastChannel", { value: undefined }));
  const [first, second] = await twoTabs(person, "dina");
  await first.evaluate(() => window.hallpass.signOut());
  person.announceStatus(401, "/api/v1/me");
  expect((await me(second)).status).toBe(401);
  expect(await userOf(second)).toBe(null);
});

test("signing in as somebody else in one tab switches the other", async ({ visit }) => {
  server.account("eve");
  const [first, second] = await twoTabs(await visit(), "emma");
  await signIn(first, "eve");
  await until("the other tab knows who is signed in", async () => (await userOf(second)) === "eve");
  expect((await me(second)).status).toBe(200);
});

test("after a night's sleep both tabs get new tokens and nobody is signed out", async ({ visit }) => {
  const person = await visit();
  await person.context.clock.install();
  const tabs = await twoTabs(person, "fay");
  const before = proxy.count(REFRESH);
  await person.context.clock.fastForward("08:00:00");
  await until("both tabs have refreshed", async () => proxy.count(REFRESH) >= before + 2);
  expect(await Promise.all(tabs.map(userOf))).toEqual(["fay", "fay"]);
  expect(await Promise.all(tabs.map(me))).toMatchObject([{ status: 200 }, { status: 200 }]);
});

test("tokens are refreshed before they are over, and no request is refused for it", async ({ visit }) => {
  const person = await visit();
  await person.context.clock.install();
  const [page] = await twoTabs(person, "finn");
  const before = proxy.count(REFRESH);
  const begun = proxy.seen.length;
  await person.context.clock.fastForward("04:30");
  await until("a tab has refreshed", async () => proxy.count(REFRESH) > before);
  expect((await me(page)).status).toBe(200);
  expect(proxy.seen.slice(begun).filter(({ status }) => status === 401)).toEqual([]);
});

test("offline nobody is signed out, and online again everything goes on", async ({ visit }) => {
  const person = await visit();
  const [page, other] = await twoTabs(person, "gus");
  person.announce(/net::ERR_INTERNET_DISCONNECTED/);
  await person.context.setOffline(true);
  expect(await refresh(page)).toBe("network");
  expect(await userOf(page)).toBe("gus");
  const before = proxy.count(REFRESH);
  await person.context.setOffline(false);
  await until("the tab asks again by itself", async () => proxy.count(REFRESH) > before);
  await until("the failure is over", () => page.evaluate(() => window.hallpass.error === null));
  expect(await Promise.all([page, other].map(userOf))).toEqual(["gus", "gus"]);
});

test("whoever signs out without a network is signed out, and the server hears of it later", async ({ visit }) => {
  const person = await visit();
  const [page] = await twoTabs(person, "hal");
  person.announce(/net::ERR_\w+ .*\/api\/v1\/(logout|refresh)/);
  proxy.trouble = (what) => (what.startsWith("POST") ? { lose: "request" } : {});
  expect(await page.evaluate(() => window.hallpass.signOut())).toBe(false);
  expect(await userOf(page)).toBe(null);
  await page.reload();
  await page.evaluate(() => window.hallpass.ready);
  expect(await userOf(page)).toBe(null);
  expect(ends("hal")).toEqual([]);
  proxy.trouble = () => ({});
  await until("the server has ended the session", async () => ends("hal").length === 1);
});

test("a change of roles reaches the tab with its next request", async ({ visit }) => {
  const person = await visit();
  const [page] = await twoTabs(person, "ida");
  // The token that states what is not so any more is refused, and the request repeated with a new one.
  person.announceStatus(401, "/api/v1/me");
  server.cli(["accounts", "grant-role", "ida", "editor"]);
  await until("the role is there", async () => (await me(page)).roles.includes("editor"));
  server.cli(["accounts", "revoke-role", "ida", "editor"]);
  await until("the role is gone", async () => !(await me(page)).roles.includes("editor"));
  expect(await userOf(page)).toBe("ida");
});

test("a stranger's tab asks once and leaves it at that", async ({ visit }) => {
  const person = await visit();
  await person.context.clock.install();
  const before = proxy.count(REFRESH);
  const page = await tab(person);
  expect(await userOf(page)).toBe(null);
  await person.context.clock.fastForward("08:00:00");
  expect(await page.evaluate(() => window.hallpass.token())).toBe(null);
  expect(proxy.count(REFRESH)).toBe(before + 1);
});

test("a session that an operator ends is over in each tab", async ({ visit }) => {
  const person = await visit();
  const [page, other] = await twoTabs(person, "jo");
  server.cli(["accounts", "deactivate", "jo"]);
  person.announceStatus(401, "/api/v1/");
  await until("the server refuses", async () => (await me(page)).status === 401);
  expect(await userOf(page)).toBe(null);
  await until("the other tab has heard of it", async () => (await userOf(other)) === null);
  expect(await page.evaluate(() => window.hallpass.error?.code)).toBe("session_ended");
});

test("a program without a browser stays signed in over the same network", async () => {
  server.account("kit");
  const hallpass = createHallpass({ url: proxy.url, store: memoryStore() });
  await hallpass.signIn({ username: "kit", password: PASSWORD });
  let requests = 0;
  proxy.trouble = (what) => (what === REFRESH ? (TROUBLES[requests++ % TROUBLES.length] ?? {}) : {});
  for (let round = 0; round < 20; round += 1) {
    await hallpass.refresh().catch(() => undefined);
    expect(hallpass.user?.username).toBe("kit");
  }
  proxy.trouble = () => ({});
  expect((await hallpass.fetch(`${proxy.url}/api/v1/me`)).status).toBe(200);
  expect(await hallpass.signOut()).toBe(true);
  expect(ends("kit")).toHaveLength(1);
  hallpass.close();
});

async function liveSessions(token: string): Promise<number> {
  const { sessions } = await server.ask<{ sessions: unknown[] }>("GET", "/sessions", undefined, token);
  return sessions.length;
}
