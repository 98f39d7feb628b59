/**
 * Development over https with real names: the front end and the server are of one site and of two origins, as they are
 * in earnest. The browser trusts one certificate, and that only after its chain has been checked.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect } from "vitest";

import { launch } from "../harness/browser";
import { FrontEnd } from "../harness/front-end";
import { button, fillSignIn, heading, link } from "../harness/pages";
import { PASSWORD, Server, freePort } from "../harness/server";
import { test as plain } from "../harness/test";

const DOMAIN = "example.test";
/** Names of the reserved domain lead to this machine, without a line in the hosts file. */
const NAMES = "--host-resolver-rules=MAP *.test 127.0.0.1";

const port = await freePort(3000);
const origin = `https://${DOMAIN}:${port}`;
const server = await Server.start({ domain: DOMAIN, port: 8000, settings: { FRONTEND_ORIGINS: origin } });
const [ca, cert, key] = (["ca.pem", "cert.pem", "key.pem"] as const).map((name) => server.tlsFile(name));
const certificate = { cert: readFileSync(cert ?? "", "utf8"), key: readFileSync(key ?? "", "utf8") };
const environment = { VITE_HALLPASS_URL: server.url };
const front = await FrontEnd.build("examples/react-spa", { environment, host: DOMAIN, port, certificate });
const stranger = await FrontEnd.build("e2e/front-end", { host: `elsewhere.${DOMAIN}`, certificate });
afterAll(async () => {
  await Promise.all([server.stop(), front.stop(), stranger.stop()]);
});

/** What browsers name a key by. */
function fingerprint(pem: string): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}

const flags = [NAMES, `--ignore-certificate-errors-spki-list=${fingerprint(certificate.cert)}`];
const test = plain.extend({ flags: [flags, { scope: "file" }] });

/** Signs in with the form of the front end. */
async function signInAtFront(page: Page, username: string): Promise<void> {
  await page.goto(`${origin}/#/sign-in`);
  await page.getByLabel("User name or e-mail address").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Sign in").click();
  await heading(page, `Welcome, ${username}!`).waitFor();
}

test("the certificate is for the domain, its names and this machine, of an authority for nothing else", () => {
  const [authority, own] = [readFileSync(ca ?? "", "utf8"), certificate.cert].map((pem) => new X509Certificate(pem));
  expect(own?.checkIssued(authority as X509Certificate)).toBe(true);
  expect(own?.verify((authority as X509Certificate).publicKey)).toBe(true);
  for (const name of [DOMAIN, `api.${DOMAIN}`, "localhost", "app.localhost"]) {
    expect(own?.checkHost(name), name).toBeDefined();
  }
  const text = execFileSync("openssl", ["x509", "-in", ca ?? "", "-noout", "-text"], { encoding: "utf8" });
  expect(text).toContain("Name Constraints: critical");
});

test("a front end at another name of the site signs in, and its cookie is as in earnest", async ({ visit }) => {
  server.account("ada");
  const { page, context } = await visit();
  await signInAtFront(page, "ada");
  const cookies = await context.cookies(server.url);
  expect(cookies.find(({ name }) => name === "__Host-refresh")).toMatchObject({
    domain: `api.${DOMAIN}`,
    path: "/",
    secure: true,
    httpOnly: true,
    sameSite: "Strict",
  });
  expect(await context.cookies(origin)).toEqual([]);
  await page.reload();
  await heading(page, "Welcome, ada!").waitFor();
  await link(page, "Session").click();
  await page.getByText("Signed in since").waitFor();
  await button(page, "Sign out").click();
  await heading(page, "Sign in first").waitFor();
});

test("who signs in on the hosted pages is signed in at the front end", async ({ visit }) => {
  server.account("bea");
  const { page } = await visit();
  await page.goto(`${server.url}/login?next=${encodeURIComponent(`${origin}/`)}`);
  await heading(page, "Sign in").waitFor();
  await fillSignIn(page, "bea");
  await page.waitForURL(`${origin}/`);
  await heading(page, "Welcome, bea!").waitFor();
});

test("a page of the site that is not listed gets nothing, although the browser sends the cookie", async ({ visit }) => {
  server.account("cy");
  const person = await visit();
  const { page } = person;
  await signInAtFront(page, "cy");
  person.announce(/CORS policy|net::ERR_FAILED|status of 403/);
  await page.goto(`${stranger.url}/?server=${encodeURIComponent(server.url)}`);
  await page.evaluate(() => window.hallpass.ready);
  expect(await page.evaluate(() => window.hallpass.user ?? null)).toBe(null);
  expect(await page.evaluate(() => window.hallpass.error?.code)).toBe("network");
  await page.goto(origin);
  await heading(page, "Welcome, cy!").waitFor();
});

const hasCertutil = spawnSync("certutil", ["-H"]).error === undefined;

plain.skipIf(!hasCertutil)("a browser that was told to trust the authority shows the pages", async () => {
  const home = mkdtempSync(join(tmpdir(), "hallpass-e2e-home-"));
  const database = join(home, ".pki", "nssdb");
  mkdirSync(database, { recursive: true });
  const certutil = (...words: string[]) => execFileSync("certutil", ["-d", `sql:${database}`, ...words]);
  certutil("-N", "--empty-password");
  certutil("-A", "-t", "C,,", "-n", "hallpass-dev", "-i", ca ?? "");
  const browser = await launch({ flags: [NAMES], home });
  const page = await browser.newPage();
  await page.goto(`${server.url}/login`);
  await heading(page, "Sign in").waitFor();
  await page.goto(origin);
  expect(await page.evaluate(() => window.isSecureContext)).toBe(true);
  await browser.close();
  rmSync(home, { recursive: true, force: true });
});
