/** The devices where the account is signed in, and ending them. */
import { useEffect, useRef, useState } from "react";
import { HallpassError } from "@hallpass/client";
import type { Hallpass, components } from "@hallpass/client";
import { deviceOf } from "./device.js";
import { useShared } from "./context.js";
import { useSubmit } from "./submit.js";

type Session = components["schemas"]["Session"];

/** Lists the devices with a button for each that signs it out, and one for all but this. */
export function SessionList({ className }: { className?: string }) {
  const { client, text } = useShared();
  const section = useRef<HTMLElement>(null);
  const [sessions, setSessions] = useState<readonly Session[]>();
  const { submit, pending, failure } = useSubmit(
    async (ended?: Session | "others") => {
      if (ended) await end(client, ended);
      return read(client);
    },
    (read) => {
      // The button that had the focus may be gone.
      if (sessions) section.current?.focus();
      setSessions(read);
    },
  );
  useEffect(() => void submit(undefined), [client]);

  if (!sessions && !failure) return null;
  return (
    <section
      ref={section}
      data-hallpass="sessions"
      className={className}
      aria-label={text("sessions")}
      aria-busy={pending}
      tabIndex={-1}
    >
      {failure && <p role="alert">{failure.message}</p>}
      <ul>
        {sessions?.map((session) => (
          <Device key={session.id} session={session} end={() => void submit(session)} />
        ))}
      </ul>
      {sessions && sessions.length > 1 && (
        <button type="button" onClick={() => void submit("others")}>
          {text("session.end_others")}
        </button>
      )}
    </section>
  );
}

function Device({ session, end }: { session: Session; end: () => void }) {
  const { text, date } = useShared();
  const { browser, system } = deviceOf(session.user_agent);
  const known = browser && system ? text("session.on", { browser, system }) : (browser ?? system);
  const device = known ?? text("session.unknown");
  return (
    <li data-current={session.current || undefined}>
      <strong>{device}</strong> {session.current && <em>{text("session.current")}</em>}
      <p>
        {text("session.since", { date: date(session.created_at) })}
        {" · "}
        {text("session.used", { date: date(session.last_used_at) })}
        {session.ip && ` · ${session.ip}`}
      </p>
      <button type="button" aria-label={text("session.end_of", { device })} onClick={end}>
        {text("session.end")}
      </button>
    </li>
  );
}

async function read(client: Hallpass): Promise<readonly Session[]> {
  if (client.user === null) return [];
  const { data, error } = await client.api.GET("/api/v1/sessions");
  if (error) throw new HallpassError(error);
  return data.sessions;
}

async function end(client: Hallpass, ended: Session | "others") {
  if (ended !== "others" && ended.current) return void (await client.signOut());
  const { error } = await (ended === "others"
    ? client.api.DELETE("/api/v1/sessions")
    : client.api.DELETE("/api/v1/sessions/{id}", { params: { path: { id: ended.id } } }));
  // A session that is gone already is what was asked for.
  if (error && error.code !== "not_found") throw new HallpassError(error);
}
