// Sign-ins, failures, sign-ups, refreshes and revocations over time, as lines or as a table.

import { LineChart } from "@mantine/charts";
import { Button, Table, useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { IconChartLine, IconTable } from "@tabler/icons-react";
import { useState } from "react";
import { useFormats, useLanguage } from "../../i18n";
import type { Bucket } from "../data";
import { Section } from "../parts/Section";
import { useWords } from "../words";
import classes from "./overview.module.css";
import "@mantine/core/styles/Table.layer.css";
import "@mantine/charts/styles.layer.css";

type Series = Exclude<keyof Bucket, "at">;

const ALL: readonly Series[] = ["signed_in", "sign_in_failed", "signed_up", "refreshed", "revoked"];

/**
 * Lines that are told apart without seeing colours: each has its own dashes, and the colours (for light and for dark
 * pages) differ in lightness too.
 */
const LINES: Record<Series, { dashes: string; light: string; dark: string }> = {
  signed_in: { dashes: "", light: "#1c4fa0", dark: "#8ab8ff" },
  sign_in_failed: { dashes: "7 4", light: "#c2410c", dark: "#ffb26b" },
  signed_up: { dashes: "2 3", light: "#0f8f73", dark: "#3fd0a8" },
  refreshed: { dashes: "", light: "#1c4fa0", dark: "#8ab8ff" },
  revoked: { dashes: "", light: "#c2410c", dark: "#ffb26b" },
};

interface ChartsProps {
  /** Seconds from one bucket to the next. */
  step: number;
  buckets: readonly Bucket[];
  /** Whether other buckets are on their way. */
  waiting: boolean;
}

export function Charts({ waiting, ...data }: ChartsProps) {
  const w = useWords().overview;
  const [isTable, setTable] = useState(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={isTable ? <IconChartLine size={18} aria-hidden /> : <IconTable size={18} aria-hidden />}
        onClick={() => setTable(!isTable)}
        style={{ alignSelf: "flex-end" }}
      >
        {isTable ? w.chart : w.table}
      </Button>
      <div className={waiting ? classes.waiting : undefined} aria-busy={waiting}>
        {isTable ? (
          <Figures {...data} />
        ) : (
          <div className={classes.charts}>
            <div className={classes.first}>
              <Chart {...data} title={w.signIn} lead={w.signInLead} series={ALL.slice(0, 3)} height={260} />
            </div>
            <Chart {...data} title={w.refreshed} lead={w.refreshedLead} series={["refreshed"]} height={180} />
            <Chart {...data} title={w.revoked} lead={w.revokedLead} series={["revoked"]} height={180} />
          </div>
        )}
      </div>
    </>
  );
}

type DataProps = Omit<ChartsProps, "waiting">;

interface ChartProps extends DataProps {
  title: string;
  lead: string;
  series: readonly Series[];
  /** In pixels. */
  height: number;
}

function Chart({ title, lead, series, height, step, buckets }: ChartProps) {
  const w = useWords().overview;
  const { number } = useFormats();
  const { short } = useBucketTimes(step);
  const scheme = useComputedColorScheme("light");
  const names = series.map((name) => w.series[name]);
  return (
    <Section title={title} lead={lead}>
      <div>
        <ul className={classes.legend}>
          {series.map((name) => (
            <li key={name}>
              <Sample name={name} color={LINES[name][scheme]} />
              {w.series[name]} <strong>{number(total(buckets, name))}</strong>
            </li>
          ))}
        </ul>
        <LineChart
          h={height}
          role="img"
          aria-label={w.chartOf(names.join(", "))}
          data={buckets.map((bucket) => ({ ...bucket, time: short(bucket.at) }))}
          dataKey="time"
          series={series.map((name) => ({
            name,
            label: w.series[name],
            color: LINES[name][scheme],
            strokeDasharray: LINES[name].dashes,
          }))}
          curveType="linear"
          withDots={false}
          valueFormatter={number}
          accessibilityLayer={false}
          lineProps={{ isAnimationActive: false }}
          yAxisProps={{ allowDecimals: false, width: 48 }}
          xAxisProps={{ minTickGap: 24, interval: "preserveStartEnd" }}
        />
      </div>
    </Section>
  );
}

/** A piece of the line, for the legend. */
function Sample({ name, color }: { name: Series; color: string }) {
  return (
    <svg width="28" height="8" aria-hidden>
      <line x1="0" x2="28" y1="4" y2="4" stroke={color} strokeWidth="2.5" strokeDasharray={LINES[name].dashes} />
    </svg>
  );
}

function total(buckets: readonly Bucket[], name: Series): number {
  return buckets.reduce((sum, bucket) => sum + bucket[name], 0);
}

/** The same figures, the latest first. */
function Figures({ step, buckets }: DataProps) {
  const w = useWords().overview;
  const { number } = useFormats();
  const { long, isHourly } = useBucketTimes(step);
  return (
    // Whoever steers by keyboard scrolls it with the arrows.
    <div className={classes.table} tabIndex={0} role="region" aria-label={w.caption}>
      <Table stickyHeader>
        <Table.Caption p={0}>
          <VisuallyHidden>{w.caption}</VisuallyHidden>
        </Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{isHourly ? w.hour : w.day}</Table.Th>
            {ALL.map((name) => (
              <Table.Th key={name} scope="col">
                {w.series[name]}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {buckets.toReversed().map((bucket) => (
            <Table.Tr key={bucket.at}>
              <Table.Th scope="row" fw="normal">
                {long(bucket.at)}
              </Table.Th>
              {ALL.map((name) => (
                <Table.Td key={name}>{number(bucket[name])}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

const HOUR = 3600;

/** How the time of a bucket is written. Hours are those of the reader; days are the server's, which are UTC. */
function useBucketTimes(step: number) {
  const { locale } = useLanguage();
  const isHourly = step <= HOUR;
  const short = new Intl.DateTimeFormat(
    locale,
    isHourly
      ? { weekday: "short", hour: "2-digit", minute: "2-digit" }
      : { day: "numeric", month: "short", timeZone: "UTC" },
  );
  const long = new Intl.DateTimeFormat(
    locale,
    isHourly ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "full", timeZone: "UTC" },
  );
  return {
    isHourly,
    short: (at: number) => short.format(at * 1000),
    long: (at: number) => long.format(at * 1000),
  };
}
