/** The administration of people, in the browser: looking for them, and everything that can be done to an account. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";

import { look } from "../harness/look";
import { account, button, field, fillSignIn, heading, link, reads, signIn } from "../harness/pages";
import { PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";

/** More than two pages of a list have. */
const CROWD = 60;

const server = await Server.start({
  settings: { ACCOUNTS__PROFILE__CITY: "string", ACCOUNTS__PROFILE__BORN: "integer", ACCOUNTS__PROFILE__SETTINGS: "json" },
});
afterAll(() => server.stop());

beforeAll(async () => {
  const token = await server.superuser("root");
  for (let number = 1; number <= CROWD; number += 1) {
    const username = `person-${String(number).padStart(3, "0")}`;
    await server.ask("POST", "/admin/accounts", { username, roles: number % 10 === 0 ? ["tenth"] : [] }, token);
  }
});

/** Signs in and goes to a part of the administration. */
async function admin(page: Page, path = "", username = "root"): Promise<void> {
  await signIn(page, server, username);
  await page.goto(`${server.url}/admin${path}`);
}

/** Opens the page of an account by its name, through the search. */
async function open(page: Page, username: string): Promise<void> {
  await page.goto(`${server.url}/admin/people?search=${username}`);
  await link(page, username).click();
  await heading(page, username).waitFor();
}

/** Presses a button that asks first, and says yes. */
async function confirm(page: Page, name: string, label = name): Promise<void> {
  await button(page, name).click();
  const dialog = page.getByRole("dialog");
  await button(dialog, label).click();
  await dialog.waitFor({ state: "hidden" });
}

/** The names in the list. */
async function names(page: Page): Promise<string[]> {
  return page.getByRole("rowheader").getByRole("link").allInnerTexts();
}

test("people are found by the beginning of a name, by what they are, and page by page", async ({ visit }) => {
  const { page } = await visit();
  await admin(page, "/people");
  await link(page, "person-060").waitFor();
  expect((await names(page))[0]).toBe("person-060");
  await look(page, "admin-people");

  await button(page, "Next").click();
  await link(page, "person-035").waitFor();
  await button(page, "Next").click();
  await link(page, "person-001").waitFor();
  expect(await names(page)).toContain("root");
  await button(page, "Previous").click();
  await link(page, "person-035").waitFor();
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await link(page, "person-060").waitFor();

  await field(page, "Search").fill("person-04");
  await expect.poll(() => names(page)).toHaveLength(10);
  expect(page.url()).toContain("search=person-04");
  await page.reload();
  await expect.poll(() => names(page)).toHaveLength(10);
  await button(page, "Clear all").click();
  await field(page, "Role").fill("tenth");
  await expect.poll(() => names(page)).toEqual(["person-060", "person-050", "person-040", "person-030", "person-020", "person-010"]);
  await page.getByLabel("Order").selectOption({ label: "Oldest first" });
  await expect.poll(async () => (await names(page))[0]).toBe("person-010");
  await button(page, "Clear all").click();
  await page.getByLabel("Standing").selectOption({ label: "Superusers" });
  await expect.poll(() => names(page)).toEqual(["root"]);
  await field(page, "Search").fill("nobody-is-called-so");
  await reads(page, "Nobody is like this.");
  await look(page, "admin-people-none");
});

test("an account is made for somebody, who sets a password by the mailed link", async ({ visit }) => {
  const { page } = await visit();
  await admin(page, "/people/new");
  await heading(page, "Create an account").waitFor();
  await look(page, "admin-new");
  await field(page, "User name").fill("newcomer");
  await field(page, "E-mail address( \\(optional\\))?").fill("newcomer@example.org");
  await field(page, "First name").fill("Nora");
  await button(page, "Create the account").click();
  await heading(page, "Nora").waitFor();
  await page.getByRole("status").getByText("a link to choose a password is on its way").waitFor();
  await look(page, "admin-created");

  const person = await visit();
  await person.page.goto(await server.link("newcomer@example.org", "/reset"));
  await field(person.page, "New password").fill(PASSWORD);
  await button(person.page, "Set the password").click();
  await reads(person.page, "Your account has the new password.");
  await signIn(person.page, server, "newcomer");
});

