// Against the real server, where it has been built: `HALLPASS_TEST_SERVER` names the program, or it is where
// cargo puts it.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { createHallpass, HallpassError, memoryStore, type Store } from "../src/index.js";
import { Browser } from "./browser.js";

const built = fileURLToPath(new URL("../../../target/debug/hallpass", import.meta.url));
const program = process.env["HALLPASS_TEST_SERVER"] ?? built;
const there = existsSync(program);
if (!there) console.log(`skipped: there is no server at ${program}; \`cargo build\` makes one`);

const password = "otters juggle brass lanterns";

describe.skipIf(!there)("with the real server", () => {
  let folder: string;
  let server: ChildProcess;
  let url: string;

  const run = (...args: string[]) =>
    execFileSync(program, [...args, "--data-dir", folder], { stdio: "pipe" });

  const start = (store: Store) => createHallpass({ url, store });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hallpass-client-"));
    const args = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir", folder];
    server = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], cwd: folder });
    url = await new Promise<string>((resolve, reject) => {
      let text = "";
      server.on("exit", () => reject(new Error(`the server has stopped: ${text}`)));
      server.stderr?.on("data", (chunk: Buffer) => {
        text += chunk;
        const found = /public_url="(http:\/\/localhost:\d+)/.exec(text)?.[1];
        if (found) resolve(found);
      });
    });
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).ok).toBe(true), {
      timeout: 20_000,
      interval: 200,
    });
  }, 60_000);

  afterAll(() => {
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an app signs up, starts again, calls, and signs out", { timeout: 60_000 }, async () => {
    const store = memoryStore();
    const app = start(store);
    const made = await app.signUp({ username: "ada", email: "ada@example.org", password });
    expect(made).toMatchObject({ status: "signed_in", user: { username: "ada" } });
    app.close();

    const again = start(store);
    await again.ready;
    expect(again.user?.username).toBe("ada");
    const me = await again.fetch(`${url}/api/v1/me`);
    expect(await me.json()).toMatchObject({ username: "ada" });
    const { data } = await again.api.GET("/api/v1/sessions");
    expect(data?.sessions).toHaveLength(1);

    expect(await again.signOut()).toBe(true);
    expect(again.user).toBeNull();
    expect(JSON.parse((await store.get()) ?? "")).toEqual({ device_token: expect.any(String) as string });
    await expect(again.signIn({ username: "ada", password: "wrong" })).rejects.toMatchObject({
      code: "invalid_credentials",
    });
    const user = await again.signIn({ email: "ada@example.org", password });
    expect(user.username).toBe("ada");
    await again.signOutEverywhere();
    expect(again.user).toBeNull();
    again.close();
  });

  test("errors come whole", { timeout: 60_000 }, async () => {
    const app = start(memoryStore());
    const refused: unknown = await app
      .signUp({ username: "a b", password: "short" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HallpassError);
    expect(refused).toMatchObject({ code: "validation_failed", status: 400 });
    expect((refused as HallpassError).errors.map(({ field }) => field).sort()).toContain("password");
    app.close();
  });

  test("new roles reach a request without anybody signing in again", { timeout: 60_000 }, async () => {
    const app = start(memoryStore());
    await app.signUp({ username: "grace", email: "grace@example.org", password });
    run("accounts", "grant-role", "grace", "support");
    const roles = async () =>
      ((await (await app.fetch(`${url}/api/v1/session`)).json()) as { roles: string[] }).roles;
    await vi.waitFor(async () => expect(await roles()).toEqual(["support"]), {
      timeout: 20_000,
      interval: 200,
    });
    expect(app.user?.roles).toEqual(["support"]);
    app.close();
  });

  test("a deactivated account is signed out, and the client knows why", { timeout: 60_000 }, async () => {
    const app = start(memoryStore());
    await app.signUp({ username: "mallory", email: "mallory@example.org", password });
    run("accounts", "deactivate", "mallory");
    await vi.waitFor(
      async () => {
        await app.fetch(`${url}/api/v1/session`);
        expect(app.user).toBeNull();
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(app.error).toMatchObject({ code: "session_ended", cause: "deactivated" });
    app.close();
  });

  test(
    "two tabs of a browser share a session for twenty rounds, and end it together",
    { timeout: 120_000 },
    async () => {
      const { fetch } = globalThis;
      const browser = new Browser((request) => fetch(request));
      const first = await browser.open([], url);
      await first.signUp({ username: "tabitha", email: "tabitha@example.org", password });
      const second = await browser.open([], url);
      await second.ready;
      for (let round = 0; round < 20; round += 1) await Promise.all([first.refresh(), second.refresh()]);
      expect([first.user?.username, second.user?.username]).toEqual(["tabitha", "tabitha"]);
      expect([...browser.jar.keys()].sort()).toEqual(["__Host-csrf", "__Host-device", "__Host-refresh"]);
      expect(await second.signOut()).toBe(true);
      await vi.waitFor(() => expect(first.user).toBeNull());
      expect([...browser.jar.keys()]).toEqual(["__Host-device"]);
      browser.close();
    },
  );
});
