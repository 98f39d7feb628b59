import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Browser, gate } from "./browser.js";
import { Fake, problem } from "./fake.js";

let fake: Fake;
let browser: Browser;

beforeEach(() => {
  fake = new Fake();
  browser = Browser.at(fake);
});
afterEach(() => browser.close());

/** Time passes only when the test says so. */
const stopClock = () =>
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"], now: 1_800_000_000_000 });

test("who is signed in is found out when the page is loaded", async () => {
  await browser.signedIn();
  const reloaded = await browser.open();
  expect(reloaded.user).toBeUndefined();
  await reloaded.ready;
  expect(reloaded.user?.username).toBe("alice");
  expect(reloaded.error).toBeNull();
});

test("nobody is signed in where there is no cookie, and that is no error", async () => {
  const page = await browser.open();
  await page.ready;
  expect(page.user).toBeNull();
  expect(page.error).toBeNull();
  expect(await page.token()).toBeNull();
});

test("the user is the same object until something in it changes", async () => {
  const page = await browser.signedIn();
  const changes = vi.fn();
  page.onChange(changes);
  const before = page.user;
  await page.refresh();
  expect(page.user).toBe(before);
  expect(changes).not.toHaveBeenCalled();
  fake.people["alice"]!.first_name = "Alice";
  await page.refresh();
  expect(page.user?.first_name).toBe("Alice");
  expect(changes).toHaveBeenCalledExactlyOnceWith(page.user);
});

test("nobody is told after saying so, and a listener that throws stops no other", async () => {
  const page = await browser.signedIn();
  const [gone, kept] = [vi.fn(), vi.fn()];
  const uncaught = vi.fn();
  process.once("uncaughtException", uncaught);
  page.onChange(() => {
    throw new Error("of the app");
  });
  page.onChange(gone)();
  page.onChange(kept);
  await page.signOut();
  await vi.waitFor(() => expect(uncaught).toHaveBeenCalled());
  expect(kept).toHaveBeenCalledWith(null);
  expect(gone).not.toHaveBeenCalled();
});

test("a token is refreshed ahead of time", async () => {
  stopClock();
  const page = await browser.signedIn();
  const first = await page.token();
  await vi.advanceTimersByTimeAsync(200_000);
  expect(await page.token()).toBe(first);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fake.count("refresh")).toBe(2);
  expect(await page.token()).not.toBe(first);
});

test("a hidden page refreshes when it is seen again, or when a request needs a token", async () => {
  stopClock();
  const page = await browser.signedIn();
  browser.see("hidden");
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(fake.count("refresh")).toBe(1);
  await page.fetch("http://localhost:8000/api/v1/me");
  expect(fake.count("refresh")).toBe(2);
  await vi.advanceTimersByTimeAsync(3_600_000);
  browser.see("visible");
  await vi.waitFor(() => expect(fake.count("refresh")).toBe(3));
});

test("after sleep no old token is sent, although the steady clock stood still", async () => {
  const page = await browser.signedIn();
  const first = await page.token();
  const awake = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(awake + 8 * 3_600_000);
  await page.fetch("http://localhost:8000/api/v1/me");
  expect(fake.calls.at(-1)?.authorization).not.toBe(`Bearer ${first}`);
  expect(fake.count("refresh")).toBe(2);
});

test("what time the machine believes it is does not matter", async () => {
  stopClock();
  vi.setSystemTime(0);
  const page = await browser.signedIn();
  const first = await page.token();
  expect(await page.token()).toBe(first);
  vi.setSystemTime(-86_400_000);
  await vi.advanceTimersByTimeAsync(290_000);
  expect(await page.token()).not.toBe(first);
});

test("without a network everybody stays signed in, and the page catches up when it is back", async () => {
  const page = await browser.signedIn();
  fake.fate = () => "unreachable";
  await expect(page.refresh()).rejects.toMatchObject({ code: "network", status: 0 });
  expect(page.user?.username).toBe("alice");
  expect(page.error?.code).toBe("network");
  fake.fate = () => undefined;
  browser.window.dispatchEvent(new Event("online"));
  await page.refresh();
  expect(page.error).toBeNull();
});

test("a page that is loaded without a network finds out later who is signed in", async () => {
  (await browser.signedIn()).close();
  fake.fate = () => "unreachable";
  const page = await browser.open();
  await page.ready;
  expect(page.user).toBeUndefined();
  expect(page.error?.code).toBe("network");
  fake.fate = () => undefined;
  browser.window.dispatchEvent(new Event("online"));
  await vi.waitFor(() => expect(page.user?.username).toBe("alice"));
});

