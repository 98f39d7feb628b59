// What the server refused, in the language of the page.

import { HallpassError } from "@hallpass/client";
import type { Messages } from "../i18n/en";

/** Failures that are about one field, and its name in the forms. */
const FIELD_OF: Record<string, string> = {
  username_taken: "username",
  email_taken: "email",
  password_incorrect: "current_password",
};

/** A sentence for a person: by the code where the pages have words for it. */
export function errorText(t: Messages, error: unknown): string {
  if (!(error instanceof HallpassError)) return t.errors.byCode.internal;
  if (error.errors.length > 0) return Object.values(fieldErrors(t, error)).join(" ");
  const known: Record<string, string | ((seconds: number) => string)> = t.errors.byCode;
  const text = known[error.code] ?? t.errors.other(error.detail);
  return typeof text === "string" ? text : text(error.retryAfter ?? 1);
}

/** What is wrong, by the names of the fields. */
export function fieldErrors(t: Messages, error: unknown): Record<string, string> {
  if (!(error instanceof HallpassError)) return {};
  const field = FIELD_OF[error.code];
  if (field) return { [field]: errorText(t, error) };
  const sentences: Record<string, string> = {};
  for (const { field: name, code, detail } of error.errors) {
    const before = sentences[name] ? `${sentences[name]} ` : "";
    sentences[name] = before + fieldText(t, code, detail);
  }
  return sentences;
}

function fieldText(t: Messages, code: string, detail: string): string {
  const known: Record<string, string | ((detail: string) => string)> = t.errors.byFieldCode;
  const text = known[code] ?? t.errors.other;
  return typeof text === "string" ? text : text(detail);
}
