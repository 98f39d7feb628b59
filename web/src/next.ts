// Where to go after signing in.

/** Letters that browsers drop from addresses, or take for a slash. */
const TREACHEROUS = /[\\\p{Cc}\p{Z}]/u;

/**
 * Whether somebody may be sent to `next`: a path of this server, or an address at one of the `origins`, which are
 * spelled exactly as the server lists them. Everything else could lead to somebody else's page.
 */
export function isAllowed(next: string, origins: readonly string[]): boolean {
  if (TREACHEROUS.test(next)) return false;
  if (next.startsWith("/")) return !next.startsWith("//");
  return origins.some((origin) => next === origin || next.startsWith(`${origin}/`));
}
