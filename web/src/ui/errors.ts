// What the server refused, in the language of the page.

import { HallpassError } from "../hallpass";
import type { Messages } from "../i18n/en";

/** A sentence for a person: by the code where the pages have words for it, otherwise what the server says. */
export function errorText(t: Messages, error: unknown): string {
  if (!(error instanceof HallpassError)) return t.errors.byCode.internal;
  if (error.errors.length > 0) return Object.values(fieldErrors(t, error)).join(" ");
  const known: Record<string, string | ((seconds: number) => string)> = t.errors.byCode;
  const text = known[error.code] ?? error.detail;
  return typeof text === "string" ? text : text(error.retryAfter ?? 1);
}

/** The sentence for each member of the request that is not allowed. */
export function fieldErrors(t: Messages, error: unknown): Record<string, string> {
  if (!(error instanceof HallpassError)) return {};
  const taken: Record<string, string> = { username_taken: "username", email_taken: "email", email_unchanged: "email" };
  const field = taken[error.code];
  if (field) return { [field]: errorText(t, error) };
  const known: Record<string, string> = t.errors.byFieldCode;
  const sentences: Record<string, string> = {};
  for (const { field: name, code, detail } of error.errors) {
    const before = sentences[name] ? `${sentences[name]} ` : "";
    sentences[name] = before + (known[code] ?? detail);
  }
  return sentences;
}
