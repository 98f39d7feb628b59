/** `/doctor` and its script: in development they say why a cookie or an answer does not arrive, and what to do. */
import type { Page } from "playwright-core";
import { afterAll, expect } from "vitest";

import { FrontEnd } from "../harness/front-end";
import { look } from "../harness/look";
import { Server } from "../harness/server";
import { test } from "../harness/test";

interface Finding {
  level: "good" | "note" | "wrong";
  about: string;
  seen: string;
  fix: string;
}

const listed = await FrontEnd.blank("A front end");
const stranger = await FrontEnd.blank("A front end that nobody listed");
const server = await Server.start({ settings: { FRONTEND_ORIGINS: listed.url } });
afterAll(async () => {
  await Promise.all([server.stop(), listed.stop(), stranger.stop()]);
});

test("on the server's own page everything is fine where nothing is wrong", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`${server.url}/doctor`);
  await page.getByText("cookies is fine").waitFor();
  expect(await page.locator(".bad").count()).toBe(0);
  await look(page, "doctor");
});

test("a front end that is listed is told that all is well", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(listed.url);
  const findings = await consult(page);
  expect(findings.filter(({ level }) => level !== "good")).toEqual([]);
  expect(findings.map(({ about }) => about)).toContain("cookies");
});

test("a front end that is not listed is told which line is missing", async ({ visit }) => {
  const person = await visit();
  const { page } = person;
  person.announce(/wrong: /);
  await page.goto(stranger.url);
  const findings = await consult(page);
  const wrong = findings.filter(({ level }) => level === "wrong");
  expect(wrong).toHaveLength(1);
  expect(wrong[0]?.fix).toContain("frontend_origins");
  expect(wrong[0]?.fix).toContain(stranger.url);
});

test("a server that is opened under another name than its own says under which", async ({ visit }) => {
  const { page } = await visit();
  await page.goto(`http://127.0.0.1:${server.port}/doctor`);
  await page.locator(".bad").first().waitFor();
  expect(await page.locator("#findings").innerText()).toContain(server.url);
});

/** Loads the doctor's script as somebody does at the console. */
function consult(page: Page): Promise<Finding[]> {
  return page.evaluate(`import("${server.url}/doctor.js").then(({ findings }) => findings)`);
}
