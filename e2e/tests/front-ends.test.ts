/** The examples, built as their READMEs say and served from another port than the server. */
import type { Page } from "playwright-core";
import { afterAll, expect } from "vitest";

import { eavesdrop, within } from "../harness/eavesdrop";
import { FrontEnd } from "../harness/front-end";
import { look } from "../harness/look";
import { button, heading, link } from "../harness/pages";
import { PASSWORD, Server, freePort } from "../harness/server";
import { test } from "../harness/test";

const ports = [await freePort(3000), await freePort(5173)] as const;
const origins = ports.map((port) => `http://localhost:${port}`).join(",");
const server = await Server.start({ settings: { FRONTEND_ORIGINS: origins } });
const environment = { VITE_HALLPASS_URL: server.url };
const react = await FrontEnd.build("examples/react-spa", { environment, port: ports[0] });
const vanilla = await FrontEnd.build("examples/vanilla-spa", { environment, port: ports[1] });
afterAll(async () => {
  await Promise.all([server.stop(), react.stop(), vanilla.stop()]);
});

test("React: a form, a greeting, a reload, a sign-out", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(react.url);
  await heading(page, "Welcome! You are not signed in.").waitFor();
  expect(await navigation(page)).toEqual(["Home", "Sign in", "Sign up"]);
  await link(page, "Sign up").first().click();
  await heading(page, "Sign up").waitFor();
  await look(page, "react-sign-up");
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Create account").click();
  await heading(page, "Welcome, ada!").waitFor();
  expect(await navigation(page)).toEqual(["Home", "Session", "Hello, ada", "Sign out"]);
  await look(page, "react-welcome");

  await page.reload();
  await heading(page, "Welcome, ada!").waitFor();
  await link(page, "Session").click();
  await page.getByText("Signed in since").waitFor();

  await button(page, "Sign out").click();
  await heading(page, "Sign in first").waitFor();
  await page.reload();
  await heading(page, "Sign in first").waitFor();
  // Whoever signs in here is where they wanted to be.
  await page.getByLabel("User name or e-mail address").fill("ada@example.org");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Sign in").click();
  await page.getByText("Signed in since").waitFor();
});

test("React: a wrong password is refused in words, and what was typed stays", async ({ visit }) => {
  server.account("bob");
  const person = await visit();
  const { page } = person;
  person.announceStatus(401, "/api/v1/login");
  await page.goto(`${react.url}/#/sign-in`);
  await page.getByLabel("User name or e-mail address").fill("bob");
  await page.getByLabel("Password", { exact: true }).fill("not the password at all");
  await button(page, "Sign in").click();
  await page.getByRole("alert").filter({ hasText: "Check the name and the password" }).waitFor();
  await look(page, "react-refused");
  expect(await page.getByLabel("User name or e-mail address").inputValue()).toBe("bob");
});

test("without a framework: a form, a greeting, a reload, a sign-out", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(vanilla.url);
  await heading(page, "Hello, stranger!").waitFor();
  expect(await navigation(page)).toEqual(["Home", "Sign in", "Sign up"]);
  await link(page, "Sign up").click();
  await look(page, "vanilla-sign-up");
  const form = page.locator("#signup");
  await form.getByLabel("User name").fill("vera");
  await form.getByLabel("E-mail").fill("vera@example.org");
  await form.getByLabel("Password").fill(PASSWORD);
  await button(page, "Sign up").click();
  await heading(page, "Hello, vera!").waitFor();
  await look(page, "vanilla-welcome");
  await page.reload();
  await heading(page, "Hello, vera!").waitFor();
  await link(page, "What the server knows").click();
  await page.getByText('"username": "vera"').waitFor();
  await button(page, "Sign out").click();
  await heading(page, "Hello, stranger!").waitFor();
  await page.reload();
  await heading(page, "Hello, stranger!").waitFor();
});

test("signing out at one front end signs out the tabs of the other with their next request", async ({ visit }) => {
  server.account("cleo");
  const person = await visit();
  await signIn(person.page, "cleo");
  const other = await person.context.newPage();
  await other.goto(`${vanilla.url}/#me`);
  await other.getByText('"username": "cleo"').waitFor();
  await button(person.page, "Sign out").click();
  await heading(person.page, "Welcome! You are not signed in.").waitFor();
  person.announceStatus(401, "/api/v1/");
  await link(other, "Home").click();
  await link(other, "What the server knows").click();
  await heading(other, "Hello, stranger!").waitFor();
});

test("no script in the page can read a refresh secret", async ({ visit }) => {
  server.account("eve");
  const person = await visit();
  await eavesdrop(person.context);
  const { page } = person;
  const secrets = new Set<string>();
  const note = async () => secrets.add((await person.cookie("__Host-refresh")) ?? "");

  await signIn(page, "eve");
  await note();
  const other = await person.context.newPage();
  await other.goto(vanilla.url);
  await heading(other, "Hello, eve!").waitFor();
  await note();
  const heard = [await within(page), await within(other)];
  await page.reload();
  await heading(page, "Welcome, eve!").waitFor();
  await note();
  heard.push(await within(page), await within(other));
  await page.goto(`${server.url}/account/sessions`);
  await page.getByText("This one").waitFor();
  await note();
  heard.push(await within(page));

  // The eavesdropper does hear: access tokens, and who is signed in.
  expect(heard[0]).toContain("access_token");
  expect(heard.join()).toContain("eve@example.org");
  expect(secrets.size).toBeGreaterThan(1);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(40);
    for (const text of heard) expect(text.includes(secret), "a refresh secret").toBe(false);
  }
  for (const text of heard) expect(text).not.toMatch(/refresh_token|device_token|hpr_/);
});

test("while the server is away nobody is signed out, and what happens is said", async ({ visit }) => {
  server.account("fay");
  const person = await visit();
  await signIn(person.page, "fay");
  person.announce(/net::ERR_CONNECTION_REFUSED/);
  await server.halt();
  await person.page.reload();
  await person.page.getByRole("alert").filter({ hasText: /reached/ }).waitFor();
  await server.run();
  await heading(person.page, "Welcome, fay!").waitFor();
});

async function signIn(page: Page, username: string): Promise<void> {
  await page.goto(`${react.url}/#/sign-in`);
  await page.getByLabel("User name or e-mail address").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Sign in").click();
  await heading(page, `Welcome, ${username}!`).waitFor();
}

/** What the navigation offers. */
async function navigation(page: Page): Promise<string[]> {
  const parts = await page.getByRole("navigation", { name: "Main" }).locator("a, button, span").all();
  const texts = await Promise.all(parts.map(async (part) => ((await part.isVisible()) ? part.innerText() : "")));
  return texts.filter((text) => text !== "");
}
