// One account: what it is, what it may do, where it is signed in and what happened to it.

import { Alert, Anchor, Group } from "@mantine/core";
import { IconChevronLeft, IconInfoCircle, IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { HallpassError } from "../../hallpass";
import { usePerson } from "../../root";
import { FormError } from "../../ui/FormError";
import { Loading } from "../../ui/Loading";
import { nameOf } from "../../ui/name";
import { Page } from "../../ui/Page";
import { type Account, eventsQuery, personQuery, sessionsQuery } from "../data";
import { EventListing } from "../parts/EventListing";
import { Section } from "../parts/Section";
import { SessionListing } from "../parts/SessionListing";
import { useIsSuperuser, useMayChange } from "../rights";
import { useWords } from "../words";
import { Access } from "./Access";
import { RightsBadges, StatusBadge } from "./badges";
import { ProfileForm, SignInForm } from "./edit";
import { PersonFacts } from "./PersonFacts";
import classes from "./people.module.css";
import { Roles } from "./Roles";
import { Standing } from "./Standing";

/** Events that are shown at once. */
const LATEST = 10;

export function Person() {
  const words = useWords();
  const w = words.person;
  const id = Number(useParams({ from: "/user/admin/people/$id" }).id);
  const isId = Number.isSafeInteger(id) && id > 0;
  const { data, error } = useQuery({ ...personQuery(id), enabled: isId });
  const isMissing = !isId || (error instanceof HallpassError && error.code === "not_found");
  if (isMissing) {
    return (
      <Page title={w.missing} lead={w.missingLead} width={1200}>
        <Back />
      </Page>
    );
  }
  if (!data) {
    return error ? (
      <Page title={words.parts.people} width={1200}>
        <FormError error={error} />
      </Page>
    ) : (
      <Loading />
    );
  }
  return <Details key={id} account={data} />;
}

function Back() {
  return (
    <Anchor component={Link} to="/admin/people" size="sm" style={{ alignSelf: "flex-start" }}>
      <Group gap={4}>
        <IconChevronLeft size={16} aria-hidden />
        {useWords().person.back}
      </Group>
    </Anchor>
  );
}

function Details({ account }: { account: Account }) {
  const w = useWords().person;
  const isSuperuser = useIsSuperuser();
  const mayChange = useMayChange(account);
  const isSelf = usePerson().id === account.id;
  return (
    <Page title={nameOf(account)} actions={<Back />} width={1200}>
      <Group gap="xs">
        <StatusBadge account={account} />
        <RightsBadges account={account} />
      </Group>
      <Created />
      {isSelf && <Alert icon={<IconInfoCircle aria-hidden />}>{w.self}</Alert>}
      {!mayChange && (
        <Alert color="gray" icon={<IconLock aria-hidden />}>
          {w.protected}
        </Alert>
      )}
      <div className={classes.columns}>
        <div className={classes.column}>
          <PersonFacts account={account} />
          {mayChange && <Access account={account} />}
          {isSuperuser && <Standing account={account} />}
        </div>
        <div className={classes.column}>
          {mayChange && <ProfileForm account={account} />}
          {isSuperuser && <SignInForm account={account} />}
          {isSuperuser && <Roles account={account} />}
        </div>
      </div>
      <Sessions id={account.id} mayEnd={mayChange} />
      <Events id={account.id} />
    </Page>
  );
}

/** What somebody sees who has just made the account. */
function Created() {
  const w = useWords().create;
  const created = useLocation({ select: ({ state }) => state.created });
  if (!created) return null;
  const texts = { mailed: w.created, plain: w.createdOnly };
  return (
    <Alert color={created === "mailed" ? "teal" : "orange"} role="status" icon={<IconInfoCircle aria-hidden />}>
      {texts[created]}
    </Alert>
  );
}

function Sessions({ id, mayEnd }: { id: number; mayEnd: boolean }) {
  const w = useWords().person;
  const { data, error } = useQuery(sessionsQuery({ account: id }));
  const more = data?.next && (
    <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/admin/sessions" search={{ account: id }} />}>
      {w.allSessions}
    </Anchor>
  );
  return (
    <Section title={w.sessions} lead={w.sessionsLead} actions={more}>
      <SessionListing rows={data?.sessions} error={error} ofOne mayEnd={mayEnd} />
    </Section>
  );
}

function Events({ id }: { id: number }) {
  const w = useWords().person;
  const { data, error } = useQuery(eventsQuery({ account: id }, LATEST));
  const more = data?.next && (
    <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/admin/events" search={{ account: id }} />}>
      {w.allEvents}
    </Anchor>
  );
  return (
    <Section title={w.events} actions={more}>
      <EventListing rows={data?.events} error={error} ofOne />
    </Section>
  );
}
