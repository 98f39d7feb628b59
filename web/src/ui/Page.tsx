import { Box, Container, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useConfiguration } from "../query";

interface PageProps {
  title: string;
  /** A sentence below the heading. */
  lead?: ReactNode;
  /** Buttons beside the heading. */
  actions?: ReactNode;
  /** The widest that the page gets, in pixels. */
  width?: number;
  children: ReactNode;
}

/** A page with its heading, which is where the focus goes when somebody comes here. */
export function Page({ title, lead, actions, width = 860, children }: PageProps) {
  return (
    <Container size={width} w="100%" py={{ base: "lg", sm: "xl" }} px={{ base: "md", sm: "xl" }}>
      <Stack gap="lg">
        <Group justify="space-between" align="flex-start">
          <Box>
            <Heading title={title} />
            {lead && (
              <Text c="dimmed" mt={4}>
                {lead}
              </Text>
            )}
          </Box>
          {actions}
        </Group>
        {children}
      </Stack>
    </Container>
  );
}

/** The heading, and the same words as the title of the tab. */
export function Heading({ title }: { title: string }) {
  const { product_name } = useConfiguration();
  return (
    <>
      <title>{`${title} · ${product_name}`}</title>
      <Title order={1} fz={{ base: "1.5rem", sm: "1.75rem" }} tabIndex={-1} data-heading>
        {title}
      </Title>
    </>
  );
}
