// What happened to an account, in words: others for its owner than for somebody who looks after accounts.

/** The words, by the server's names. */
export interface EventTexts {
  kinds: Record<string, string>;
  causes: Record<string, string>;
  mails: Record<string, string>;
  other: (event: string) => string;
}

/** What happened; a later version of the server may know events that we do not. */
export function eventText(words: EventTexts, event: string): string {
  return words.kinds[event] ?? words.other(event);
}

/** Why it happened, or which mail it was; a role, a key or a program is called what it is called. */
export function causeText(words: EventTexts, event: string, cause: string): string {
  if (/^(role|key|client)_/.test(event)) return cause;
  return event === "mail_sent" ? mailText(words, cause) : (words.causes[cause] ?? cause);
}

/** What a mail is for. */
export function mailText({ mails }: Pick<EventTexts, "mails">, kind: string): string {
  return mails[kind] ?? kind;
}