test("a name that is taken is said at its field", async ({ visit }) => {
  const visitor = await visit();
  const { page } = visitor;
  visitor.announceStatus(409, "/api/v1/admin/accounts");
  await admin(page, "/people/new");
  await field(page, "User name").fill("root");
  await button(page, "Create the account").click();
  await reads(page, "Somebody else has this user name already.");
  expect(await field(page, "User name").getAttribute("aria-invalid")).toBe("true");
});

test("an account is edited", async ({ visit }) => {
  server.account("edith");
  const { page } = await visit();
  await admin(page);
  await open(page, "edith");
  await look(page, "admin-person");
  const profile = page.getByRole("region", { name: "Profile" });
  await field(profile, "First name").fill("Edith");
  await field(profile, "City").fill("Graz");
  await button(profile, "Save").click();
  await reads(profile, "Saved.");
  await heading(page, "Edith").waitFor();
  const names = page.getByRole("region", { name: "User name and address" });
  await field(names, "User name").fill("edith.two");
  await field(names, "E-mail address").fill("edith@example.net");
  await button(names, "Save").click();
  await reads(names, "Saved.");
  const shown = JSON.parse(server.cli(["accounts", "show", "edith.two", "--json"])) as object;
  expect(shown).toMatchObject({ first_name: "Edith", email: "edith@example.net", email_verified: false });
});

test("whoever is deactivated is out with the next request, and in again once activated", async ({ visit }) => {
  server.account("dana");
  const dana = await visit();
  await signIn(dana.page, server, "dana");
  const { page } = await visit();
  await admin(page);
  await open(page, "dana");
  await button(page, "Deactivate").click();
  await look(page, "admin-deactivate");
  await button(page.getByRole("dialog"), "Deactivate").click();
  await page.getByRole("status").getByText("The account is deactivated.").waitFor();

  dana.announceStatus(401, "/api/v1/");
  await link(dana.page, "Devices").click();
  await heading(dana.page, "Sign in").waitFor();
  await reads(dana.page, "because the account was deactivated");
  await fillSignIn(dana.page, "dana");
  await reads(dana.page, "The name or the password is wrong.");
  await confirm(page, "Activate");
  await page.getByRole("status").getByText("The account is active.").waitFor();
  await signIn(dana.page, server, "dana");
});

test("all sessions of a person end, and one of them alone", async ({ visit }) => {
  server.account("sam");
  const [one, two] = [await visit(), await visit({ userAgent: "Mozilla/5.0 (Macintosh) Version/18.0 Safari/605.1.15" })];
  for (const { page } of [one, two]) await signIn(page, server, "sam");
  const { page } = await visit();
  await admin(page);
  await open(page, "sam");
  const sessions = page.getByRole("region", { name: "Sessions" });
  await expect.poll(() => sessions.getByRole("rowheader").count()).toBe(2);
  await sessions.getByRole("button", { name: /^End the session: Safari/ }).click();
  await button(page.getByRole("dialog"), "End").click();
  await expect.poll(() => sessions.getByRole("rowheader").count()).toBe(1);
  two.announceStatus(401, "/api/v1/");
  await link(two.page, "Devices").click();
  await heading(two.page, "Sign in").waitFor();
  await one.page.reload();
  await account(one.page).waitFor();

  await confirm(page, "End all sessions");
  await reads(page, "All sessions have ended.");
  one.announceStatus(401, "/api/v1/");
  await link(one.page, "Devices").click();
  await heading(one.page, "Sign in").waitFor();
});

test("a reset link is sent, and works", async ({ visit }) => {
  const email = server.account("rita");
  const { page } = await visit();
  await admin(page);
  await open(page, "rita");
  await confirm(page, "Send a reset link");
  await reads(page, "The mail is on its way.");
  await page.goto(await server.link(email, "/reset"));
  await heading(page, "Set a new password").waitFor();
});

