import { Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Account.module.css";

interface SectionProps {
  title?: string;
  lead?: ReactNode;
  children: ReactNode;
}

/** A part of a page that is about one thing. */
export function Section({ title, lead, children }: SectionProps) {
  return (
    <Paper component="section" className={classes.section}>
      <Stack gap="md">
        {title && (
          <Stack gap={4}>
            <Title order={2} fz="1.15rem">
              {title}
            </Title>
            {lead && <Text c="dimmed">{lead}</Text>}
          </Stack>
        )}
        {children}
      </Stack>
    </Paper>
  );
}
