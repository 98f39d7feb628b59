import { expect, test } from "vitest";
import audit from "../../crates/hallpass-core/src/audit.rs?raw";
import mails from "../../crates/hallpass-core/src/mail/templates/values.rs?raw";
import { de } from "../src/i18n/de";
import { en } from "../src/i18n/en";
import { causeText, eventText } from "../src/ui/events";

/** The names that the server gives to the values of `type`. */
function namesOf(source: string, type: string): string[] {
  return [...source.matchAll(new RegExp(`${type}::\\w+ => "(\\w+)"`, "g"))].map(([, name]) => name ?? "");
}

test("everything that can happen to an account has words", () => {
  const ofTheServer = ["client_created", "client_removed", "key_rotated", "key_revoked", "mail_retried"];
  const names = namesOf(audit, "Event").filter((name) => !ofTheServer.includes(name));
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(en.activity.kinds, name).toHaveProperty(name);
});

test("every kind of mail has words", () => {
  const kinds = namesOf(mails, "Kind");
  expect(kinds.length).toBeGreaterThan(5);
  for (const kind of kinds) expect(en.activity.mails, kind).toHaveProperty(kind);
});

test("causes are said in the language of the page", () => {
  expect(eventText(en.activity, "session_ended")).toBe("Signed out");
  expect(causeText(de.activity, "session_ended", "idle")).toBe("weil das Gerät lange nicht benutzt wurde");
  expect(causeText(en.activity, "mail_sent", "reset_password")).toBe("to set a new password");
});

test("a role is its own name, whatever it is", () => {
  expect(causeText(en.activity, "role_granted", "idle")).toBe("idle");
});

test("what a later server brings is shown by its name", () => {
  expect(eventText(en.activity, "passkey_added")).toBe("passkey added");
  expect(causeText(en.activity, "session_ended", "eclipse")).toBe("eclipse");
});
