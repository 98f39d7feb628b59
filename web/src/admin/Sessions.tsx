// Where anybody is signed in.

import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { nameOf } from "../ui/name";
import { Page } from "../ui/Page";
import { personQuery, sessionsQuery } from "./data";
import { Pager } from "./parts/Pager";
import { SessionListing } from "./parts/SessionListing";
import { useWords } from "./words";

export function Sessions() {
  const w = useWords();
  const search = useSearch({ from: "/user/admin/sessions" });
  const { data, error, isPlaceholderData } = useQuery(sessionsQuery(search));
  const { account } = search;
  const person = useQuery({ ...personQuery(account ?? 0), enabled: account !== undefined }).data;
  const lead = account === undefined ? w.sessions.lead : (
    <>
      {w.sessions.leadOf(person ? nameOf(person) : w.unknownAccount(account))}{" "}
      <Anchor underline="always" renderRoot={(props) => <Link {...props} to="/admin/sessions" search={{}} />}>{w.sessions.all}</Anchor>
    </>
  );
  return (
    <Page title={w.parts.sessions} lead={lead} width={1200}>
      <SessionListing rows={data?.sessions} error={error} waiting={isPlaceholderData} mayEnd />
      <Pager cursor={search.cursor} next={isPlaceholderData ? undefined : data?.next} />
    </Page>
  );
}
