// Where to go after signing in.

/** Letters that browsers drop from addresses, or take for a slash. */
const TREACHEROUS = /[\\\p{Cc}\p{Z}]/u;

/** Stands for this server's own origin while an address is taken apart. */
const HERE = "https://here.invalid";

/**
 * Where `next` sends somebody, percent-encoded, if they may be sent there: a path of this server, or an address at one
 * of the `origins`, which are spelled exactly as the server lists them. Everything else could lead to somebody else's
 * page; a path that comes to begin with two slashes does so where a server adds a third.
 */
export function destination(next: string, origins: readonly string[]): string | null {
  if (TREACHEROUS.test(next)) return null;
  const local = next.startsWith("/") && !next.startsWith("//");
  if (!local && !origins.some((origin) => next === origin || next.startsWith(`${origin}/`))) return null;
  const { pathname, search, hash, href } = new URL(next, HERE);
  if (pathname.startsWith("//")) return null;
  return local ? pathname + search + hash : href;
}
