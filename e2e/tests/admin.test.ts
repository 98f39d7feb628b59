/** The other parts of the administration: figures, sessions, events, keys and mail. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";

import { axe, look } from "../harness/look";
import { account, button, heading, link, reads, signIn } from "../harness/pages";
import { Server, freePort } from "../harness/server";
import { Smtp } from "../harness/smtp";
import { test } from "../harness/test";

const server = await Server.start();
afterAll(() => server.stop());

beforeAll(async () => {
  await server.superuser("root");
  for (const username of ["ada", "bob", "cleo"]) {
    server.account(username);
    await server.signIn(username);
    await server.signIn(username, "not the password at all").catch(() => undefined);
  }
});

async function admin(page: Page, path = ""): Promise<void> {
  await signIn(page, server, "root");
  await page.goto(`${server.url}/admin${path}`);
}

test("the overview shows how much there is and what happened, as charts and as a table", async ({ visit }) => {
  const { page } = await visit();
  await admin(page);
  await heading(page, "Overview").waitFor();
  const figures = page.getByRole("region", { name: "Figures" });
  await figures.getByRole("link", { name: /Accounts\s*4/ }).waitFor();
  await page.getByRole("img", { name: "Chart over time: Sign-ins, Failed sign-ins, Sign-ups" }).waitFor();
  await reads(page, /Failed sign-ins 3/);
  await look(page, "admin-overview");
  await button(page, "Show as a table").click();
  const table = page.getByRole("region", { name: "How much happened, by time" });
  await table.waitFor();
  await look(page, "admin-overview-table");
  for (const range of ["2 days", "30 days", "90 days"]) {
    await page.getByRole("radiogroup", { name: "Time" }).getByText(range).click();
    await page.waitForURL(`**/admin?days=${parseInt(range)}`);
    await expect.poll(() => table.getByRole("rowheader").count()).toBeGreaterThan(1);
  }
});

test("sessions of everybody are listed, and one can be ended", async ({ visit }) => {
  const ada = await visit();
  await signIn(ada.page, server, "ada");
  const { page } = await visit();
  await admin(page, "/sessions");
  await link(page, "ada").first().waitFor();
  await look(page, "admin-sessions");
  const row = page.getByRole("row").filter({ has: link(page, "ada") }).first();
  await row.getByRole("button", { name: /^End the session/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  // The table becomes cards behind it, and a table again.
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => page.locator("table").count()).toBe(0);
  expect(await dialog.isVisible()).toBe(true);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expect.poll(() => page.locator("table").count()).toBe(1);
  await axe(page, "admin-sessions-end");
  await button(page.getByRole("dialog"), "End").click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  // The newest is first: that of the browser.
  ada.announceStatus(401, "/api/v1/");
  await link(ada.page, "Devices").click();
  await heading(ada.page, "Sign in").waitFor();
});

test("events are filtered by kind, account and day", async ({ visit }) => {
  const { page } = await visit();
  await admin(page, "/events");
  const events = () => page.getByRole("rowheader").allInnerTexts();
  await reads(page, "Sign-in failed");
  await look(page, "admin-events");
  await page.getByLabel("What happened").selectOption({ label: "Sign-in failed" });
  await expect.poll(async () => new Set((await events()).map((text) => text.split("\n")[0]))).toEqual(new Set(["Sign-in failed"]));
  expect(await events()).toHaveLength(3);
  const bob = JSON.parse(server.cli(["accounts", "show", "bob", "--json"])) as { id: number };
  await page.getByLabel("Account (id)").fill(String(bob.id));
  await expect.poll(() => events()).toHaveLength(1);
  await page.getByLabel("From", { exact: true }).fill("2020-01-01");
  await page.getByLabel("To", { exact: true }).fill("2020-01-31");
  await reads(page, "Nothing of this kind has happened.");
  await button(page, "Clear all").click();
  await expect.poll(async () => (await events()).length).toBeGreaterThan(3);
});

test("events go on over pages", async ({ visit }) => {
  for (let count = 0; count < 30; count += 1) await server.signIn("cleo");
  const { page } = await visit();
  await admin(page, "/events?event=signed_in");
  await expect.poll(() => page.getByRole("rowheader").count()).toBe(25);
  await button(page, "Next").click();
  await reads(page, "Page 2");
  await expect.poll(() => page.getByRole("rowheader").count()).toBeGreaterThan(4);
  await button(page, "Previous").click();
  await expect.poll(() => page.getByRole("rowheader").count()).toBe(25);
});

test("another key signs from now on, and nobody is signed out", async ({ visit }) => {
  const bob = await visit();
  await signIn(bob.page, server, "bob");
  const { page } = await visit();
  await admin(page, "/keys");
  await reads(page, "Current");
  const kid = page.getByRole("row").filter({ hasText: "Current" }).getByRole("rowheader");
  const before = await kid.innerText();
  await look(page, "admin-keys");
  await button(page, "Rotate the key").click();
  await look(page, "admin-keys-rotate");
  await button(page.getByRole("dialog"), "Rotate the key").click();
  await reads(page, "Another key signs from now on.");
  await expect.poll(() => kid.innerText()).not.toBe(before);
  await link(bob.page, "Devices").click();
  await bob.page.getByText("This one").waitFor();
  await bob.page.reload();
  await account(bob.page).waitFor();
});

test("mails that went out are not listed, those that cannot are, with what went wrong", async ({ visit, serve }) => {
  const { page } = await visit();
  await admin(page, "/mail");
  await reads(page, "Every mail has gone out.");
  await look(page, "admin-mail-none");

  // A mail server that is away.
  const settings = {
    MAIL__TRANSPORT: "smtp",
    MAIL__FROM: "Hallpass <no-reply@example.org>",
    MAIL__SMTP_HOST: "127.0.0.1",
    MAIL__SMTP_PORT: String(await freePort()),
    MAIL__SMTP_TLS: "none",
  };
  const silent = await serve({ settings });
  const email = silent.account("dora");
  await silent.superuser("root");
  await silent.ask("POST", "/password-reset/request", { email });
  await signIn(page, silent, "root");
  await page.goto(`${silent.url}/admin/mail`);
  await reads(page, "Set a new password");
  await expect
    .poll(async () => {
      await page.reload();
      return page.getByText("Nothing yet").count();
    })
    .toBe(0);
  await reads(page, "Set a new password");
  await look(page, "admin-mail");
});

test("a mail that was refused for good is tried again at the press of a button, and arrives", async ({ visit, serve }) => {
  const smtp = await Smtp.start();
  onTestFinished(() => smtp.stop());
  const own = await serve({ settings: smtp.settings });
  own.announce(/a mail did not go out and is given up/);
  const email = own.account("emil");
  const token = await own.superuser("root");
  const mails = async () => (await own.ask<{ mails: object[] }>("GET", "/admin/outbox", undefined, token)).mails;
  await own.ask("POST", "/password-reset/request", { email });
  await expect.poll(mails).toMatchObject([{ kind: "reset_password", due_at: null }]);
  const { page } = await visit();
  await signIn(page, own, "root");
  await page.goto(`${own.url}/admin/mail`);
  await reads(page, "Given up");
  await reads(page, /550.*not from you/);
  await look(page, "admin-mail-given-up");
  expect(smtp.taken).toEqual([]);

  smtp.isRefusing = false;
  await button(page, "Try again now").click();
  await look(page, "admin-mail-retry");
  await button(page.getByRole("dialog"), "Try again now").click();
  await page.getByRole("status").getByText("One mail is tried again.").waitFor();
  await expect.poll(() => smtp.taken.length).toBe(1);
  expect(smtp.taken[0]).toContain(`To: ${email}`);
  await expect.poll(mails).toEqual([]);
  await page.reload();
  await reads(page, "Every mail has gone out.");
  await page.goto(`${own.url}/admin/events?event=mail_retried`);
  await page.getByRole("rowheader").getByText("Mail tried again").waitFor();
});

test("the administration speaks German", async ({ visit }) => {
  const { page } = await visit({ locale: "de-AT" });
  await page.goto(`${server.url}/login?next=/admin/people`);
  await page.getByLabel("Benutzername oder E-Mail-Adresse").fill("root");
  await page.getByLabel("Passwort", { exact: true }).fill("otters juggle brass lanterns");
  await button(page, "Anmelden").click();
  await link(page, "ada").waitFor();
  await look(page, "admin-people-de");
  await page.goto(`${server.url}/admin`);
  await page.getByRole("img").first().waitFor();
  await look(page, "admin-overview-de");
});
