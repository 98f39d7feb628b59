/** Signing up, in and out on the hosted pages. */
import { afterAll, beforeAll, expect } from "vitest";

import { FrontEnd } from "../harness/front-end";
import { look } from "../harness/look";
import { account, button, field, fillSignIn, heading, link, reads, signIn, signOut } from "../harness/pages";
import { PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";

const front = await FrontEnd.blank("A front end");
const foreign = await FrontEnd.blank("Somebody else's page");
const server = await Server.start({ settings: { FRONTEND_ORIGINS: front.url, ACCOUNTS__SIGN_IN_LINKS: "true" } });

beforeAll(() => {
  server.account("ada", "--first-name", "Ada", "--last-name", "Lovelace");
});
afterAll(async () => {
  await Promise.all([server.stop(), front.stop(), foreign.stop()]);
});

test("somebody signs up, is greeted, reloads and is still signed in, signs out and is", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/signup`);
  await look(page, "signup");
  await field(page, "User name").fill("grace");
  await field(page, "E-mail address( \\(optional\\))?").fill("grace@example.org");
  await field(page, "Password").fill(PASSWORD);
  await button(page, "Create the account").click();
  await account(page).waitFor();
  await page.reload();
  await account(page).waitFor();
  await signOut(page, "grace");
  await page.goto(`${server.url}/account`);
  await heading(page, "Sign in").waitFor();
  expect(new URL(page.url()).pathname).toBe("/login");
});

test("sign-up says at each field what is wrong and keeps what was typed", async ({ visit }) => {
  const person = await visit();
  const { page } = person;
  person.announceStatus(400, "/api/v1/signup");
  person.announceStatus(409, "/api/v1/signup");
  await page.goto(`${server.url}/signup`);
  await field(page, "User name").fill("ada");
  await field(page, "Password").fill("short");
  await button(page, "Create the account").click();
  const password = field(page, "Password");
  await reads(page, "This password is too short.");
  expect(await password.getAttribute("aria-invalid")).toBe("true");
  expect(await password.evaluate((input) => input === document.activeElement)).toBe(true);
  await look(page, "signup-refused");
  await password.fill(PASSWORD);
  await button(page, "Create the account").click();
  await reads(page, "Somebody else has this user name already.");
  expect(await field(page, "User name").inputValue()).toBe("ada");
});

test("a wrong password is refused in words, and the right one lets in", async ({ visit }) => {
  const person = await visit();
  const { page } = person;
  person.announceStatus(401, "/api/v1/login");
  await page.goto(`${server.url}/login`);
  await look(page, "login");
  await fillSignIn(page, "ada", "not the password at all");
  await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
  await look(page, "login-refused");
  await fillSignIn(page, "ada");
  await account(page).waitFor();
});

test("only who wants to is still signed in when the browser is opened again", async ({ visit, browser }) => {
  const person = await visit();
  await signIn(person.page, server, "ada");
  const [forgotten] = (await person.context.cookies()).filter(({ name }) => name === "__Host-refresh");
  expect(forgotten?.expires).toBe(-1);

  const other = await visit();
  await other.page.goto(`${server.url}/login`);
  await other.page.getByLabel("Stay signed in on this device").check();
  await fillSignIn(other.page, "ada@example.org");
  await account(other.page).waitFor();
  const kept = (await other.context.cookies()).filter(({ expires }) => expires > Date.now() / 1000);
  expect(kept.map(({ name }) => name)).toContain("__Host-refresh");

  const reopened = await browser.newContext();
  await reopened.addCookies(kept);
  const page = await reopened.newPage();
  await page.goto(`${server.url}/account`);
  await account(page).waitFor();
  await reopened.close();
});

test("a mailed link signs in, once, and so does the code in the mail", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/login`);
  await link(page, "Get a sign-in link by mail").click();
  await heading(page, "Sign in by mail").waitFor();
  await look(page, "sign-in-by-mail");
  await field(page, "E-mail address").fill("ada@example.org");
  await button(page, "Send the link").click();
  await heading(page, "Look into your mail").waitFor();
  await look(page, "sign-in-by-mail-sent");
  const address = await server.link("ada@example.org", "/sign-in");
  const phone = await visit();
  await phone.page.goto(address);
  await heading(phone.page, "Sign in").waitFor();
  await look(phone.page, "sign-in-link");
  await button(phone.page, "Sign in").click();
  await account(phone.page).waitFor();

  const late = await visit();
  late.announceStatus(400, "/api/v1/sign-in-link");
  await late.page.goto(address);
  await button(late.page, "Sign in").click();
  await reads(late.page, "This link does not work any more");

  await page.goto(`${server.url}/sign-in`);
  await field(page, "E-mail address").fill("ada@example.org");
  await button(page, "Send the link").click();
  const { text } = await server.mail("ada@example.org", "/sign-in#token=");
  const code = /^ *([A-Z0-9]{4}-?[A-Z0-9]{4}) *$/m.exec(text)?.[1];
  await field(page, "Or the code in the mail").fill(code ?? text);
  await button(page, "Sign in").click();
  await account(page).waitFor();
});

