// Live sessions, and ending one.

import { Button, Text, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { useMessages } from "../../i18n";
import { deviceOf } from "../../ui/device";
import { type Session, useChange } from "../data";
import { usePerson } from "../../root";
import { api } from "../../hallpass";
import { Confirm } from "../../ui/Confirm";
import { useWords } from "../words";
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
  // Here and not in the row, which is another one once the table becomes cards.
  const [chosen, setChosen] = useState<Session>();
  const [opened, setOpened] = useState(false);
  const choose = (session: Session) => {
    setChosen(session);
    setOpened(true);
  };
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
    cell: (session) => (
      <Button
        variant="default"
        size="compact-sm"
        aria-label={w.endOf(deviceOf(t, session.user_agent))}
        onClick={() => choose(session)}
      >
        {w.end}
      </Button>
    ),
  };
  const columns = [...(ofOne ? [device] : [person, device]), ...others, ...(mayEnd ? [end] : [])];
  return (
    <>
      <Listing
        {...list}
        caption={w.caption}
        columns={columns}
        id={({ id }) => id}
        empty={ofOne ? w.emptyOf : w.empty}
      />
      {chosen && <End session={chosen} opened={opened} onClose={() => setOpened(false)} />}
    </>
  );
}

function Owner({ session }: { session: Session }) {
  return <Who id={session.account_id} name={session.username ?? session.email} />;
}

interface EndProps {
  session: Session;
  opened: boolean;
  onClose: () => void;
}

/** Asks before the session ends. */
function End({ session, opened, onClose }: EndProps) {
  const t = useMessages();
  const words = useWords();
  const w = words.sessions;
  const change = useChange();
  const me = usePerson();
  const device = deviceOf(t, session.user_agent);
  const who = session.username ?? session.email ?? words.unknownAccount(session.account_id);
  const { id } = session;
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={w.endTitle}
      button={w.end}
      action={() => change(api.DELETE("/api/v1/admin/sessions/{id}", { params: { path: { id } } }))}
      danger
    >
      {w.endText(device, who)}
      {session.account_id === me.id && ` ${w.endOwn}`}
    </Confirm>
  );
}
