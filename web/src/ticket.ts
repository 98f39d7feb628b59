// The secret of a mailed link. It stands behind the `#`, which browsers send to no server; it is taken out of the
// address bar at once, before anything else runs, and kept in memory only.

import { useSyncExternalStore } from "react";

const PREFIX = "#token=";

interface Ticket {
  token: string;
  /** The page that it was for. */
  path: string;
}

let ticket: Ticket | null = null;
const listeners = new Set<() => void>();

function set(next: Ticket | null) {
  ticket = next;
  for (const listener of listeners) listener();
}

/** Takes the secret out of the address, which changes nothing yet. */
export function takeTicket() {
  if (!location.hash.startsWith(PREFIX)) return;
  const token = location.hash.slice(PREFIX.length);
  history.replaceState(history.state, "", location.pathname + location.search);
  set({ token, path: location.pathname });
}

// A second link that is opened in this tab changes no more than what stands behind the `#`.
addEventListener("hashchange", takeTicket);
takeTicket();

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The secret with which this page was opened; `null` without one. */
export function useTicket(): string | null {
  return useSyncExternalStore(subscribe, () => (ticket?.path === location.pathname ? ticket.token : null));
}

/** For when the secret was used up. */
export function forgetTicket() {
  set(null);
}