test("attempts after failures are further and further apart", async () => {
  stopClock();
  const page = await browser.signedIn();
  fake.fate = () => "unreachable";
  await vi.advanceTimersByTimeAsync(3_600_000);
  const attempts = fake.count("refresh");
  expect(attempts).toBeGreaterThan(50);
  expect(attempts).toBeLessThan(150);
  fake.fate = () => undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.error).toBeNull();
  expect(page.user?.username).toBe("alice");
});

test.each([
  ["a server in trouble", () => problem(503, "unavailable")],
  ["a fault of the server", () => problem(500, "internal")],
  ["a proxy in front of it", () => new Response("<h1>Bad gateway</h1>", { status: 502 })],
  ["a captive portal", () => new Response("<h1>Welcome to our hotel</h1>")],
  ["an origin that is not listed", () => problem(403, "origin_not_allowed")],
  ["somebody else's 401", () => new Response("who are you?", { status: 401 })],
])("%s signs nobody out", async (_, answer) => {
  const page = await browser.signedIn();
  fake.fate = answer;
  await expect(page.refresh()).rejects.toThrow();
  expect(page.user?.username).toBe("alice");
  fake.fate = () => undefined;
  await page.refresh();
  expect(page.error).toBeNull();
});

test("nobody asks before `Retry-After` is over", async () => {
  stopClock();
  const page = await browser.signedIn();
  fake.fate = ({ path }) =>
    path === "refresh" ? problem(429, "rate_limited", { retry_after: 30 }) : undefined;
  await expect(page.refresh()).rejects.toMatchObject({ code: "rate_limited", retryAfter: 30 });
  const asked = fake.count("refresh");
  await vi.advanceTimersByTimeAsync(29_000);
  await expect(page.refresh()).rejects.toMatchObject({ code: "rate_limited" });
  expect(fake.count("refresh")).toBe(asked);
  fake.fate = () => undefined;
  await vi.advanceTimersByTimeAsync(1_000);
  await vi.waitFor(() => expect(page.error).toBeNull());
});

test("an answer that does not come is given up, and nobody is signed out", async () => {
  stopClock();
  const page = await browser.signedIn();
  fake.fate = () => new Promise(() => undefined);
  const refreshed = expect(page.refresh()).rejects.toMatchObject({ code: "network" });
  await vi.advanceTimersByTimeAsync(10_000);
  await refreshed;
  expect(page.user?.username).toBe("alice");
});

test("an answer that was lost costs nothing", async () => {
  const page = await browser.signedIn();
  fake.fate = () => "lost";
  await expect(page.refresh()).rejects.toMatchObject({ code: "network" });
  fake.fate = () => undefined;
  await page.refresh();
  expect(page.user?.username).toBe("alice");
});

test.each(["idle", "password_changed", "ended_by_admin"])(
  "a session that is over (%s) signs out, and says why",
  async (cause) => {
    const page = await browser.signedIn();
    fake.endAll(cause);
    await page.refresh();
    expect(page.user).toBeNull();
    expect(page.error).toMatchObject({ code: "session_ended", cause });
  },
);

test("an answer from before a sign-out signs nobody in again", async () => {
  const page = await browser.signedIn();
  const slow = gate();
  fake.fate = async ({ path }) => (path === "refresh" ? (await slow.opened, undefined) : undefined);
  const late = page.refresh();
  await vi.waitFor(() => expect(fake.refreshing).toBe(1));
  const out = page.signOut();
  slow.open();
  await Promise.all([late, out]);
  expect(page.user).toBeNull();
  expect(await page.token()).toBeNull();
});

test.each([undefined, 0, -1, "soon"])("a token that lives for %s is no reason to ask without a pause", async (life) => {
  const page = await browser.signedIn();
  stopClock();
  const asked = fake.count("refresh");
  fake.fate = ({ path }) =>
    path === "refresh"
      ? Response.json({ access_token: "t", token_type: "Bearer", expires_in: life, user: page.user })
      : undefined;
  await expect(page.refresh()).rejects.toMatchObject({ code: "answer_unexpected" });
  await vi.advanceTimersByTimeAsync(400);
  expect(fake.count("refresh")).toBe(asked + 1);
});
