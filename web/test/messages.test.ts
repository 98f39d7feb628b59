import { HallpassError } from "@hallpass/client";
import { expect, test } from "vitest";
import openapi from "../../openapi.json?raw";
import { de } from "../src/i18n/de";
import { en } from "../src/i18n/en";
import { ago, pickLocale } from "../src/i18n";
import { errorText, fieldErrors } from "../src/ui/errors";

const SOURCES = import.meta.glob<string>("../../crates/hallpass-core/src/**/*.rs", {
  query: "?raw",
  import: "default",
  eager: true,
});

type Tree = { [key: string]: Tree | string | ((...values: never[]) => string) };

/** Every text by its path, those with gaps filled in. */
function texts(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    const here = `${path}.${key}`;
    if (typeof value === "string") return [[here, value]];
    if (typeof value === "object") return texts(value, here);
    const call = value as (...values: unknown[]) => string;
    return [[here, [1, 2].map((gap) => call(gapFor(here, gap), gap)).join(" ")]];
  });
}

/** Most gaps take a number; these, text. */
function gapFor(path: string, gap: number): unknown {
  return /other|guessable|optional|sent|Sent|signedOut|endOf|\.on|joined/.test(path) ? `x${gap}` : gap;
}

test("both languages have the same texts, and none is empty", () => {
  const [english, german] = [texts(en), texts(de)];
  expect(german.map(([path]) => path)).toEqual(english.map(([path]) => path));
  for (const [path, text] of [...english, ...german]) expect(text.trim(), path).not.toBe("");
});

test("the German texts are translated", () => {
  const german = new Map(texts(de));
  const same = texts(en).filter(([path, text]) => text.includes(" ") && german.get(path) === text);
  expect(same.map(([path]) => path)).toEqual([".activity.other"]);
});

/** The values that the interface allows for a member. */
function valuesOf(schema: string, member: string): string[] {
  return JSON.parse(openapi).components.schemas[schema].properties[member].enum;
}

test("every reason for which a session ends has words", () => {
  for (const cause of valuesOf("Problem", "cause")) expect(en.activity.causes, cause).toHaveProperty(cause);
});

test("every failure that a person can cause has words", () => {
  const forPrograms = [
    "invalid_request",
    "validation_failed",
    "method_not_allowed",
    "payload_too_large",
    "unsupported_media_type",
    "client_invalid",
    "token_invalid",
    "token_expired",
    "token_stale",
    "origin_not_allowed",
    "csrf_failed",
  ];
  for (const code of valuesOf("Problem", "code")) {
    if (!forPrograms.includes(code)) expect(en.errors.byCode, code).toHaveProperty(code);
  }
});

/** What is wrong with a value: the codes that come in answers. */
function fieldCodes(): Set<string> {
  const field = /(?:\w+|"\w+"|format!\("[^"]*"\)),\s*/.source;
  const made = new RegExp(`\\b(?:FieldError::new|wrong|refused)\\(\\s*(?:${field})?"(\\w+)",\\s*(?:detail\\b|format!|"[A-Z])`, "g");
  const codes = Object.values(SOURCES).flatMap((source) => [...source.matchAll(made)].map(([, code]) => code ?? ""));
  return new Set(codes);
}

test("every value that is not allowed has words, and no others do", () => {
  const ofForms = ["no_json", "no_integer"];
  expect(Object.keys(en.errors.byFieldCode).toSorted()).toEqual([...fieldCodes(), ...ofForms].toSorted());
});

function validation(...errors: { field: string; code: string; detail: string }[]) {
  return new HallpassError({ code: "validation_failed", errors });
}

test("what the server says in English is not shown among German", () => {
  const [field, detail] = ["new_password", "Add another word or two."];
  const weak = validation({ field, code: "password_too_short", detail }, { field, code: "password_too_guessable", detail });
  expect(fieldErrors(en, weak)).toEqual({ [field]: `This password is too short. ${detail}` });
  expect(fieldErrors(de, weak)[field]).toMatch(/^Dieses Passwort ist zu kurz\. Das ist leicht zu erraten\./);
  const later = validation({ field, code: "password_stolen", detail });
  expect(fieldErrors(en, later)).toEqual({ [field]: detail });
  expect(fieldErrors(de, later)[field]).not.toContain(detail);
  const whole = new HallpassError({ code: "csrf_failed", detail });
  expect(errorText(en, whole)).toBe(detail);
  expect(errorText(de, whole)).not.toContain(detail);
});

test("what is wrong is said at the field that it is about", () => {
  const wrong = new HallpassError({ code: "password_incorrect" });
  expect(fieldErrors(en, wrong)).toEqual({ current_password: "This is not your current password." });
});

test("the first language is taken that the pages speak", () => {
  expect(pickLocale([null, "fr", "de-AT", "en"])).toBe("de");
  expect(pickLocale(["EN-gb"])).toBe("en");
  expect(pickLocale(["fr", "den"])).toBe("en");
  expect(pickLocale([])).toBe("en");
});

test("times are said as people say them", () => {
  expect(ago("en", 1000, 1000)).toBe("now");
  expect(ago("en", 1000, 1030)).toBe("now");
  expect(ago("en", 1000, 1000 + 5 * 60)).toBe("5 minutes ago");
  expect(ago("de", 0, 86_400)).toBe("gestern");
});
