// Where the person is signed in.

import { Badge, Button, Group, Text } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, ask, type components } from "../hallpass";
import { useMessages } from "../i18n";
import { queryClient } from "../query";
import { Confirm } from "../ui/Confirm";
import { deviceOf, isMobile } from "../ui/device";
import { FormError } from "../ui/FormError";
import { Loading } from "../ui/Loading";
import { Page } from "../ui/Page";
import { Time } from "../ui/Time";
import classes from "./Account.module.css";
import { Section } from "./Section";
import "@mantine/core/styles/Badge.layer.css";

type Session = components["schemas"]["Session"];

const KEY = ["sessions"];

function useSessions() {
  return useQuery({ queryKey: KEY, queryFn: () => ask(api.GET("/api/v1/sessions")) });
}

const reload = () => queryClient.invalidateQueries({ queryKey: KEY });

export function Sessions(): ReactNode {
  const t = useMessages();
  const { data, error } = useSessions();
  const sessions = data?.sessions ?? [];
  return (
    <Page title={t.account.tabs.sessions} lead={t.sessions.lead}>
      <FormError error={error} />
      {!data && !error && <Loading />}
      {data && (
        <Section>
          <ul className={classes.rows}>
            {sessions.map((session) => (
              <Device key={session.id} session={session} />
            ))}
          </ul>
        </Section>
      )}
      {data && (sessions.length > 1 ? <EndOthers /> : <Text c="dimmed">{t.sessions.noOthers}</Text>)}
    </Page>
  );
}

function Device({ session }: { session: Session }) {
  const t = useMessages();
  const end = useMutation({
    mutationFn: () => ask(api.DELETE("/api/v1/sessions/{id}", { params: { path: { id: session.id } } })),
    onSuccess: reload,
  });
  const name = deviceOf(t, session.user_agent);
  const Icon = isMobile(session.user_agent) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <li>
      <Icon className={classes.icon} aria-hidden />
      <div className={classes.what}>
        <Group gap="xs">
          <Text fw={550}>{name}</Text>
          {session.current && (
            <Badge variant="light" color="teal" tt="none">
              {t.sessions.current}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {t.sessions.used} <Time at={session.last_used_at} relative />
          {session.ip && ` · ${session.ip}`}
        </Text>
        <Text size="sm" c="dimmed">
          {t.sessions.since} <Time at={session.created_at} />
        </Text>
        <FormError error={end.error} />
        {!session.current && (
          <Button
            mt="xs"
            variant="default"
            size="compact-md"
            loading={end.isPending}
            aria-label={t.sessions.endOf(name)}
            onClick={() => end.mutate()}
          >
            {t.sessions.end}
          </Button>
        )}
      </div>
    </li>
  );
}

function EndOthers() {
  const t = useMessages();
  const [opened, setOpened] = useState(false);
  const end = async () => {
    await ask(api.DELETE("/api/v1/sessions"));
    await reload();
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)} style={{ alignSelf: "flex-start" }}>
        {t.sessions.endOthers}
      </Button>
      <Confirm
        opened={opened}
        onClose={() => setOpened(false)}
        title={t.sessions.endOthersTitle}
        button={t.sessions.endOthers}
        action={end}
      >
        {t.sessions.endOthersText}
      </Confirm>
    </>
  );
}
