// Letting somebody in and keeping them out.

import { Alert, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../../hallpass";
import { useConfiguration } from "../../query";
import { nameOf } from "../../ui/name";
import { type Account, useChange } from "../data";
import { Ask } from "../parts/Ask";
import { Section } from "../parts/Section";
import { useWords } from "../words";

export function Access({ account }: { account: Account }) {
  const w = useWords().person;
  const change = useChange();
  const [done, setDone] = useState<string>();
  const path = { params: { path: { id: account.id } } };
  const name = nameOf(account);
  /** Sends it, and says afterwards that it is done. */
  const act = (request: () => Parameters<typeof change>[0], text: string) => async () => {
    setDone(undefined);
    await change(request(), account.id);
    setDone(text);
  };
  return (
    <Section title={w.actions}>
      <Stack gap="sm" role="group" aria-label={w.actions}>
        {done && (
          <Alert color="teal" role="status" icon={<IconCheck aria-hidden />}>
            {done}
          </Alert>
        )}
        <Reset
          account={account}
          action={act(() => api.POST("/api/v1/admin/accounts/{id}/password-reset", path), w.resetSent)}
        />
        <Ask
          label={w.endSessions}
          title={w.endSessionsTitle}
          action={act(() => api.DELETE("/api/v1/admin/accounts/{id}/sessions", path), w.endedSessions)}
          danger
        >
          {w.endSessionsText}
        </Ask>
        {account.is_active ? (
          <Ask
            label={w.deactivate}
            title={w.deactivateTitle(name)}
            action={act(() => api.POST("/api/v1/admin/accounts/{id}/deactivate", path), w.deactivated)}
            danger
          >
            {w.deactivateText}
          </Ask>
        ) : (
          <Ask
            label={w.activate}
            title={w.activateTitle(name)}
            action={act(() => api.POST("/api/v1/admin/accounts/{id}/activate", path), w.activated)}
          >
            {w.activateText}
          </Ask>
        )}
      </Stack>
    </Section>
  );
}

/** A link by which the person sets a password, or why none can be sent. */
function Reset({ account, action }: { account: Account; action: () => Promise<void> }) {
  const w = useWords().person;
  const { mail } = useConfiguration();
  const { email, is_active } = account;
  if (!mail || !email || !is_active) {
    return (
      <Text size="sm" c="dimmed">
        {!mail ? w.resetMailOff : !email ? w.resetNoAddress : w.resetInactive}
      </Text>
    );
  }
  return (
    <Ask label={w.reset} title={w.resetTitle} action={action}>
      {w.resetText(email)}
    </Ask>
  );
}
