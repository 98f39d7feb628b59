// What all pages are wrapped in.

import { Button, MantineProvider, Stack, Text, Title } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { NONCE } from "./base";
import { LanguageProvider, useMessages } from "./i18n";
import { queryClient } from "./query";
import { router } from "./router";
import { makeTheme, makeVariables } from "./theme";

/** The pages of a server whose operator chose `color`. */
export function App({ color }: { color: string | null }) {
  return (
    <Frame color={color}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </Frame>
  );
}

/** What there is to see as long as the server does not answer at all. */
export function Unreachable({ retry }: { retry: () => void }) {
  return (
    <Frame color={null}>
      <Sorry retry={retry} />
    </Frame>
  );
}

function Sorry({ retry }: { retry: () => void }) {
  const t = useMessages();
  return (
    <Stack component="main" align="center" justify="center" mih="100dvh" p="md" role="alert">
      <title>{t.ui.unreachable}</title>
      <Title order={1}>{t.ui.unreachable}</Title>
      <Text ta="center">{t.ui.unreachableLead}</Text>
      <Button onClick={retry}>{t.ui.retry}</Button>
    </Stack>
  );
}

function Frame({ color, children }: { color: string | null; children: ReactNode }) {
  const theme = useMemo(() => makeTheme(color), [color]);
  const variables = useMemo(() => makeVariables(color), [color]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => NONCE}
    >
      <LanguageProvider>{children}</LanguageProvider>
    </MantineProvider>
  );
}
