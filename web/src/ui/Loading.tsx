import { Center, Loader, VisuallyHidden } from "@mantine/core";
import { useMessages } from "../i18n";

/** Something is on its way. */
export function Loading() {
  const t = useMessages();
  return (
    <Center p="xl" role="status">
      <Loader aria-hidden />
      <VisuallyHidden>{t.ui.loading}</VisuallyHidden>
    </Center>
  );
}
