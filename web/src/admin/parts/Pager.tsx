// Going through a list that has no page numbers: the address says where one is, the browser's history how one came.

import { Button, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useWords } from "../words";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The cursors of the pages before this one; that of the first page is empty. */
    cursors?: string[];
  }
}

interface PagerProps {
  /** Of this page; `undefined` for the first. */
  cursor: string | undefined;
  /** Of the next page; `null` if there is none, `undefined` as long as that is not known. */
  next: string | null | undefined;
}

export function Pager({ cursor, next }: PagerProps) {
  const w = useWords().pager;
  const navigate = useNavigate();
  const before = useLocation({ select: ({ state }) => state.cursors }) ?? [];
  const isFirst = cursor === undefined;
  if (isFirst && !next) return null;
  const go = (to: string | undefined, cursors: string[]) =>
    navigate({ to: ".", search: (now: object) => ({ ...now, cursor: to || undefined }), state: { cursors } });
  // Somebody who came here by a link goes back to the first page.
  const goBack = () => go(before.at(-1), before.slice(0, -1));
  const isKnown = isFirst || before.length > 0;
  return (
    <Group component="nav" aria-label={w.label} justify="space-between" wrap="nowrap">
      <Step disabled={isFirst} onClick={goBack} left>
        {isKnown ? w.previous : w.first}
      </Step>
      <Text size="sm" c="dimmed" role="status">
        {isKnown && w.page(before.length + 1)}
      </Text>
      <Step disabled={!next} onClick={() => go(next ?? undefined, [...before, cursor ?? ""])}>
        {w.next}
      </Step>
    </Group>
  );
}

interface StepProps {
  disabled: boolean;
  onClick: () => void;
  left?: boolean;
  children: string;
}

/** A button that keeps the focus where there is nothing further. */
function Step({ disabled, onClick, left = false, children }: StepProps) {
  const icon = left ? <IconChevronLeft size={18} aria-hidden /> : <IconChevronRight size={18} aria-hidden />;
  return (
    <Button
      variant="default"
      {...(left ? { leftSection: icon } : { rightSection: icon })}
      data-disabled={disabled || undefined}
      aria-disabled={disabled}
      onClick={() => !disabled && onClick()}
    >
      {children}
    </Button>
  );
}
