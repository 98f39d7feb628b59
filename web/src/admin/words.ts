// The texts of the administration, and what the server's names are called in them.

import { useTexts } from "../i18n";
import { de } from "./messages/de";
import { en, type Messages } from "./messages/en";

const TEXTS = { en, de };

export function useWords(): Messages {
  return useTexts(TEXTS);
}

/** What happened, in words; a later version of the server may know events that we do not. */
export function eventWords(w: Messages, event: string): string {
  const known: Record<string, string> = w.events.kinds;
  return known[event] ?? w.events.other(event);
}

/** Why it happened, or which mail it was, in words; a role or a key is called what it is called. */
export function causeWords(w: Messages, event: string, cause: string): string {
  const known: Record<string, string> = event === "mail_sent" ? w.mails : w.events.causes;
  const isName = /^(role|key|client)_/.test(event);
  return isName ? cause : (known[cause] ?? cause);
}

export function mailWords(w: Messages, kind: string): string {
  const known: Record<string, string> = w.mails;
  return known[kind] ?? kind;
}
