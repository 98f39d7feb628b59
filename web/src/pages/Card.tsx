// One thing to do, in the middle of the page.

import { Anchor, Container, Paper, Stack, Text } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Heading } from "../ui/Page";
import classes from "./Card.module.css";

interface CardProps {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  /** Where else to go from here, below the card. */
  below?: ReactNode;
}

export function Card({ title, lead, children, below }: CardProps) {
  return (
    <Container size={460} className={classes.place}>
      <Paper className={classes.card}>
        <Stack gap="lg">
          <Stack gap={6}>
            <Heading title={title} />
            {lead && <Text c="dimmed">{lead}</Text>}
          </Stack>
          {children}
        </Stack>
      </Paper>
      {below && (
        <Text className={classes.below} c="dimmed" component="div">
          {below}
        </Text>
      )}
    </Container>
  );
}

/** A link to another of the pages. */
export function PageLink({ children, ...to }: LinkProps & { children: ReactNode }) {
  return (
    <Anchor component={Link} className={classes.link} {...to}>
      {children}
    </Anchor>
  );
}
