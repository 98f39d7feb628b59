import { Alert } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMessages } from "../i18n";
import { errorText } from "./errors";

/** What went wrong, said at once to those who hear the page; nothing if nothing did. */
export function FormError({ error }: { error: unknown }) {
  const t = useMessages();
  if (!error) return null;
  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle aria-hidden />}>
      {errorText(t, error)}
    </Alert>
  );
}
