import { expect, test } from "vitest";
import { destination } from "../src/next";

const ORIGINS = ["https://app.example.com", "http://localhost:3000"];

const ALLOWED = [
  "/",
  "/account",
  "/account/profile?tab=1#top",
  "/admin/people?search=a%20b",
  "/%2Fstill.a.path",
  "/a//b",
  "/account@evil.example",
  "/https://evil.example",
  "https://app.example.com",
  "https://app.example.com/",
  "https://app.example.com/orders?page=2#3",
  "http://localhost:3000/deep/path",
];

const TRICKS = [
  "",
  " ",
  "account",
  "./account",
  "../account",
  "?next=/account",
  "#/account",
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "//evil.example/%2e%2e",
  "//evil.example\\@app.example.com",
  "/\\evil.example",
  "/\\/evil.example",
  "\\/evil.example",
  "\\\\evil.example",
  "\\\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r/evil.example",
  "\t//evil.example",
  "\n/account",
  " /account",
  " //evil.example",
  "/account\u0000",
  "\u0000//evil.example",
  "\u0001javascript:alert(1)",
  "\u00a0//evil.example",
  "\u2028//evil.example",
  "/\u0085/evil.example",
  "/\u007f/evil.example",
  "\u3000https://app.example.com/",
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  "java\tscript:alert(1)",
  "javascript://app.example.com/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "blob:https://app.example.com/1",
  "file:///etc/passwd",
  "about:blank",
  "mailto:a@example.com",
  "https:evil.example",
  "https:/evil.example",
  "https:///evil.example",
  "https:app.example.com",
  "https:/app.example.com/",
  "https:\\\\app.example.com",
  "http://app.example.com/",
  "https://evil.example/",
  "https://evil.example/https://app.example.com/",
  "https://evil.example?https://app.example.com/",
  "https://evil.example#https://app.example.com/",
  "https://app.example.com.evil.example/",
  "https://app.example.com@evil.example/",
  "https://app.example.com:443@evil.example/",
  "https://app.example.com:8443/",
  "https://app.example.com%2eevil.example/",
  "https://app.example.com%2f@evil.example/",
  "https://app.example.com\\.evil.example/",
  "https://app.example.com\\@evil.example/",
  "https://app.example.com.",
  "https://app.example.com./",
  "https://app.example.com?x",
  "https://user@app.example.com/",
  "https://user:password@app.example.com/",
  "https://evilapp.example.com/",
  "https://APP.example.com/",
  "HTTPS://app.example.com/",
  "https://app.example.com\t/",
  "https://app。example。com/",
  "http://localhost:30000/",
  "http://localhost:3000@evil.example/",
  "http://localhost/",
  "http://127.0.0.1:3000/",
  "/..//evil.example",
  "/.//evil.example",
  "/%2e%2e//evil.example",
  "https://app.example.com/..//evil.example",
  "%2f%2fevil.example",
  "%68ttps://app.example.com/",
  "*",
  "null",
];

test("paths of this server and listed origins are places to go on to", () => {
  for (const next of ALLOWED) expect(destination(next, ORIGINS), next).not.toBeNull();
});

test("no trick leads anywhere else", () => {
  expect(new Set(TRICKS).size).toBeGreaterThanOrEqual(60);
  for (const next of TRICKS) expect(destination(next, ORIGINS), JSON.stringify(next)).toBeNull();
});

test("whatever is allowed is where a browser goes, too", () => {
  const own = "https://login.example.com";
  for (const next of ALLOWED) {
    const href = destination(next, ORIGINS) ?? "";
    expect([own, ...ORIGINS]).toContain(new URL(href, `${own}/login`).origin);
    expect(href).toMatch(/^[!-~]+$/);
  }
  expect(destination("/straße?q=東京#∕", ORIGINS)).toBe("/stra%C3%9Fe?q=%E6%9D%B1%E4%BA%AC#%E2%88%95");
});

test("without listed origins only paths are allowed", () => {
  expect(destination("https://app.example.com/", [])).toBeNull();
  expect(destination("/account", [])).toBe("/account");
});
