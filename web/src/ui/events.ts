// What happened to an account, in words.

import type { Messages } from "../i18n";

interface Happened {
  event: string;
  cause: string | null;
}

/** What happened; the name of the event itself for one that a later version of the server brings. */
export function eventText(t: Messages, { event }: Happened): string {
  const known: Record<string, string> = t.activity.events;
  return known[event] ?? t.activity.other(event);
}

/** Why, or which; nothing where that says nothing more. */
export function causeText(t: Messages, { event, cause }: Happened): string | null {
  if (!cause || event === "impersonated") return null;
  const known: Record<string, string> = event === "mail_sent" ? t.activity.mails : t.activity.causes;
  return known[cause] ?? cause;
}
