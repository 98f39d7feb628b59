// What the addresses of the pages say after the `?`: which part of a list is shown. What they do not know they ignore.

type Raw = Record<string, unknown>;

export const STATUSES = ["active", "deactivated", "deletion"] as const;
export const LEVELS = ["staff", "superuser"] as const;
export const ORDERS = ["newest", "oldest"] as const;
/** Days that the charts reach back. */
export const RANGES = [2, 7, 30, 90] as const;

export interface PeopleSearch {
  search?: string;
  status?: (typeof STATUSES)[number];
  verified?: boolean;
  role?: string;
  level?: (typeof LEVELS)[number];
  order?: (typeof ORDERS)[number];
  cursor?: string;
}

export interface SessionsSearch {
  account?: number;
  cursor?: string;
}

export interface EventsSearch {
  account?: number;
  event?: string;
  /** Days as `2026-12-31`, both included. */
  since?: string;
  until?: string;
  cursor?: string;
}

export interface OverviewSearch {
  days?: (typeof RANGES)[number];
}

/** Text; addresses that somebody typed may have a number there. */
function text(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;
}

function oneOf<T>(known: readonly T[], value: unknown): T | undefined {
  return known.find((one) => one === value);
}

function account(value: unknown): number | undefined {
  const id = Number(value);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

function day(value: unknown): string | undefined {
  return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined;
}

/** Without what is not said, so that addresses stay short. */
function said<T extends object>(search: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

export function peopleSearch(raw: Raw): PeopleSearch {
  return said<PeopleSearch>({
    search: text(raw.search),
    status: oneOf(STATUSES, raw.status),
    verified: oneOf([true, false], raw.verified),
    role: text(raw.role),
    level: oneOf(LEVELS, raw.level),
    order: oneOf(ORDERS, raw.order),
    cursor: text(raw.cursor),
  });
}

export function sessionsSearch(raw: Raw): SessionsSearch {
  return said<SessionsSearch>({ account: account(raw.account), cursor: text(raw.cursor) });
}

export function eventsSearch(raw: Raw): EventsSearch {
  return said<EventsSearch>({
    account: account(raw.account),
    event: text(raw.event),
    since: day(raw.since),
    until: day(raw.until),
    cursor: text(raw.cursor),
  });
}

export function overviewSearch(raw: Raw): OverviewSearch {
  return said<OverviewSearch>({ days: oneOf(RANGES, raw.days) });
}
