// What happened, with why and by whom.

import { Text } from "@mantine/core";
import { useMessages } from "../../i18n";
import { deviceOf } from "../../ui/device";
import { causeText, eventText } from "../../ui/events";
import type { Event } from "../data";
import { useWords } from "../words";
import { type Column, Listing } from "./Listing";
import { When } from "./When";
import { Actor, Who } from "./Who";

interface EventListingProps {
  rows: readonly Event[] | undefined;
  error: unknown;
  waiting?: boolean;
  /** Whether they are all about one account, which the page names already. */
  ofOne?: boolean;
}

export function EventListing({ ofOne = false, ...list }: EventListingProps) {
  const w = useWords().events;
  const whom: Column<Event> = {
    label: w.whom,
    cell: ({ account_id }) => (account_id === null ? w.server : <Who id={account_id} />),
  };
  const columns: Column<Event>[] = [
    { label: w.event, cell: (event) => <What event={event} /> },
    ...(ofOne ? [] : [whom]),
    { label: w.by, cell: (event) => <Actor event={event} /> },
    { label: w.from, cell: (event) => <From event={event} /> },
    { label: w.when, cell: ({ at }) => <When at={at} /> },
  ];
  return <Listing {...list} caption={w.caption} columns={columns} id={({ id }) => id} empty={w.empty} />;
}

function What({ event: { event, cause } }: { event: Event }) {
  const w = useWords().events;
  return (
    <>
      <Text span inherit fw={550}>
        {eventText(w, event)}
      </Text>
      {cause && (
        <Text size="sm" c="dimmed" fw="normal">
          {causeText(w, event, cause)}
        </Text>
      )}
    </>
  );
}

function From({ event: { ip, user_agent } }: { event: Event }) {
  const t = useMessages();
  if (!ip && !user_agent) return "–";
  return (
    <>
      {user_agent && <Text span inherit title={user_agent}>{deviceOf(t, user_agent)}</Text>}
      {ip && (
        <Text size="sm" c="dimmed">
          {ip}
        </Text>
      )}
    </>
  );
}
