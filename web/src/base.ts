// What the server has written into the page.

function meta(name: string): HTMLMetaElement | null {
  return document.querySelector(`meta[${name}]`);
}

/** The path in front of every path of the server: empty, or `/auth` say. */
export const BASE = meta("name=base")?.content ?? "";

/** What a style of this page must carry; no script may read it out of the attribute, only the property has it. */
export const NONCE = meta("property=csp-nonce")?.nonce ?? "";