test("after signing in people go on to where they wanted to go", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/account/activity`);
  await heading(page, "Sign in").waitFor();
  await fillSignIn(page, "ada");
  await page.waitForURL(`${server.url}/account/activity`);

  const elsewhere = await visit();
  await elsewhere.page.goto(`${server.url}/login?next=${encodeURIComponent(`${front.url}/orders`)}`);
  await fillSignIn(elsewhere.page, "ada");
  await elsewhere.page.waitForURL(`${front.url}/orders`);
  // Who is signed in already goes there at once.
  await elsewhere.page.goto(`${server.url}/login?next=${encodeURIComponent(front.url)}`);
  await elsewhere.page.waitForURL(`${front.url}/`);
});

const TRAPS = ["FOREIGN", "//HOST", "/\\HOST", "\\\\HOST", "/\t/HOST", "javascript:alert(1)", "FRONT@HOST", "FRONT.evil.test"];

test.for(TRAPS)("nobody is sent on to a foreign page: %j", async (trap, { visit }) => {
  const person = await visit();
  const { page } = person;
  const asked: string[] = [];
  person.context.on("request", (request) => asked.push(new URL(request.url()).host));
  const host = new URL(foreign.url).host;
  const next = trap.replace("FOREIGN", foreign.url).replace("HOST", host).replace("FRONT", front.url);
  await page.goto(`${server.url}/login?next=${encodeURIComponent(next)}`);
  await fillSignIn(page, "ada");
  await account(page).waitFor();
  expect(new Set(asked)).toEqual(new Set([new URL(server.url).host]));
});

test("the pages speak German to those who do, and English to who asks for it", async ({ visit }) => {
  const { page } = await visit({ locale: "de-DE" });
  await page.goto(`${server.url}/login`);
  await heading(page, "Anmelden").waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await look(page, "login-de");
  await button(page, "English").click();
  await heading(page, "Sign in").waitFor();
  await page.reload();
  await heading(page, "Sign in").waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
});

test("a keyboard is enough to sign in", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/login`);
  await heading(page, "Sign in").waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.outerHTML ?? "");
  const name = field(page, "User name or e-mail address");
  for (let steps = 0; !(await name.evaluate((input) => input === document.activeElement)); steps += 1) {
    if (steps > 20) throw new Error(`the field is not reached; the focus is on ${await focused()}`);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await account(page).waitFor();
  // Whoever hears the page hears that it is another one.
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Profile");
});

test("colours are chosen for good", async ({ visit }) => {
  const { page } = await visit({ colorScheme: "light" });
  const scheme = () => page.locator("html").getAttribute("data-mantine-color-scheme");
  await page.goto(`${server.url}/login`);
  await button(page, "Dark colours").click();
  await expect.poll(scheme).toBe("dark");
  await page.reload();
  await heading(page, "Sign in").waitFor();
  expect(await scheme()).toBe("dark");
});

test("an address that is nowhere leads on", async ({ visit }) => {
  const { page } = await visit();
  await signIn(page, server, "ada");
  await page.goto(`${server.url}/account/nowhere`);
  await heading(page, "There is no such page").waitFor();
  await look(page, "not-found");
  await link(page, "To your account").click();
  await account(page).waitFor();
});
