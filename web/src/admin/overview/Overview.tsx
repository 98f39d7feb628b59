// How much there is, how much happens, and what happened last.

import { Anchor, Paper, SegmentedControl, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useFormats } from "../../i18n";
import { FormError } from "../../ui/FormError";
import { Page } from "../../ui/Page";
import { eventsQuery, mailQuery, MOST, statisticsQuery } from "../data";
import { EventListing } from "../parts/EventListing";
import { Section } from "../parts/Section";
import { RANGES } from "../search";
import { useWords } from "../words";
import { Charts } from "./Charts";
import classes from "./overview.module.css";
import "@mantine/core/styles/FloatingIndicator.layer.css";
import "@mantine/core/styles/SegmentedControl.layer.css";
import "@mantine/core/styles/Skeleton.layer.css";

/** Events that are shown. */
const LATEST = 8;
/** Milliseconds after which the numbers are asked for again while somebody looks on. */
const EVERY_MINUTE = 60_000;

export function Overview() {
  const words = useWords();
  const w = words.overview;
  const { days = 7 } = useSearch({ from: "/user/admin/" });
  const { data, error, isPlaceholderData } = useQuery({ ...statisticsQuery(days), refetchInterval: EVERY_MINUTE });
  return (
    <Page title={words.parts.overview} lead={w.lead} actions={<Range days={days} />} width={1200}>
      <Figures accounts={data?.accounts} sessions={data?.sessions} />
      <FormError error={error} />
      {data ? (
        <Charts step={data.step} buckets={data.buckets} waiting={isPlaceholderData} />
      ) : (
        !error && <Skeleton height="42rem" />
      )}
      <Latest />
    </Page>
  );
}

function Range({ days }: { days: number }) {
  const w = useWords().overview;
  const navigate = useNavigate({ from: "/admin" });
  const choose = (value: string) =>
    navigate({ search: { days: RANGES.find((range) => String(range) === value) }, replace: true, resetScroll: false });
  return (
    <SegmentedControl
      aria-label={w.since}
      value={String(days)}
      onChange={choose}
      data={RANGES.map((range) => ({ value: String(range), label: w.ranges[range] }))}
    />
  );
}

interface FiguresProps {
  accounts: number | undefined;
  sessions: number | undefined;
}

function Figures({ accounts, sessions }: FiguresProps) {
  const w = useWords().overview;
  const { number } = useFormats();
  const waiting = useQuery({ ...mailQuery, refetchInterval: EVERY_MINUTE }).data?.mails.length;
  const show = (value: number | undefined) => value !== undefined && number(value);
  const mails = waiting === MOST ? w.waitingMany(MOST) : show(waiting);
  return (
    <section className={classes.figures} aria-label={w.figures}>
      <Figure label={w.accounts} value={show(accounts)} to="/admin/people" />
      <Figure label={w.sessions} value={show(sessions)} to="/admin/sessions" />
      <Figure label={w.waiting} value={mails} to="/admin/mail" />
    </section>
  );
}

interface FigureProps {
  label: string;
  value: ReactNode;
  to: "/admin/people" | "/admin/sessions" | "/admin/mail";
}

function Figure({ label, value, to }: FigureProps) {
  return (
    <Paper component={Link} to={to} withBorder p="md" className={classes.figure ?? ""}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <div className={classes.number}>{value || <Skeleton height="1.9rem" width="4rem" my="0.3rem" />}</div>
    </Paper>
  );
}

function Latest() {
  const w = useWords().overview;
  const { data, error } = useQuery({ ...eventsQuery({}, LATEST), refetchInterval: EVERY_MINUTE });
  const all = (
    <Anchor component={Link} to="/admin/events" size="sm">
      {w.allEvents}
    </Anchor>
  );
  return (
    <Section title={w.latest} actions={all}>
      <EventListing rows={data?.events} error={error} />
    </Section>
  );
}
