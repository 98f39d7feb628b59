import { expect, test } from "vitest";
import audit from "../../../crates/hallpass-core/src/audit.rs?raw";
import kinds from "../../../crates/hallpass-core/src/mail/templates/values.rs?raw";
import sessions from "../../../crates/hallpass-core/src/sessions.rs?raw";
import { de } from "../../src/admin/messages/de";
import { en } from "../../src/admin/messages/en";

type Tree = { [key: string]: Tree | string | ((...values: never[]) => string) };

function texts(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    const here = `${path}.${key}`;
    if (typeof value === "string") return [[here, value]];
    if (typeof value === "object") return texts(value, here);
    return [[here, (value as (gap: unknown) => string)(here.endsWith("other") ? "x_y" : 2)]];
  });
}

/** The stable names in a list of Rust's match arms. */
function names(source: string, of: string): string[] {
  return [...source.matchAll(new RegExp(`${of}::\\w+ => "(\\w+)"`, "g"))].map((found) => found[1] ?? "");
}

test("both languages say everything", () => {
  const [english, german] = [texts(en), texts(de)];
  expect(german.map(([path]) => path)).toEqual(english.map(([path]) => path));
  for (const [path, text] of [...english, ...german]) expect(text.trim(), path).not.toBe("");
  const byPath = new Map(german);
  const same = english.filter(([path, text]) => text.includes(" ") && byPath.get(path) === text);
  expect(same.map(([path]) => path)).toEqual([".events.other"]);
});

test("every event, every cause and every mail has words", () => {
  expect(names(audit, "Event").length).toBeGreaterThan(20);
  for (const event of names(audit, "Event")) expect(en.events.kinds, event).toHaveProperty(event);
  expect(names(sessions, "EndCause").length).toBeGreaterThan(10);
  for (const cause of names(sessions, "EndCause")) expect(en.events.causes, cause).toHaveProperty(cause);
  expect(names(kinds, "Kind").length).toBeGreaterThan(5);
  for (const kind of names(kinds, "Kind")) expect(en.events.mails, kind).toHaveProperty(kind);
});
