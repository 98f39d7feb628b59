// Pages that are not there, and those that broke.

import { Button } from "@mantine/core";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { hallpass } from "../hallpass";
import { useMessages } from "../i18n";
import { FormError } from "../ui/FormError";
import { Page } from "../ui/Page";

export function NotFound(): ReactNode {
  const t = useMessages();
  return (
    <Page title={t.ui.notFound} lead={t.ui.notFoundLead} width={560}>
      <Button component={Link} to="/account" style={{ alignSelf: "flex-start" }}>
        {t.ui.home}
      </Button>
    </Page>
  );
}

export function Broken({ error }: ErrorComponentProps): ReactNode {
  const t = useMessages();
  const router = useRouter();
  const retry = async () => {
    if (hallpass.user === undefined) await hallpass.refresh().catch(() => {});
    await router.invalidate();
  };
  return (
    <Page title={t.ui.broken} width={560}>
      <FormError error={error} />
      <Button onClick={retry} style={{ alignSelf: "flex-start" }}>
        {t.ui.retry}
      </Button>
    </Page>
  );
}
