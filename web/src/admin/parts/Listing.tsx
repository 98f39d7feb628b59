// A list: a table where there is room for one, cards on phones.

import { Paper, Skeleton, Stack, Table, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useMessages } from "../../i18n";
import { Empty } from "../../ui/Empty";
import { FormError } from "../../ui/FormError";
import classes from "./parts.module.css";
import "@mantine/core/styles/Table.layer.css";
import "@mantine/core/styles/Skeleton.layer.css";

export interface Column<T> {
  /** What is in it; `null` where the content says so itself, as buttons do. */
  label: string | null;
  cell: (row: T) => ReactNode;
  /** What to show in place of the label above a table. */
  head?: ReactNode;
  sort?: "ascending" | "descending";
}

interface ListingProps<T> {
  /** What the list is of; for those who cannot see where it stands. */
  caption: string;
  /** The first one names the row. */
  columns: readonly Column<T>[];
  /** `undefined` as long as there was no answer. */
  rows: readonly T[] | undefined;
  id: (row: T) => string | number;
  /** What is said if there are none. */
  empty: ReactNode;
  error?: unknown;
  /** Whether these are the rows of the page before, and others are on their way. */
  waiting?: boolean;
}

/** As many rows as are drawn before the first ones are there. */
const GHOSTS = [1, 2, 3, 4, 5, 6];

export function Listing<T>({ error, rows, empty, waiting = false, ...list }: ListingProps<T>) {
  const isPhone = useMediaQuery("(max-width: 47.99em)", false, { getInitialValueInEffect: false });
  if (error && !rows) return <FormError error={error} />;
  if (!rows) return <Ghosts />;
  const Shape = isPhone ? Cards : Rows;
  return (
    <>
      <FormError error={error} />
      <div aria-busy={waiting} className={waiting ? classes.waiting : undefined}>
        {rows.length === 0 ? <Empty>{empty}</Empty> : <Shape rows={rows} {...list} />}
      </div>
    </>
  );
}

function Ghosts() {
  const t = useMessages();
  return (
    <Stack gap="xs" role="status">
      <VisuallyHidden>{t.ui.loading}</VisuallyHidden>
      {GHOSTS.map((ghost) => (
        <Skeleton key={ghost} height={44} />
      ))}
    </Stack>
  );
}

type ShapeProps<T> = Pick<ListingProps<T>, "caption" | "columns" | "id"> & { rows: readonly T[] };

function Rows<T>({ caption, columns, rows, id }: ShapeProps<T>) {
  return (
    <div className={classes.scroll}>
      <Table verticalSpacing="sm" horizontalSpacing="sm">
        <Table.Caption className={classes.caption}>
          <VisuallyHidden>{caption}</VisuallyHidden>
        </Table.Caption>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ label, head, sort }, at) => (
              <Table.Th key={label ?? at} scope="col" aria-sort={sort}>
                {head ?? label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={id(row)} className={classes.row}>
              {columns.map(({ label, cell }, at) =>
                at === 0 ? (
                  <Table.Th key={label ?? at} scope="row" fw="inherit">
                    {cell(row)}
                  </Table.Th>
                ) : (
                  <Table.Td key={label ?? at}>{cell(row)}</Table.Td>
                ),
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Cards<T>({ caption, columns, rows, id }: ShapeProps<T>) {
  const [first, ...others] = columns;
  const facts = others.filter(({ label }) => label !== null);
  const buttons = others.filter(({ label }) => label === null);
  return (
    <ul className={classes.cards} aria-label={caption}>
      {rows.map((row) => (
        <Paper component="li" key={id(row)} withBorder p="md" className={classes.card}>
          <Stack gap="xs">
            <div className={classes.head}>{first?.cell(row)}</div>
            <dl className={classes.facts}>
              {facts.map(({ label, cell }) => (
                <Fact key={label} label={label ?? ""}>
                  {cell(row)}
                </Fact>
              ))}
            </dl>
            {buttons.map(({ cell }, at) => (
              <div key={at}>{cell(row)}</div>
            ))}
          </Stack>
        </Paper>
      ))}
    </ul>
  );
}

/** Facts one below the other. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={classes.facts}>{children}</dl>;
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}
