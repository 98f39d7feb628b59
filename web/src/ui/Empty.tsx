import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** There is nothing here, and why. */
export function Empty({ children, icon }: { children: ReactNode; icon?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" c="dimmed">
      {icon}
      <Text ta="center">{children}</Text>
    </Stack>
  );
}
