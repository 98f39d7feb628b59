// Mails that have not gone out.

import { Alert, Text } from "@mantine/core";
import { IconCheck, IconMailOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../hallpass";
import { useConfiguration } from "../query";
import { mailText } from "../ui/events";
import { Page } from "../ui/Page";
import { type Mail as Waiting, mailQuery, MOST, useChange } from "./data";
import { Ask } from "./parts/Ask";
import { type Column, Listing } from "./parts/Listing";
import { When } from "./parts/When";
import { useIsSuperuser } from "./rights";
import { useWords } from "./words";

export function Mail() {
  const words = useWords();
  const w = words.mail;
  const { mail } = useConfiguration();
  const { data, error } = useQuery(mailQuery);
  const isSuperuser = useIsSuperuser();
  const [retried, setRetried] = useState<number>();
  const change = useChange();
  const retry = async () => setRetried((await change(api.POST("/api/v1/admin/outbox/retry"))).retried);
  const columns: Column<Numbered>[] = [
    { label: w.kind, cell: ({ kind }) => mailText(words.events, kind) },
    { label: w.created, cell: ({ created_at }) => <When at={created_at} /> },
    { label: w.attempts, cell: ({ attempts }) => attempts },
    { label: w.due, cell: ({ due_at }) => <Due at={due_at} /> },
    { label: w.error, cell: ({ last_error }) => last_error ?? w.noError },
  ];
  const rows = data?.mails.map((mail, number) => ({ ...mail, number }));
  const hasGivenUp = data?.mails.some(({ due_at }) => due_at === null);
  const button = isSuperuser && hasGivenUp && (
    <Ask label={w.retry} title={w.retryTitle} action={retry}>
      {w.retryText}
    </Ask>
  );
  return (
    <Page title={words.parts.mail} lead={w.lead} actions={button} width={1200}>
      {!mail && <Alert icon={<IconMailOff aria-hidden />}>{w.off}</Alert>}
      {retried !== undefined && (
        <Alert color="teal" role="status" icon={<IconCheck aria-hidden />}>
          {w.retried(retried)}
        </Alert>
      )}
      <Listing
        caption={w.caption}
        columns={columns}
        rows={rows}
        error={error}
        id={({ number }) => number}
        empty={w.empty}
      />
      {rows?.length === MOST && <Text c="dimmed">{w.first(MOST)}</Text>}
      {!isSuperuser && hasGivenUp && <Text c="dimmed">{w.onlySuperuser}</Text>}
    </Page>
  );
}

/** The server gives mails no names. */
type Numbered = Waiting & { number: number };

function Due({ at }: { at: number | null }) {
  const w = useWords().mail;
  if (at === null) return <Text span inherit c="red">{w.givenUp}</Text>;
  return at * 1000 <= Date.now() ? w.now : <When at={at} />;
}