test("roles and standing are given and taken, and count with the next request", async ({ visit }) => {
  server.account("hugo");
  const hugo = await visit();
  await signIn(hugo.page, server, "hugo");
  await hugo.page.goto(`${server.url}/admin`);
  hugo.announceStatus(403, "/api/v1/admin/");
  hugo.announceStatus(401, "/api/v1/admin/");
  await heading(hugo.page, "This is not for you").waitFor();
  await look(hugo.page, "admin-denied");

  const { page } = await visit();
  await admin(page);
  await open(page, "hugo");
  await field(page, "New role").fill("editor");
  await button(page, "Add").click();
  await button(page, "Take away the role editor").waitFor();
  expect(server.cli(["accounts", "show", "hugo", "--json"])).toContain("editor");
  await button(page, "Take away the role editor").click();
  await reads(page, "No roles.");
  const parts = hugo.page.getByRole("navigation", { name: "Parts of the administration" });
  await field(page, "New role").fill("hallpass:helpdesk");
  await button(page, "Add").click();
  await button(page, "Take away the role hallpass:helpdesk").waitFor();
  await hugo.page.reload();
  await parts.waitFor();
  await reads(hugo.page, "You look after the accounts of people who have no rights here.");

  await button(page, "Superuser: Give these rights").click();
  await look(page, "admin-standing");
  await button(page.getByRole("dialog"), "Give these rights").click();
  await reads(page, "Superuser: On");
  await hugo.page.goto(`${server.url}/admin/people`);
  await link(hugo.page, "Create an account").waitFor();

  await confirm(page, "Superuser: Take these rights away", "Take these rights away");
  await button(page, "Take away the role hallpass:helpdesk").click();
  await reads(page, "No roles.");
  await hugo.page.reload();
  await heading(hugo.page, "This is not for you").waitFor();
});

test("the helpdesk looks after people without rights, and sees no more buttons than that", async ({ visit }) => {
  server.account("helga", "--role", "hallpass:helpdesk");
  server.account("victor");
  const { page } = await visit();
  await admin(page, "/people", "helga");
  await reads(page, "You look after the accounts of people who have no rights here.");
  expect(await link(page, "Create an account").count()).toBe(0);
  await open(page, "root");
  await reads(page, "Only superusers can change it.");
  for (const name of ["Deactivate", "End all sessions", "Send a reset link", "Add"]) {
    expect(await button(page, name).count(), name).toBe(0);
  }
  await look(page, "admin-helpdesk-root");
  await open(page, "victor");
  await button(page, "Deactivate").waitFor();
  expect(await page.getByRole("region", { name: "Standing" }).count()).toBe(0);
  expect(await page.getByRole("region", { name: "Roles" }).count()).toBe(0);
  await look(page, "admin-helpdesk-person");
  await confirm(page, "Deactivate");
  await reads(page, "The account is deactivated.");
  await page.goto(`${server.url}/admin/keys`);
  await reads(page, "Only superusers can rotate keys.");
  expect(await button(page, "Rotate the key").count()).toBe(0);
});

test("what the helpdesk mistypes in a custom field is said at that field", async ({ visit }) => {
  server.account("hanna", "--role", "hallpass:helpdesk");
  server.account("vera");
  const { page } = await visit();
  await admin(page, "", "hanna");
  await open(page, "vera");
  const profile = page.getByRole("region", { name: "Profile" });
  await field(profile, "Born").fill("May");
  await field(profile, "Settings").fill("{'theme': 'dark'}");
  await button(profile, "Save").click();
  await reads(profile, "Enter a whole number of at most 15 digits.");
  await reads(profile, "This is not JSON.");
  expect(await field(profile, "Born").evaluate((one) => one === document.activeElement)).toBe(true);
  await look(page, "admin-person-refused");
  await field(profile, "Born").fill("1985");
  await field(profile, "Settings").fill('{"theme": "dark"}');
  await button(profile, "Save").click();
  await reads(profile, "Saved.");
  const shown = JSON.parse(server.cli(["accounts", "show", "vera", "--json"])) as object;
  expect(shown).toMatchObject({ profile: { born: 1985, settings: { theme: "dark" } } });
});

test("an account that is not there is said so", async ({ visit }) => {
  const visitor = await visit();
  visitor.announceStatus(404, "/api/v1/admin/accounts/999999");
  await admin(visitor.page, "/people/999999");
  await heading(visitor.page, "There is no such account").waitFor();
  await look(visitor.page, "admin-missing");
});
