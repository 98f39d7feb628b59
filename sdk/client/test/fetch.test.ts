import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Browser, gate, PAGE } from "./browser.js";
import { Fake, problem } from "./fake.js";

const ME = "http://localhost:8000/api/v1/me";

let fake: Fake;
let browser: Browser;

beforeEach(() => {
  fake = new Fake();
  browser = Browser.at(fake);
});
afterEach(() => browser.close());

test("twenty requests at once refresh once", async () => {
  const page = await browser.signedIn();
  fake.outdate("token_expired");
  const before = fake.count("refresh");
  const answers = await Promise.all(Array.from({ length: 20 }, () => page.fetch(ME)));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(fake.count("refresh")).toBe(before + 1);
});

test.each(["token_expired", "token_stale", "token_invalid", "session_ended"])(
  "a request that is refused with %s is repeated with a new token",
  async (code) => {
    const page = await browser.signedIn();
    fake.outdate(code);
    const answer = await page.fetch(ME, { method: "POST", body: "all of it" });
    expect(await answer.json()).toEqual({ user: "alice", text: "all of it" });
  },
);

test("a `Request` is repeated with its body", async () => {
  const page = await browser.signedIn();
  fake.outdate("token_stale");
  const { data } = await page.api.PATCH("/api/v1/me", { body: { first_name: "Alice" } });
  expect(data).toMatchObject({ text: '{"first_name":"Alice"}' });
});

test("a back end that knows only RFC 6750 is understood", async () => {
  const page = await browser.signedIn();
  const challenge = { "www-authenticate": 'Bearer error="invalid_token"' };
  fake.fate = ({ path }) => {
    if (path !== "me") return undefined;
    fake.fate = () => undefined;
    return new Response("no", { status: 401, headers: challenge });
  };
  expect((await page.fetch(ME)).status).toBe(200);
});

test("a request that is refused again is handed out: one refresh, one repetition", async () => {
  const page = await browser.signedIn();
  fake.fate = ({ path }) => (path === "me" ? problem(401, "token_invalid") : undefined);
  const refreshed = fake.count("refresh");
  const answer = await page.fetch(ME);
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ code: "token_invalid" });
  expect(fake.count("me")).toBe(2);
  expect(fake.count("refresh")).toBe(refreshed + 1);
  expect(page.user?.username).toBe("alice");
});

test("what a new token does not mend is handed out at once", async () => {
  const page = await browser.signedIn();
  fake.fate = ({ path }) => (path === "me" ? problem(403, "forbidden") : undefined);
  expect((await page.fetch(ME)).status).toBe(403);
  expect(fake.count("me")).toBe(1);
});

test("a server that does not know what was taken back is asked again when it says", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const page = await browser.signedIn();
  fake.fate = ({ path }) => {
    if (path !== "me") return undefined;
    fake.fate = () => undefined;
    return problem(503, "revocation_unknown", {}, { "retry-after": "2" });
  };
  const answer = page.fetch(ME);
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(1));
  await vi.advanceTimersByTimeAsync(1_900);
  expect(fake.count("me")).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect((await answer).status).toBe(200);
});

test("a stream is sent once, and the next request has a new token", async () => {
  const page = await browser.signedIn();
  fake.outdate("token_expired");
  const body = new Blob(["once"]).stream();
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  expect((await page.fetch(ME, init)).status).toBe(401);
  expect(fake.count("me")).toBe(1);
  expect((await page.fetch(ME)).status).toBe(200);
  expect(fake.count("me")).toBe(2);
});

test("the token goes to Hallpass and to the named back ends, and nowhere else", async () => {
  await browser.signedIn();
  const page = await browser.open(["https://orders.example.com/v1"]);
  await page.ready;
  const sent = async (url: string, init?: RequestInit) => {
    await page.fetch(url, init);
    return browser.requests.at(-1)?.headers.get("authorization") ?? null;
  };
  const token = `Bearer ${await page.token()}`;
  expect(await sent("http://localhost:8000/x")).toBe(token);
  expect(await sent("https://orders.example.com/list")).toBe(token);
  const others = [
    "https://evil.example/",
    "http://localhost:8001/",
    "https://localhost:8000/",
    "http://orders.example.com/",
    "https://orders.example.com.evil.example/",
    "https:\\\\evil.example\\orders.example.com",
    "//evil.example/x",
    "/of-the-page-itself",
  ];
  for (const url of others) expect(await sent(new URL(url, PAGE).href), url).toBeNull();
  expect(await sent("http://localhost:8000/x", { headers: { authorization: "Basic eDp5" } })).toBe(
    "Basic eDp5",
  );
});

test("a request without anybody signed in is sent as it is", async () => {
  const page = await browser.open();
  const answer = await page.fetch(ME);
  expect(await answer.json()).toMatchObject({ code: "token_missing" });
  expect(fake.count("refresh")).toBe(1);
});

test("a request is not sent without its token because the network is away", async () => {
  const page = await browser.signedIn();
  fake.outdate("token_expired");
  fake.fate = ({ path }) => (path === "refresh" ? "unreachable" : undefined);
  await expect(page.fetch(ME)).rejects.toMatchObject({ name: "HallpassError", code: "network" });
  expect(page.user?.username).toBe("alice");
});

test("a session that is over hands out the refusal and signs out", async () => {
  const page = await browser.signedIn();
  fake.endAll("ended_by_admin");
  const answer = await page.fetch(ME);
  expect(await answer.json()).toMatchObject({ code: "session_ended" });
  expect(page.user).toBeNull();
  expect(fake.count("me")).toBe(1);
});

test("an answer to one person is never given to the next", async () => {
  const page = await browser.signedIn();
  const slow = gate();
  fake.fate = async ({ path }) => (path === "me" ? (await slow.opened, undefined) : undefined);
  const answer = expect(page.fetch(ME)).rejects.toMatchObject({ code: "user_changed" });
  await vi.waitFor(() => expect(fake.count("me")).toBe(1));
  await page.signIn({ username: "bob", password: "correct" });
  slow.open();
  await answer;
});

test("a request of one person is never sent with the token of the next", async () => {
  const page = await browser.signedIn();
  fake.outdate("token_expired");
  // Another page has signed bob in, and this one has not heard of it.
  const bob = await fake.handle(
    new Request("http://localhost:8000/api/v1/login", {
      method: "POST",
      headers: { origin: PAGE },
      body: JSON.stringify({ username: "bob", password: "correct" }),
    }),
  );
  browser.jar.set("__Host-refresh", /=([^;]*)/.exec(bob.headers.getSetCookie()[0] ?? "")?.[1] ?? "");
  await expect(page.fetch(ME, { method: "DELETE" })).rejects.toMatchObject({ code: "user_changed" });
  expect(fake.count("me")).toBe(1);
  expect(page.user?.username).toBe("bob");
});
