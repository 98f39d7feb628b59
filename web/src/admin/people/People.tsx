// Everybody who has an account: looking for people and going through them.

import { Anchor, Button, Text, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { nameOf } from "../../ui/name";
import { Page } from "../../ui/Page";
import { type Account, peopleQuery } from "../data";
import { type Column, Listing } from "../parts/Listing";
import { Pager } from "../parts/Pager";
import classes from "../parts/parts.module.css";
import { When } from "../parts/When";
import { useIsSuperuser } from "../rights";
import type { PeopleSearch } from "../search";
import { useWords } from "../words";
import { RightsBadges, StatusBadge, VerifiedMark } from "./badges";
import { Filters, useFilter } from "./Filters";

export function People() {
  const words = useWords();
  const w = words.people;
  const search = useSearch({ from: "/user/admin/people" });
  const { data, error, isPlaceholderData } = useQuery(peopleQuery(search));
  const isSuperuser = useIsSuperuser();
  const columns = useColumns(search);
  const create = isSuperuser && (
    <Button component={Link} to="/admin/people/new" leftSection={<IconUserPlus size={18} aria-hidden />}>
      {w.create}
    </Button>
  );
  const { order: _, cursor: __, ...narrowing } = search;
  return (
    <Page title={words.parts.people} lead={w.lead} actions={create} width={1200}>
      <Filters search={search} />
      <Listing
        caption={w.caption}
        columns={columns}
        rows={data?.accounts}
        error={error}
        waiting={isPlaceholderData}
        id={({ id }) => id}
        empty={Object.keys(narrowing).length > 0 ? w.empty : w.emptyAll}
      />
      <Pager cursor={search.cursor} next={isPlaceholderData ? undefined : data?.next} />
    </Page>
  );
}

function useColumns({ order }: PeopleSearch): Column<Account>[] {
  const words = useWords();
  const w = words.people;
  return [
    { label: w.name, cell: (account) => <Name account={account} /> },
    { label: w.address, cell: (account) => <Address account={account} /> },
    { label: w.status, cell: (account) => <StatusBadge account={account} /> },
    { label: w.roles, cell: (account) => <RightsBadges account={account} /> },
    { label: w.lastLogin, cell: ({ last_login }) => (last_login === null ? words.never : <When at={last_login} />) },
    {
      label: w.joined,
      head: <SortButton />,
      sort: order === "oldest" ? "ascending" : "descending",
      cell: ({ date_joined }) => <When at={date_joined} />,
    },
  ];
}

function Name({ account }: { account: Account }) {
  const name = nameOf(account);
  return (
    <>
      <Anchor
        className={classes.cover ?? ""}
        fw={550}
        inherit
        renderRoot={(props) => (
          <Link {...props} to="/admin/people/$id" params={{ id: String(account.id) }} preload={false} />
        )}
      >
        {name}
      </Anchor>
      {account.username && account.username !== name && (
        <Text size="sm" c="dimmed" fw="normal">
          {account.username}
        </Text>
      )}
    </>
  );
}

function Address({ account }: { account: Account }) {
  if (!account.email) return "–";
  return (
    <span className={classes.address}>
      {account.email} <VerifiedMark verified={account.email_verified} />
    </span>
  );
}

/** Turns the order round. */
function SortButton() {
  const w = useWords().people;
  const { order } = useSearch({ from: "/user/admin/people" });
  const set = useFilter();
  const isOldest = order === "oldest";
  const Arrow = isOldest ? IconArrowUp : IconArrowDown;
  const what = isOldest ? w.sortOldest : w.sortNewest;
  return (
    <UnstyledButton
      className={classes.sort ?? ""}
      title={what}
      aria-label={`${w.joined}: ${what}`}
      onClick={() => set({ order: isOldest ? undefined : "oldest" })}
    >
      {w.joined}
      <Arrow size={16} aria-hidden />
    </UnstyledButton>
  );
}
