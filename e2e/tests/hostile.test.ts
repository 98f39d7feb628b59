/** What people write about themselves is text, wherever it is shown. */
import { afterAll, beforeAll, expect } from "vitest";

import { field, heading, signIn } from "../harness/pages";
import { type Issued, PASSWORD, Server } from "../harness/server";
import { test } from "../harness/test";

/** What would run, break out or be filled in if it were not taken for text. */
const HOSTILE = `"'><svg/onload=alert(1)>{{7*7}}\${7*7}</script><img src=x onerror=alert(2)>`;

const server = await Server.start({ settings: { MAIL__PRODUCT_NAME: HOSTILE } });
afterAll(() => server.stop());

beforeAll(async () => {
  await server.superuser("root");
});

test("hostile names and devices are shown as they are written, and run nowhere", async ({ visit }) => {
  const { page, context } = await visit({ userAgent: HOSTILE });
  const ran: string[] = [];
  context.on("dialog", async (dialog) => {
    ran.push(dialog.message());
    await dialog.dismiss();
  });
  const ada = { username: "ada", password: PASSWORD };
  const { access_token } = await server.ask<Issued>("POST", "/signup", ada);
  await server.ask("PATCH", "/me", { first_name: HOSTILE, last_name: HOSTILE }, access_token);

  await signIn(page, server, "ada");
  await page.goto(`${server.url}/account/profile`);
  await expect.poll(() => field(page, "First name").inputValue()).toBe(HOSTILE);
  for (const part of ["sessions", "activity"]) {
    await page.goto(`${server.url}/account/${part}`);
    await heading(page, part === "sessions" ? "Devices" : "Activity").waitFor();
  }

  const admin = await visit();
  admin.context.on("dialog", (dialog) => void ran.push(dialog.message()));
  await signIn(admin.page, server, "root");
  for (const part of ["", "/people", "/people?search=ada", "/sessions", "/events"]) {
    await admin.page.goto(`${server.url}/admin${part}`);
    await admin.page.getByRole("table").first().waitFor();
  }
  await admin.page.goto(`${server.url}/admin/people?search=ada`);
  await admin.page.getByRole("rowheader").getByRole("link").first().click();
  await expect.poll(() => field(admin.page, "First name").inputValue()).toBe(HOSTILE);
  expect(ran).toEqual([]);
  expect(await admin.page.title()).toContain(HOSTILE);
});
