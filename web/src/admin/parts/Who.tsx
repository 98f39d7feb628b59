import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Event } from "../data";
import { useWords } from "../words";

interface WhoProps {
  id: number;
  /** What the person is called, if that is known. */
  name?: string | null;
}

/** Somebody, with the way to their account. */
export function Who({ id, name }: WhoProps) {
  const w = useWords();
  return (
    <Anchor
      inherit
      renderRoot={(props) => <Link {...props} to="/admin/people/$id" params={{ id: String(id) }} preload={false} />}
    >
      {name || w.unknownAccount(id)}
    </Anchor>
  );
}

/** What only the owner does, who is not signed in yet at that moment. */
const OWNERS = ["signed_in", "signed_up", "password_reset", "email_verified", "deletion_cancelled"];

/** Who did something: `account 12`, say, as the server spells it. */
export function Actor({ event: { event, actor, account_id } }: { event: Event }) {
  const words = useWords().events;
  const w = words.actors;
  const [kind, id = ""] = actor.split(" ");
  if (event === "mail_sent") return words.server;
  if (kind === "account" && Number(id) === account_id) return w.self;
  if (kind === "anonymous" && OWNERS.includes(event)) return w.self;
  if (kind === "account") return <Who id={Number(id)} />;
  if (kind === "client") return w.client(id);
  if (kind === "operator") return w.operator;
  return kind === "anonymous" ? w.anonymous : actor;
}
