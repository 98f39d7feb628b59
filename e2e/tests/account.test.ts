/** What people do with their account on the hosted pages. */
import { readFileSync } from "node:fs";

import { afterAll, expect } from "vitest";

import { look } from "../harness/look";
import { account, button, field, fillSignIn, heading, reads, signIn, signOut } from "../harness/pages";
import { PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";

const NEW_PASSWORD = "velvet walruses paint harbours";

const server = await Server.start({ settings: { ACCOUNTS__PROFILE__CITY: "string" } });
afterAll(() => server.stop());

test("the profile is changed, and stays so", async ({ visit }) => {
  server.account("ada");
  const { page } = await visit();
  await signIn(page, server, "ada");
  await page.goto(`${server.url}/account/profile`);
  await look(page, "account-profile");
  await field(page, "First name").fill("Ada");
  await field(page, "Last name").fill("Lovelace");
  await field(page, "City").fill("London");
  await button(page, "Save").click();
  await reads(page, "Saved.");
  await page.getByRole("banner").getByRole("button", { name: "Ada Lovelace" }).waitFor();
  await page.reload();
  await field(page, "First name").waitFor();
  expect(await field(page, "City").inputValue()).toBe("London");
  expect(await field(page, "Last name").inputValue()).toBe("Lovelace");
});

test("a new password needs the current one, and signs out elsewhere but not here", async ({ visit }) => {
  server.account("pia");
  const elsewhere = await visit();
  await signIn(elsewhere.page, server, "pia");
  const person = await visit();
  const { page } = person;
  await signIn(page, server, "pia");
  await page.goto(`${server.url}/account/security`);
  await look(page, "account-security");
  person.announceStatus(403, "/api/v1/password");
  const current = page.getByLabel("Current password", { exact: true }).first();
  await current.fill("not the password at all");
  await field(page, "New password").fill(NEW_PASSWORD);
  await button(page, "Change the password").click();
  await reads(page, "This is not your current password.");
  expect(await current.getAttribute("aria-invalid")).toBe("true");
  expect(await current.evaluate((one) => one === document.activeElement)).toBe(true);
  await look(page, "account-security-refused");
  await page.setViewportSize({ width: 1280, height: 800 });
  await current.fill(PASSWORD);
  await button(page, "Change the password").click();
  await reads(page, "Your password is changed.");
  await page.reload();
  await account(page).waitFor();
  elsewhere.announceStatus(401, "/api/v1/");
  await elsewhere.page.reload();
  await heading(elsewhere.page, "Sign in").waitFor();
  await fillSignIn(elsewhere.page, "pia", NEW_PASSWORD);
  await account(elsewhere.page).waitFor();
});

test("another address needs the current password, which is asked for again where it is wrong", async ({ visit }) => {
  const email = server.account("mona");
  const person = await visit();
  const { page } = person;
  await signIn(page, server, "mona");
  await page.goto(`${server.url}/account/security`);
  person.announceStatus(403, "/api/v1/email-change/request");
  const current = page.getByLabel("Current password", { exact: true }).last();
  await field(page, "New e-mail address").fill("mona@example.net");
  await current.fill("not the password at all");
  await button(page, "Change the address").click();
  await reads(page, "This is not your current password.");
  expect(await current.getAttribute("aria-invalid")).toBe("true");
  expect(await current.evaluate((one) => one === document.activeElement)).toBe(true);
  await current.fill(PASSWORD);
  await button(page, "Change the address").click();
  await reads(page, "We sent a link to mona@example.net.");
  await page.goto(await server.link("mona@example.net", "/change-email"));
  await button(page, "Use this address").click();
  await reads(page, "Your account has the new address.");
  expect(server.cli(["accounts", "show", "mona"])).not.toContain(email);
});

test("devices are listed with this one, and another can be signed out", async ({ visit }) => {
  server.account("dora");
  const phone = await visit({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1" });
  await signIn(phone.page, server, "dora");
  const { page } = await visit();
  await signIn(page, server, "dora");
  await page.goto(`${server.url}/account/sessions`);
  await page.getByText("This one").waitFor();
  expect(await page.getByText("This one").count()).toBe(1);
  await reads(page, /Safari on iOS|Safari on iPhone/);
  await reads(page, "127.0.0.1");
  await look(page, "account-sessions");
  await page.getByRole("button", { name: /^Sign out: Safari/ }).click();
  await expect.poll(() => page.getByRole("button", { name: /^Sign out: / }).count()).toBe(0);
  phone.announceStatus(401, "/api/v1/");
  await phone.page.goto(`${server.url}/account/activity`);
  await heading(phone.page, "Sign in").waitFor();
  await page.reload();
  await page.getByText("This one").waitFor();
});

test("all other devices are signed out at once", async ({ visit }) => {
  server.account("otto");
  const others = [await visit(), await visit()];
  for (const { page } of others) await signIn(page, server, "otto");
  const { page } = await visit();
  await signIn(page, server, "otto");
  await page.goto(`${server.url}/account/sessions`);
  await button(page, "Sign out all other devices").click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await look(page, "account-sessions-confirm");
  await button(dialog, "Sign out all other devices").click();
  await reads(page, "You are signed in nowhere else.");
  for (const other of others) {
    other.announceStatus(401, "/api/v1/");
    await other.page.reload();
    await heading(other.page, "Sign in").waitFor();
  }
});

test("the activity says what happened, and why it failed", async ({ visit }) => {
  server.account("agnes");
  const person = await visit();
  const { page } = person;
  person.announceStatus(401, "/api/v1/login");
  await page.goto(`${server.url}/login`);
  await fillSignIn(page, "agnes", "not the password at all");
  await reads(page, "The name or the password is wrong.");
  await signIn(page, server, "agnes");
  await page.goto(`${server.url}/account/activity`);
  await reads(page, "A sign-in failed");
  await reads(page, "wrong password");
  await reads(page, "Account created");
  await look(page, "account-activity");
});

test("the account is taken along as a file", async ({ visit }) => {
  server.account("elsa");
  const { page } = await visit();
  await signIn(page, server, "elsa");
  await page.goto(`${server.url}/account/data`);
  await look(page, "account-data");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
  const text = readFileSync(await download.path(), "utf8");
  expect(JSON.parse(text)).toMatchObject({ user: { username: "elsa" } });
  expect(download.suggestedFilename()).toMatch(/\.json$/);
});

test("an account is deleted after a while, and signing in keeps it", async ({ visit }) => {
  server.account("liam");
  const person = await visit();
  const { page } = person;
  await signIn(page, server, "liam");
  await page.goto(`${server.url}/account/data`);
  await button(page, "Delete the account…").click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await look(page, "account-delete");
  person.announceStatus(403, "/api/v1/account-deletion");
  await field(dialog, "Current password").fill("not the password at all");
  await button(dialog, "Delete the account").click();
  await reads(dialog, "This is not your current password.");
  expect(await field(dialog, "Current password").evaluate((one) => one === document.activeElement)).toBe(true);
  await field(dialog, "Current password").fill(PASSWORD);
  await button(dialog, "Delete the account").click();
  await heading(page, "Sign in").waitFor();
  await page.getByRole("status").getByText("deleted").waitFor();
  await look(page, "account-deleted");
  await fillSignIn(page, "liam");
  await account(page).waitFor();
  await page.goto(`${server.url}/account/activity`);
  await reads(page, "Deletion called off");
});

test("signing out in one tab signs out the others", async ({ visit }) => {
  server.account("twyla");
  const person = await visit();
  await signIn(person.page, server, "twyla");
  const other = await person.context.newPage();
  await other.goto(`${server.url}/account/profile`);
  await account(other).waitFor();
  await signOut(person.page, "twyla");
  await heading(other, "Sign in").waitFor();
});

test("a language that is chosen for the account is that of its pages and mails", async ({ visit }) => {
  const email = server.account("uwe");
  const { page } = await visit();
  await signIn(page, server, "uwe");
  await page.goto(`${server.url}/account/profile`);
  await page.getByRole("combobox", { name: "Language" }).selectOption({ label: "Deutsch" });
  await button(page, "Save").click();
  await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("de");
  await server.ask("POST", "/password-reset/request", { email });
  await server.mail(email, "Passwort");
});
