import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createHallpass, memoryStore, type Hallpass, type Store } from "../src/index.js";
import { Fake, listen } from "./fake.js";

let fake: Fake;
let server: Awaited<ReturnType<typeof listen>>;
let store: Store;
const clients: Hallpass[] = [];

beforeEach(async () => {
  fake = new Fake();
  server = await listen(fake);
  store = memoryStore();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  server.close();
});

const start = (): Hallpass => {
  const client = createHallpass({ url: server.url, store });
  clients.push(client);
  return client;
};

const signedIn = async (): Promise<Hallpass> => {
  const client = start();
  await client.signIn({ username: "alice", password: "correct" });
  return client;
};

const kept = async (): Promise<Record<string, unknown>> => JSON.parse((await store.get()) ?? "{}");

test("an app that starts again is still signed in, and each refresh keeps the new secret", async () => {
  (await signedIn()).close();
  expect(await kept()).toEqual({ refresh_token: "0.0", device_token: "device-1" });
  const again = start();
  await again.ready;
  expect(again.user?.username).toBe("alice");
  expect(await kept()).toEqual({ refresh_token: "0.1", device_token: "device-1" });
});

test("without a secret nobody is signed in, and nobody is asked", async () => {
  const app = start();
  await app.ready;
  expect(app.user).toBeNull();
  expect(fake.calls).toEqual([]);
});

test("without a store an app keeps the secret, and each new one, until the program ends", async () => {
  const app = createHallpass({ url: server.url });
  clients.push(app);
  await app.ready;
  expect(app.user).toBeUndefined();
  await app.signIn({ username: "alice", password: "correct" });
  for (const generation of ["0.0", "0.1", "0.2"]) {
    await app.refresh();
    expect(fake.calls.at(-1)?.body).toEqual({ refresh_token: generation });
  }
  expect(app.user?.username).toBe("alice");
  expect(await app.signOut()).toBe(true);
  expect(fake.sessions[0]?.ended).toBe("signed_out");
  await app.signIn({ username: "bob", password: "correct" });
  expect(fake.calls.at(-1)?.body).toMatchObject({ device_token: "device-1" });
  await app.refresh();
  expect(app.user?.username).toBe("bob");
});

test("an answer that was lost after the server had rotated costs nothing", async () => {
  const app = await signedIn();
  fake.fate = () => "lost";
  await expect(app.refresh()).rejects.toMatchObject({ code: "network" });
  expect(await kept()).toMatchObject({ refresh_token: "0.0" });
  fake.fate = () => undefined;
  await app.refresh();
  expect(await kept()).toMatchObject({ refresh_token: "0.1" });
});

test("a new secret that could not be kept is never used: the old one goes on working", async () => {
  const app = await signedIn();
  const set = vi.spyOn(store, "set").mockRejectedValue(new Error("the keychain is locked"));
  await app.refresh();
  await app.refresh();
  expect(
    fake.calls.filter(({ path }) => path === "refresh").map(({ body }) => body["refresh_token"]),
  ).toEqual(["0.0", "0.0"]);
  expect(app.user?.username).toBe("alice");
  set.mockRestore();
  await app.refresh();
  expect(await kept()).toMatchObject({ refresh_token: "0.1" });
});

test("a store that cannot be read signs nobody out", async () => {
  const app = await signedIn();
  vi.spyOn(store, "get").mockRejectedValueOnce(new Error("the device is locked"));
  await expect(app.refresh()).rejects.toMatchObject({ code: "store_failed" });
  expect(app.user?.username).toBe("alice");
  await app.refresh();
  expect(app.error).toBeNull();
});

test.each(["rubbish", "{", "null", "7", '"text"'])("%s in the store keeps nobody from signing in", async (rubbish) => {
  await store.set(rubbish);
  const app = start();
  await app.ready;
  expect(app.user).toBeNull();
  await app.signIn({ username: "alice", password: "correct" });
  expect(await kept()).toMatchObject({ refresh_token: "0.0" });
});

test("a redirect takes no secret elsewhere", async () => {
  const app = await signedIn();
  const foreign = new Fake();
  const elsewhere = await listen(foreign);
  fake.fate = ({ path }) => Response.redirect(`${elsewhere.url}/api/v1/${path}`, 307);
  await expect(app.refresh()).rejects.toMatchObject({ code: "network" });
  await expect(app.signIn({ username: "alice", password: "correct" })).rejects.toMatchObject({ code: "network" });
  expect(foreign.calls).toEqual([]);
  expect(app.user?.username).toBe("alice");
  elsewhere.close();
});

test("the device stays known over sign-outs and ended sessions", async () => {
  const app = await signedIn();
  expect(await app.signOut()).toBe(true);
  expect(await kept()).toEqual({ device_token: "device-1" });
  await app.signIn({ username: "alice", password: "correct" });
  expect(fake.calls.at(-1)?.body).toMatchObject({ device_token: "device-1" });
  fake.endAll("ended_by_admin");
  await app.refresh();
  expect(app.user).toBeNull();
  expect(await kept()).toEqual({ device_token: "device-1" });
});

test("a sign-out without a network is finished by the next start", async () => {
  const app = await signedIn();
  fake.fate = () => "unreachable";
  expect(await app.signOut()).toBe(false);
  app.close();
  fake.fate = () => undefined;
  const again = start();
  await again.ready;
  expect(again.user).toBeNull();
  await vi.waitFor(async () => expect(await kept()).toEqual({ device_token: "device-1" }));
  expect(fake.sessions[0]?.ended).toBe("signed_out");
  expect(fake.count("refresh")).toBe(0);
});

test("two clients over one store refresh one after the other", async () => {
  (await signedIn()).close();
  const [first, second] = [start(), start()];
  await Promise.all([first.ready, second.ready]);
  expect(fake.mostRefreshing).toBe(1);
  expect(await kept()).toMatchObject({ refresh_token: "0.2" });
  expect([first.user?.id, second.user?.id]).toEqual([1, 1]);
});

test("twenty requests at once over a connection that is cut sign nobody out", async () => {
  const app = await signedIn();
  fake.outdate("token_expired");
  let cut = true;
  fake.fate = ({ path }) => (path === "refresh" && cut ? ((cut = false), "lost") : undefined);
  const ask = () =>
    Promise.allSettled(Array.from({ length: 20 }, () => app.fetch(`${server.url}/api/v1/me`)));
  expect((await ask()).some((answer) => answer.status === "rejected")).toBe(true);
  expect(app.user?.username).toBe("alice");
  expect((await ask()).map((answer) => answer.status === "fulfilled" && answer.value.status)).toEqual(
    Array(20).fill(200),
  );
  expect(fake.count("refresh")).toBe(2);
});
