// What access tokens are signed with.

import { Alert, Badge, Code, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../hallpass";
import { Page } from "../ui/Page";
import { type Key, keysQuery, useChange } from "./data";
import { Ask } from "./parts/Ask";
import { type Column, Listing } from "./parts/Listing";
import { When } from "./parts/When";
import { useIsSuperuser } from "./rights";
import { useWords } from "./words";
import "@mantine/core/styles/Badge.layer.css";
import "@mantine/core/styles/Code.layer.css";

const COLORS: Record<string, string> = { current: "teal", next: "blue", retired: "gray", revoked: "red" };

export function Keys() {
  const words = useWords();
  const w = words.keys;
  const { data, error } = useQuery(keysQuery);
  const isSuperuser = useIsSuperuser();
  const [isRotated, setRotated] = useState(false);
  const change = useChange();
  const rotate = async () => {
    await change(api.POST("/api/v1/admin/keys/rotate"));
    setRotated(true);
  };
  const columns: Column<Key>[] = [
    { label: w.kid, cell: ({ kid }) => <Code>{kid}</Code> },
    { label: w.state, cell: ({ state }) => <State state={state} /> },
    { label: w.algorithm, cell: ({ algorithm }) => algorithm },
    { label: w.created, cell: ({ created_at }) => <When at={created_at} /> },
    { label: w.since, cell: ({ current_since }) => (current_since ? <When at={current_since} /> : "–") },
    { label: w.retired, cell: ({ retired_at }) => (retired_at ? <When at={retired_at} /> : "–") },
  ];
  const button = isSuperuser && (
    <Ask label={w.rotate} title={w.rotateTitle} action={rotate}>
      <Text>{w.rotateText}</Text>
      <Text mt="sm">{w.rotateWarning}</Text>
    </Ask>
  );
  return (
    <Page title={words.parts.keys} lead={w.lead} actions={button} width={1200}>
      {isRotated && (
        <Alert color="teal" role="status" icon={<IconCheck aria-hidden />}>
          {w.rotated}
        </Alert>
      )}
      <Listing
        caption={w.caption}
        columns={columns}
        rows={data?.keys}
        error={error}
        id={({ kid }) => kid}
        empty={w.empty}
      />
      {!isSuperuser && <Text c="dimmed">{w.onlySuperuser}</Text>}
    </Page>
  );
}

function State({ state }: { state: string }) {
  const w = useWords().keys;
  const names: Record<string, string> = w.states;
  const explained: Record<string, string> = w.explained;
  return (
    <>
      <Badge variant="dot" tt="none" color={COLORS[state] ?? "gray"}>
        {names[state] ?? state}
      </Badge>
      <Text size="sm" c="dimmed" maw="22rem">
        {explained[state]}
      </Text>
    </>
  );
}
