/** What holds for every hosted page, whatever is on it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";

import { look } from "../harness/look";
import { account, fillSignIn, heading, link, reads, signIn } from "../harness/pages";
import { Proxy } from "../harness/proxy";
import { Server } from "../harness/server";
import { test } from "../harness/test";
import { until } from "../harness/until";

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><circle cx="16" cy="16" r="16" fill="#0a6e4f"/></svg>`;

const server = await Server.start();
afterAll(() => server.stop());

test("the policy of each page allows the server's own parts, and nothing that is not safe", async ({ visit }) => {
  const { page } = await visit();
  const nonces = new Set<string>();
  for (const path of ["login", "signup", "forgot", "verify", "reset", "change-email", "sign-in", "account", "admin"]) {
    const answer = await page.goto(`${server.url}/${path}`);
    const policy = (await answer?.headerValue("content-security-policy")) ?? "";
    const directives = policy.split(";").map((directive) => directive.trim());
    expect(directives).toContain("default-src 'none'");
    expect(directives).toContain("script-src 'self'");
    expect(directives).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    nonces.add(/'nonce-([^']+)'/.exec(policy)?.[1] ?? "");
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await page.title()).toMatch(/ · Hallpass$/);
  }
  expect(nonces.size).toBe(9);
});

test("the operator's name, logo and colour are on the pages, light and dark", async ({ visit, serve }) => {
  const logo = join(server.folder, "logo.svg");
  writeFileSync(logo, LOGO);
  const settings = { MAIL__PRODUCT_NAME: "Orchard", PAGES__LOGO: logo, PAGES__COLOR: "#0a6e4f" };
  const own = await serve({ settings });
  const { page } = await visit();
  await page.goto(`${own.url}/login`);
  await heading(page, "Sign in").waitFor();
  expect(await page.title()).toBe("Sign in · Orchard");
  const image = page.getByRole("banner").locator("img");
  await expect.poll(() => image.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(32);
  const submit = page.getByRole("button", { name: "Sign in", exact: true });
  const colour = await submit.evaluate((one) => getComputedStyle(one).backgroundColor);
  const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
  expect(green, colour).toBeGreaterThan(Math.max(red, blue));
  await look(page, "login-branded");
});

test("below a path of a proxy everything is found as well", async ({ visit, serve }) => {
  const proxy = await Proxy.start();
  proxy.prefix = "/auth";
  const below = await serve({ publicUrl: `${proxy.url}/auth` });
  proxy.target = below.port;
  below.account("ada");
  const { page } = await visit();
  await page.goto(`${below.url}/account/sessions`);
  await fillSignIn(page, "ada");
  await page.getByText("This one").waitFor();
  expect(page.url()).toBe(`${below.url}/account/sessions`);
  await page.reload();
  await page.getByText("This one").waitFor();
  await link(page, "Profile").click();
  await heading(page, "Profile").waitFor();
  expect(page.url()).toBe(`${below.url}/account/profile`);
  await proxy.stop();
});

test("too many attempts are told to wait, in words and for how long", async ({ visit, serve }) => {
  const strict = await serve({ settings: { THROTTLE__ENABLED: "true" } });
  strict.account("ada");
  const person = await visit();
  person.announceStatus(401, "/api/v1/login");
  person.announceStatus(429, "/api/v1/login");
  await person.page.goto(`${strict.url}/login`);
  // Each failure makes the next attempt wait longer, once there were some.
  await until("an attempt has to wait", async () => {
    const answer = person.page.waitForResponse("**/api/v1/login");
    await fillSignIn(person.page, "ada", "not the password at all");
    return (await answer).status() === 429;
  });
  await reads(person.page, /Too many attempts\. Try again in \d+ seconds\./);
  await look(person.page, "login-rate-limited");
});

test("while the server is away the pages say so, and go on once it is back", async ({ visit, serve }) => {
  const proxy = await Proxy.start();
  const behind = await serve({ publicUrl: proxy.url });
  proxy.target = behind.port;
  behind.account("ada");
  const person = await visit();
  const { page } = person;
  await signIn(page, behind, "ada");
  person.announce(/net::ERR_/, /The server cannot be reached/);
  proxy.trouble = (what) => (what.includes("/api/") ? { lose: "request" } : {});
  await link(page, "Devices").click();
  await page.getByRole("alert").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await look(page, "unreachable");
  proxy.trouble = () => ({});
  await page.getByRole("button", { name: "Try again" }).click();
  await account(page).waitFor();
  await page.getByText("This one").waitFor();
  await proxy.stop();
});

test("the start, the reference and the mails of a development server are shown without errors", async ({ visit }) => {
  const { page } = await visit();
  await server.ask("POST", "/signup", { username: "may", email: "may@example.org", password: "otters juggle brass lanterns" });
  await server.mail("may@example.org", "Confirm");
  for (const path of ["", "docs", "dev/mail"]) {
    await page.goto(`${server.url}/${path}`);
    await page.getByRole("heading").first().waitFor();
  }
  await page.getByText("may@example.org").first().waitFor();
});
