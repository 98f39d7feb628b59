// Live sessions, and ending one.

import { Text, VisuallyHidden } from "@mantine/core";
import { useMessages } from "../../i18n";
import { deviceOf } from "../../ui/device";
import { type Session, useChange } from "../data";
import { usePerson } from "../../root";
import { api } from "../../hallpass";
import { useWords } from "../words";
import { Ask } from "./Ask";
import { type Column, Listing } from "./Listing";
import { When } from "./When";
import { Who } from "./Who";

interface SessionListingProps {
  rows: readonly Session[] | undefined;
  error: unknown;
  waiting?: boolean;
  /** Whether they are all of one person, whom the page names already. */
  ofOne?: boolean;
  /** Whether the caller may end them, as far as one can tell. */
  mayEnd: boolean;
}

export function SessionListing({ ofOne = false, mayEnd, ...list }: SessionListingProps) {
  const t = useMessages();
  const w = useWords().sessions;
  const device: Column<Session> = {
    label: w.device,
    cell: ({ user_agent }) => <Text title={user_agent ?? ""} span inherit>{deviceOf(t, user_agent)}</Text>,
  };
  const person: Column<Session> = { label: w.person, cell: (session) => <Owner session={session} /> };
  const others: Column<Session>[] = [
    { label: w.ip, cell: ({ ip }) => ip ?? "–" },
    { label: w.used, cell: ({ last_used_at }) => <When at={last_used_at} /> },
    { label: w.since, cell: ({ created_at }) => <When at={created_at} /> },
    { label: w.ends, cell: ({ idle_end, absolute_end }) => <When at={Math.min(idle_end, absolute_end)} /> },
  ];
  const end: Column<Session> = {
    label: null,
    head: <VisuallyHidden>{w.end}</VisuallyHidden>,
    cell: (session) => <End session={session} />,
  };
  const columns = [...(ofOne ? [device] : [person, device]), ...others, ...(mayEnd ? [end] : [])];
  return (
    <Listing
      {...list}
      caption={w.caption}
      columns={columns}
      id={({ id }) => id}
      empty={ofOne ? w.emptyOf : w.empty}
    />
  );
}

function Owner({ session }: { session: Session }) {
  return <Who id={session.account_id} name={session.username ?? session.email} />;
}

function End({ session }: { session: Session }) {
  const t = useMessages();
  const words = useWords();
  const w = words.sessions;
  const change = useChange();
  const me = usePerson();
  const device = deviceOf(t, session.user_agent);
  const who = session.username ?? session.email ?? words.unknownAccount(session.account_id);
  const { id } = session;
  return (
    <Ask
      label={w.end}
      fullLabel={w.endOf(device)}
      title={w.endTitle}
      action={() => change(api.DELETE("/api/v1/admin/sessions/{id}", { params: { path: { id } } }))}
      size="compact-sm"
      danger
    >
      {w.endText(device, who)}
      {session.account_id === me.id && ` ${w.endOwn}`}
    </Ask>
  );
}
