/** What the links in mails do: each does nothing until its button is pressed, and works once. */
import { afterAll, expect } from "vitest";

import { look } from "../harness/look";
import { account, button, field, fillSignIn, heading, link, reads, signIn } from "../harness/pages";
import { PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";

const NEW_PASSWORD = "velvet walruses paint harbours";

const server = await Server.start();
afterAll(() => server.stop());

function isVerified(username: string): boolean {
  const account = JSON.parse(server.cli(["accounts", "show", username, "--json"])) as { email_verified: boolean };
  return account.email_verified;
}

test("a forgotten password is set anew by mail, once, and signs out everywhere", async ({ visit }) => {
  const email = server.account("frida");
  const elsewhere = await visit();
  await signIn(elsewhere.page, server, "frida");

  const person = await visit();
  const { page } = person;
  await page.goto(`${server.url}/login`);
  await link(page, "Forgot your password?").click();
  await heading(page, "Forgot your password?").waitFor();
  await look(page, "forgot");
  await field(page, "E-mail address").fill(email);
  await button(page, "Send the link").click();
  await heading(page, "Look into your mail").waitFor();
  await reads(page, `If there is an account with the address ${email}`);
  await look(page, "forgot-sent");

  const address = await server.link(email, "/reset");
  person.announceStatus(400, "/api/v1/password-reset");
  await page.goto(address);
  await heading(page, "Set a new password").waitFor();
  await look(page, "reset");
  await field(page, "New password").fill("too short");
  await button(page, "Set the password").click();
  await reads(page, "This password is too short.");
  await field(page, "New password").fill(NEW_PASSWORD);
  await button(page, "Set the password").click();
  await reads(page, "Your account has the new password.");
  await look(page, "reset-done");

  elsewhere.announceStatus(401, "/api/v1/");
  await elsewhere.page.goto(`${server.url}/account/profile`);
  await heading(elsewhere.page, "Sign in").waitFor();

  person.announceStatus(401, "/api/v1/login");
  await page.goto(`${server.url}/login`);
  await fillSignIn(page, "frida", PASSWORD);
  await reads(page, "The name or the password is wrong.");
  await fillSignIn(page, "frida", NEW_PASSWORD);
  await account(page).waitFor();

  await page.goto(address);
  await field(page, "New password").fill(PASSWORD);
  await button(page, "Set the password").click();
  await reads(page, "This link does not work any more");
  await look(page, "reset-used");
});

test("an address without an account is answered just the same", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/forgot`);
  await field(page, "E-mail address").fill("nobody@example.org");
  await button(page, "Send the link").click();
  await heading(page, "Look into your mail").waitFor();
  await reads(page, "If there is an account with the address nobody@example.org");
});

test("whoever signs up confirms the address by the link, and opening it alone does nothing", async ({ visit }) => {
  const person = await visit();
  const { page } = person;
  await server.ask("POST", "/signup", { username: "vera", email: "vera@example.org", password: PASSWORD });
  const address = await server.link("vera@example.org", "/verify");
  await page.goto(address);
  await heading(page, "Confirm your address").waitFor();
  // The secret is in no address that is kept or sent.
  expect(page.url()).not.toContain("token");
  await look(page, "verify");
  expect(isVerified("vera")).toBe(false);
  // Opened once more, as mail programs do, and only then used.
  await page.goto("about:blank");
  await page.goto(address);
  await button(page, "Confirm the address").click();
  await reads(page, "Your address is confirmed.");
  await look(page, "verify-done");
  expect(isVerified("vera")).toBe(true);

  person.announceStatus(400, "/api/v1/verify-email");
  await page.goto("about:blank");
  await page.goto(address);
  await button(page, "Confirm the address").click();
  await reads(page, "This link does not work any more");
  await look(page, "verify-used");
});

test("an address is changed by the link that its new one gets", async ({ visit }) => {
  server.account("emil");
  const person = await visit();
  const { page } = person;
  await signIn(page, server, "emil");
  await page.goto(`${server.url}/account/security`);
  await field(page, "New e-mail address").fill("emil@example.net");
  const current = page.getByLabel("Current password", { exact: true });
  await current.last().fill(PASSWORD);
  await button(page, "Change the address").click();
  await reads(page, "We sent a link to emil@example.net.");
  const address = await server.link("emil@example.net", "/change-email");
  await page.goto(address);
  await heading(page, "Confirm your new address").waitFor();
  await look(page, "change-email");
  await button(page, "Use this address").click();
  await reads(page, "Your account has the new address.");
  await look(page, "change-email-done");
  await server.mail("emil@example.org", "emil@example.net");
  await link(page, "To your account").click();
  await page.goto(`${server.url}/account/security`);
  await reads(page, "emil@example.net");
});

test("a page without its secret says what to do, or asks where to send one", async ({ visit }) => {
  const { page } = await visit();
  for (const path of ["/reset", "/change-email"]) {
    await page.goto(`${server.url}${path}`);
    await reads(page, "Open the link in the mail that you got");
  }
  await look(page, "link-without-secret");
  await server.ask("POST", "/signup", { username: "wim", email: "wim@example.org", password: PASSWORD });
  await server.link("wim@example.org", "/verify");
  await page.goto(`${server.url}/verify`);
  await look(page, "verify-ask");
  await field(page, "E-mail address").fill("wim@example.org");
  await button(page, "Send the link").click();
  await heading(page, "Look into your mail").waitFor();
  await page.goto(await server.link("wim@example.org", "/verify"));
  await button(page, "Confirm the address").click();
  await reads(page, "Your address is confirmed.");
});

test("where addresses are verified first, nobody is signed in before that", async ({ visit, serve }) => {
  const strict = await serve({ settings: { ACCOUNTS__VERIFY_EMAIL: "required", ACCOUNTS__EMAIL: "required" } });
  const person = await visit();
  const { page } = person;
  await page.goto(`${strict.url}/signup`);
  await field(page, "User name").fill("nora");
  await field(page, "E-mail address").fill("nora@example.org");
  await field(page, "Password").fill(PASSWORD);
  await button(page, "Create the account").click();
  await heading(page, "Look into your mail").waitFor();
  await look(page, "signup-sent");
  person.announceStatus(403, "/api/v1/login");
  await page.goto(`${strict.url}/login`);
  await fillSignIn(page, "nora");
  await reads(page, "Your address is not confirmed yet.");
  await look(page, "login-not-verified");
  await page.goto(await strict.link("nora@example.org", "/verify"));
  await button(page, "Confirm the address").click();
  await reads(page, "Your address is confirmed.");
  await signIn(page, strict, "nora");
});
