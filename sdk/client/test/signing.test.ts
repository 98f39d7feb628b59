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

test("a sign-in gives the user, and sends what was asked for", async () => {
  const page = await browser.open();
  const user = await page.signIn({ username: "alice", password: "correct", remember: true });
  expect(user).toBe(page.user);
  expect(fake.calls.at(-1)?.body).toEqual({ username: "alice", password: "correct", remember: true });
});

test("a sign-in that is refused says why, and changes nothing", async () => {
  const page = await browser.signedIn();
  const refused = page.signIn({ username: "bob", password: "wrong" });
  await expect(refused).rejects.toMatchObject({
    code: "invalid_credentials",
    status: 401,
    detail: "It is invalid_credentials",
  });
  expect(page.user?.username).toBe("alice");
});

test("the secret of a mailed link signs in", async () => {
  const page = await browser.open();
  await page.ready;
  fake.fate = ({ path }) => (path === "sign-in-link" ? problem(400, "link_invalid") : undefined);
  await expect(page.signIn({ token: "x" })).rejects.toMatchObject({ code: "link_invalid" });
  expect(fake.calls.at(-1)?.body).toEqual({ token: "x" });
});

test("a sign-up signs in, or asks for the link in the mail", async () => {
  const page = await browser.open();
  expect(await page.signUp({ email: "eve@example.com", password: "correct" })).toEqual({
    status: "verify_email",
  });
  expect(page.user).toBeNull();
  const made = await page.signUp({ username: "eve", password: "correct" });
  expect(made).toEqual({ status: "signed_in", user: page.user });
  expect(page.user?.username).toBe("eve");
});

test("what is wrong with each value is in the error", async () => {
  const page = await browser.open();
  const errors = [{ field: "password", code: "too_short", detail: "Longer" }];
  fake.fate = () => problem(400, "validation_failed", { errors, request_id: "r1" });
  const refused = page.signUp({ username: "eve", password: "x" });
  await expect(refused).rejects.toMatchObject({ code: "validation_failed", errors, requestId: "r1" });
});

test("the page of a captive portal signs nobody in, and ends no session", async () => {
  const page = await browser.open();
  await page.ready;
  fake.fate = () => new Response("<h1>Welcome</h1>");
  await expect(page.signIn({ username: "alice", password: "correct" })).rejects.toMatchObject({
    code: "answer_unexpected",
  });
  fake.fate = () => undefined;
  await page.signIn({ username: "alice", password: "correct" });
  fake.fate = () => new Response("<h1>Welcome</h1>");
  expect(await page.signOut()).toBe(false);
});

test("a sign-out ends the session and leaves nothing", async () => {
  const page = await browser.signedIn();
  expect(await page.signOut()).toBe(true);
  expect(page.user).toBeNull();
  expect(browser.jar.size).toBe(0);
  expect(browser.storage.size).toBe(0);
  expect(fake.sessions[0]?.ended).toBe("signed_out");
});

test("a sign-out without a network holds over a reload, and is finished later", async () => {
  const page = await browser.signedIn();
  fake.fate = () => "unreachable";
  expect(await page.signOut()).toBe(false);
  expect(page.user).toBeNull();
  page.close();
  const reloaded = await browser.open();
  await reloaded.ready;
  expect(reloaded.user).toBeNull();
  expect(fake.count("refresh")).toBe(1);
  await vi.waitFor(() => expect(fake.count("logout")).toBe(2));
  fake.fate = () => undefined;
  browser.window.dispatchEvent(new Event("online"));
  await vi.waitFor(() => expect(fake.sessions[0]?.ended).toBe("signed_out"));
  await vi.waitFor(() => expect(browser.storage.size).toBe(0));
  expect(browser.jar.size).toBe(0);
});

test("the mark of a sign-out is there before anything is awaited: the page may be left at once", async () => {
  const page = await browser.signedIn();
  void page.signOut();
  expect([...browser.storage.values()]).toEqual(['{"signing_out":true}']);
});

test("an unfinished sign-out does not end what somebody signed in for since", async () => {
  const page = await browser.signedIn();
  fake.fate = ({ path }) => (path === "logout" ? "unreachable" : undefined);
  expect(await page.signOut()).toBe(false);
  await page.signIn({ username: "bob", password: "correct" });
  fake.fate = () => undefined;
  browser.window.dispatchEvent(new Event("online"));
  const reloaded = await browser.open();
  await reloaded.ready;
  expect(reloaded.user?.username).toBe("bob");
  expect(fake.count("logout")).toBe(1);
});

test("a sign-out overtakes a sign-in that is under way", async () => {
  const page = await browser.open();
  await page.ready;
  const slow = gate();
  fake.fate = async ({ path }) => (path === "login" ? (await slow.opened, undefined) : undefined);
  const signingIn = expect(page.signIn({ username: "alice", password: "correct" })).rejects.toMatchObject({
    code: "user_changed",
  });
  await vi.waitFor(() => expect(fake.count("login")).toBe(1));
  const out = page.signOut();
  slow.open();
  await signingIn;
  expect(await out).toBe(true);
  expect(page.user).toBeNull();
  expect(fake.sessions[0]?.ended).toBe("signed_out");
});

test("of two sign-ins the later one counts", async () => {
  const page = await browser.open();
  await Promise.all([
    page.signIn({ username: "alice", password: "correct" }),
    page.signIn({ username: "bob", password: "correct" }),
  ]);
  expect(page.user?.username).toBe("bob");
});

test("a sign-out everywhere ends every session, or none and says so", async () => {
  const page = await browser.signedIn();
  fake.fate = ({ path }) => (path === "logout-everywhere" ? problem(503, "unavailable") : undefined);
  await expect(page.signOutEverywhere()).rejects.toMatchObject({ code: "unavailable" });
  expect(page.user?.username).toBe("alice");
  fake.fate = () => "unreachable";
  await expect(page.signOutEverywhere()).rejects.toMatchObject({ code: "network" });
  fake.fate = () => undefined;
  await page.signOutEverywhere();
  expect(page.user).toBeNull();
  expect(fake.sessions[0]?.ended).toBe("signed_out_everywhere");
});

test("the methods work without their object", async () => {
  const { signIn, signOut, fetch } = await browser.open();
  await signIn({ username: "alice", password: "correct" });
  expect((await fetch("http://localhost:8000/api/v1/me")).status).toBe(200);
  expect(await signOut()).toBe(true);
});
