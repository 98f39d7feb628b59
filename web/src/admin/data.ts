// What the pages ask the server, and what follows when they change something.

import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, ask, type components, hallpass } from "../hallpass";
import type { EventsSearch, PeopleSearch, SessionsSearch } from "./search";

type Schemas = components["schemas"];

export type Account = Schemas["AdminAccount"];
export type Session = Schemas["AdminSession"];
export type Event = Schemas["AdminEvent"];
export type Key = Schemas["AdminKey"];
export type Mail = Schemas["AdminMail"];
export type Bucket = Schemas["Bucket"];

/** Entries of a page. */
const LIMIT = 25;
/** The most that the server gives at once. */
export const MOST = 100;
const ADMIN = "admin";

export const accessQuery = queryOptions({
  queryKey: [ADMIN, "access"],
  queryFn: () => ask(api.GET("/api/v1/admin/access")),
});

export function peopleQuery(query: PeopleSearch) {
  return queryOptions({
    queryKey: [ADMIN, "accounts", query],
    queryFn: () => ask(api.GET("/api/v1/admin/accounts", { params: { query: { ...query, limit: LIMIT } } })),
    placeholderData: keepPreviousData,
  });
}

export function personQuery(id: number) {
  return queryOptions({
    queryKey: [ADMIN, "account", id],
    queryFn: () => ask(api.GET("/api/v1/admin/accounts/{id}", { params: { path: { id } } })),
  });
}

export function sessionsQuery(query: SessionsSearch) {
  return queryOptions({
    queryKey: [ADMIN, "sessions", query],
    queryFn: () => ask(api.GET("/api/v1/admin/sessions", { params: { query: { ...query, limit: LIMIT } } })),
    placeholderData: keepPreviousData,
  });
}

export function eventsQuery({ since, until, ...rest }: EventsSearch, limit = LIMIT) {
  const from = since && { since: beginOf(since) };
  // The server counts the end in: the last second of the day.
  const to = until && { until: beginOf(until, 1) - 1 };
  const query = { ...rest, ...from, ...to, limit };
  return queryOptions({
    queryKey: [ADMIN, "events", query],
    queryFn: () => ask(api.GET("/api/v1/admin/events", { params: { query } })),
    placeholderData: keepPreviousData,
  });
}

/** When a day (`2026-12-31`) begins here, or the one so many days later, in seconds since 1970. */
export function beginOf(day: string, later = 0): number {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime() / 1000;
}

export const keysQuery = queryOptions({
  queryKey: [ADMIN, "keys"],
  queryFn: () => ask(api.GET("/api/v1/admin/keys")),
});

export const mailQuery = queryOptions({
  queryKey: [ADMIN, "outbox"],
  queryFn: () => ask(api.GET("/api/v1/admin/outbox", { params: { query: { limit: MOST } } })),
});

export function statisticsQuery(days: number) {
  return queryOptions({
    queryKey: [ADMIN, "statistics", days],
    queryFn: () => ask(api.GET("/api/v1/admin/statistics", { params: { query: { days } } })),
    placeholderData: keepPreviousData,
  });
}

/** Sends a change and resolves once everything that is shown has been asked for again. */
export function useChange() {
  const client = useQueryClient();
  return async function change<T>(request: Parameters<typeof ask<T>>[0], concerns?: number): Promise<T> {
    try {
      return await ask(request);
    } finally {
      // Whoever changed their own account has other rights and another name now, on all pages.
      if (concerns === hallpass.user?.id) await hallpass.refresh().catch(() => {});
      await client.invalidateQueries({ queryKey: [ADMIN] });
    }
  };
}
