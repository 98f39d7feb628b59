// What happened, to whom and by whom.

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { eventText } from "../ui/events";
import { Page } from "../ui/Page";
import { eventsQuery } from "./data";
import { EventListing } from "./parts/EventListing";
import { Pager } from "./parts/Pager";
import classes from "./parts/parts.module.css";
import { TypedFilter } from "./parts/TypedFilter";
import type { EventsSearch } from "./search";
import { useWords } from "./words";

const GROUPS = {
  signIn: ["signed_up", "signed_in", "sign_in_failed", "password_locked", "session_ended", "impersonated"],
  account: [
    "account_created",
    "account_changed",
    "account_deactivated",
    "account_activated",
    "password_changed",
    "password_set",
    "password_reset_ordered",
    "password_reset",
    "email_verified",
    "email_changed",
    "mail_sent",
    "deletion_scheduled",
    "deletion_cancelled",
    "account_deleted",
  ],
  rights: ["role_granted", "role_revoked", "standing_changed"],
  server: ["client_created", "client_removed", "key_rotated", "key_revoked", "mail_retried"],
} as const;

export function Events() {
  const w = useWords();
  const search = useSearch({ from: "/user/admin/events" });
  const { data, error, isPlaceholderData } = useQuery(eventsQuery(search));
  return (
    <Page title={w.parts.events} lead={w.events.lead} width={1200}>
      <Filters search={search} />
      <EventListing rows={data?.events} error={error} waiting={isPlaceholderData} />
      <Pager cursor={search.cursor} next={isPlaceholderData ? undefined : data?.next} />
    </Page>
  );
}

function Filters({ search }: { search: EventsSearch }) {
  const words = useWords();
  const w = words.events;
  const navigate = useNavigate({ from: "/admin/events" });
  const set = (changed: EventsSearch) =>
    navigate({
      search: (now: EventsSearch) => ({ ...now, ...changed, cursor: undefined }),
      replace: true,
      resetScroll: false,
    });
  const kinds = (["signIn", "account", "rights", "server"] as const).map((group) => ({
    group: w.groups[group],
    items: GROUPS[group].map((value) => ({ value, label: eventText(w, value) })),
  }));
  return (
    <search className={classes.filters} aria-label={w.filters}>
      <NativeSelect
        label={w.kind}
        value={search.event ?? ""}
        onChange={(event) => set({ event: event.currentTarget.value || undefined })}
        data={[{ value: "", label: words.any }, ...kinds]}
      />
      <TypedFilter
        label={w.account}
        inputMode="numeric"
        value={search.account === undefined ? "" : String(search.account)}
        onValue={(typed) => set({ account: /^[1-9]\d{0,14}$/.test(typed) ? Number(typed) : undefined })}
      />
      <TextInput
        type="date"
        label={w.since}
        value={search.since ?? ""}
        max={search.until}
        onChange={(event) => set({ since: event.currentTarget.value || undefined })}
      />
      <TextInput
        type="date"
        label={w.until}
        value={search.until ?? ""}
        min={search.since}
        onChange={(event) => set({ until: event.currentTarget.value || undefined })}
      />
      <Button variant="default" onClick={() => navigate({ search: {}, replace: true, resetScroll: false })}>
        {w.clear}
      </Button>
    </search>
  );
}
