import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Browser, gate, Locks } from "./browser.js";
import { Fake } from "./fake.js";

const ME = "http://localhost:8000/api/v1/me";

let fake: Fake;
let browser: Browser;

beforeEach(() => {
  fake = new Fake();
  browser = Browser.at(fake);
});
afterEach(() => browser.close());

const twoTabs = async () => {
  const first = await browser.signedIn();
  const second = await browser.open();
  await second.ready;
  return { first, second };
};

test("tabs never refresh at the same time", async () => {
  const { first, second } = await twoTabs();
  for (let round = 0; round < 20; round += 1) {
    fake.outdate("token_expired");
    const answers = await Promise.all([first.fetch(ME), second.fetch(ME), second.fetch(ME)]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  }
  expect(fake.mostRefreshing).toBe(1);
  expect(fake.count("refresh")).toBe(2 + 20 * 2);
});

test("where there are no locks, tabs that refresh at the same time stay signed in", async () => {
  browser.close();
  browser = Browser.at(fake);
  vi.stubGlobal("navigator", {});
  const { first, second } = await twoTabs();
  const slow = gate();
  fake.fate = async ({ path }) => (path === "refresh" ? (await slow.opened, undefined) : undefined);
  const both = Promise.all([first.refresh(), second.refresh()]);
  await vi.waitFor(() => expect(fake.refreshing).toBe(2));
  slow.open();
  await both;
  expect([first.user?.username, second.user?.username]).toEqual(["alice", "alice"]);
});

test("a tab that sleeps with the lock in its hand does not stop the others for ever", async () => {
  await browser.signedIn();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const locks = new Locks();
  vi.stubGlobal("navigator", { locks });
  void locks.request(
    "hallpass:http://localhost:8000",
    { signal: new AbortController().signal },
    () => new Promise(() => undefined),
  );
  const page = await browser.open();
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));
  await vi.advanceTimersByTimeAsync(29_000);
  expect(page.user).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_000);
  await page.ready;
  expect(page.user?.username).toBe("alice");
});

test("a sign-out in one tab signs out the others, without a request of theirs", async () => {
  const { first, second } = await twoTabs();
  const heard = vi.fn();
  second.onChange(heard);
  expect(await first.signOut()).toBe(true);
  await vi.waitFor(() => expect(heard).toHaveBeenCalledWith(null));
  expect(second.user).toBeNull();
  expect(await second.token()).toBeNull();
  expect(fake.count("logout")).toBe(1);
  expect(fake.count("refresh")).toBe(2);
});

test("a sign-out without a network signs out the other tabs as well", async () => {
  const { first, second } = await twoTabs();
  fake.fate = () => "unreachable";
  void first.signOut();
  await vi.waitFor(() => expect(second.user).toBeNull());
});

test("a sign-in in one tab signs in the others", async () => {
  const first = await browser.open();
  const second = await browser.open();
  await Promise.all([first.ready, second.ready]);
  await first.signIn({ username: "bob", password: "correct" });
  await vi.waitFor(() => expect(second.user?.username).toBe("bob"));
});

test("a sign-in as somebody else switches the others, and no request of theirs is mixed up", async () => {
  const { first, second } = await twoTabs();
  const seen: unknown[] = [];
  second.onChange((user) => seen.push(user?.username));
  const slow = gate();
  fake.fate = async ({ path }) => (path === "me" ? (await slow.opened, undefined) : undefined);
  const late = expect(second.fetch(ME)).rejects.toMatchObject({ code: "user_changed" });
  await vi.waitFor(() => expect(fake.count("me")).toBe(1));
  await first.signIn({ username: "bob", password: "correct" });
  await vi.waitFor(() => expect(second.user?.username).toBe("bob"));
  slow.open();
  await late;
  expect(await (await second.fetch(ME)).json()).toMatchObject({ user: "bob" });
  expect(seen).toEqual([undefined, "bob"]);
});

test("a session that one tab finds ended is over in the others", async () => {
  const { first, second } = await twoTabs();
  fake.endAll("idle");
  await first.refresh();
  await vi.waitFor(() => expect(second.user).toBeNull());
  expect(second.error).toMatchObject({ code: "session_ended", cause: "idle" });
});

test("a change of the profile is seen in the other tabs", async () => {
  const { first, second } = await twoTabs();
  fake.people["alice"]!.first_name = "Alice";
  await first.refresh();
  await vi.waitFor(() => expect(second.user?.first_name).toBe("Alice"));
  expect(fake.count("refresh")).toBe(3);
});

test("a page that comes back out of the cache looks again", async () => {
  const page = await browser.signedIn();
  fake.endAll("signed_out");
  browser.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await vi.waitFor(() => expect(page.user).toBeNull());
});

test("no token is ever in a message or in storage", async () => {
  const { first, second } = await twoTabs();
  await first.refresh();
  await first.signIn({ username: "bob", password: "correct" });
  await vi.waitFor(() => expect(second.user?.username).toBe("bob"));
  await second.signOutEverywhere();
  fake.fate = () => "unreachable";
  await first.signIn({ username: "alice", password: "correct" }).catch(() => undefined);
  await first.signOut();
  expect(browser.messages.length).toBeGreaterThan(2);
  const left = JSON.stringify([browser.messages, ...browser.storage]);
  expect(left).toContain("signing_out");
  expect(left).not.toMatch(/token|0\.\d/);
});
