// What happened to the account.

import { Button, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleDot,
  IconKey,
  IconLogin2,
  IconLogout,
  IconMail,
  type TablerIcon,
} from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ask, type components } from "../hallpass";
import { useMessages } from "../i18n";
import { Empty } from "../ui/Empty";
import { FormError } from "../ui/FormError";
import { Loading } from "../ui/Loading";
import { Page } from "../ui/Page";
import { Time } from "../ui/Time";
import { deviceOf } from "../ui/device";
import { causeText, eventText } from "../ui/events";
import classes from "./Account.module.css";
import { Section } from "./Section";

type Event = components["schemas"]["Event"];

/** How many are read at once. */
const LIMIT = 30;

const ICONS: Record<string, TablerIcon> = {
  signed_up: IconLogin2,
  signed_in: IconLogin2,
  session_ended: IconLogout,
  sign_in_failed: IconAlertTriangle,
  password_locked: IconAlertTriangle,
  impersonated: IconAlertTriangle,
  password_changed: IconKey,
  password_reset: IconKey,
  password_set: IconKey,
  mail_sent: IconMail,
  email_verified: IconMail,
  email_changed: IconMail,
};

export function Activity(): ReactNode {
  const t = useMessages();
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["activity"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: before }) =>
      ask(api.GET("/api/v1/activity", { params: { query: { limit: LIMIT, ...(before ? { before } : {}) } } })),
    // If there are as many as were asked for, there may be more.
    getNextPageParam: ({ events }) => (events.length === LIMIT ? events.at(-1)?.id : undefined),
  });
  const events = data?.pages.flatMap((page) => page.events);
  return (
    <Page title={t.account.tabs.activity} lead={t.activity.lead}>
      {!events && !error && <Loading />}
      {events && (
        <Section>
          {events.length === 0 && <Empty>{t.activity.empty}</Empty>}
          <ul className={classes.rows}>
            {events.map((event) => (
              <Happened key={event.id} event={event} />
            ))}
          </ul>
        </Section>
      )}
      <FormError error={error} />
      {hasNextPage && (
        <Button
          variant="default"
          loading={isFetchingNextPage}
          onClick={() => fetchNextPage()}
          style={{ alignSelf: "center" }}
        >
          {t.activity.more}
        </Button>
      )}
    </Page>
  );
}

function Happened({ event }: { event: Event }) {
  const t = useMessages();
  const Icon = ICONS[event.event] ?? IconCircleDot;
  // An administrator's number is nobody's business.
  const cause = event.cause && event.event !== "impersonated" && causeText(t.activity, event.event, event.cause);
  const device = event.user_agent && deviceOf(t, event.user_agent);
  const where = [device, event.ip, event.by === "operator" && t.activity.byOperator].filter(Boolean);
  return (
    <li>
      <Icon className={classes.icon} size={20} aria-hidden />
      <div className={classes.what}>
        <Text>
          <Text span fw={550}>
            {eventText(t.activity, event.event)}
          </Text>
          {cause && `: ${cause}`}
        </Text>
        <Text size="sm" c="dimmed">
          <Time at={event.at} />
          {where.length > 0 && ` · ${where.join(" · ")}`}
        </Text>
      </div>
    </li>
  );
}
