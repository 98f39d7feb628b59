// Taking one's data away, and oneself.

import { Button, Modal, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { farewell } from "../farewell";
import { api, ask, hallpass } from "../hallpass";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { Form, raw } from "../ui/Form";
import { FormError } from "../ui/FormError";
import { Page } from "../ui/Page";
import { CurrentPasswordField } from "../ui/PasswordField";
import { Section } from "./Section";
import "@mantine/core/styles/Overlay.layer.css";
import "@mantine/core/styles/ModalBase.layer.css";
import "@mantine/core/styles/Modal.layer.css";

export function Data(): ReactNode {
  const t = useMessages();
  return (
    <Page title={t.account.tabs.data}>
      <Export />
      <Deletion />
    </Page>
  );
}

function Export() {
  const t = useMessages();
  const { mutate, error, isPending } = useMutation({
    mutationFn: async () => save("account.json", await ask(api.GET("/api/v1/me/export"))),
  });
  return (
    <Section title={t.data.exportTitle} lead={t.data.exportLead}>
      <FormError error={error} />
      <Button
        variant="default"
        loading={isPending}
        leftSection={<IconDownload size={18} aria-hidden />}
        onClick={() => mutate()}
        style={{ alignSelf: "flex-start" }}
      >
        {t.data.export}
      </Button>
    </Section>
  );
}

/** Lets the browser save `data` as a file. */
function save(name: string, data: unknown) {
  const file = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Deletion() {
  const t = useMessages();
  const { deletion_grace_days: grace } = useConfiguration();
  const [opened, setOpened] = useState(false);
  const remove = async (values: FormData) => {
    await ask(api.POST("/api/v1/account-deletion", { body: { password: raw(values, "current_password") } }));
    farewell.accountIsToBeDeleted = true;
    // Every session has ended; asking for another token finds that out.
    await hallpass.refresh().catch(() => {});
  };
  return (
    <Section title={t.data.deleteTitle} lead={t.data.deleteLead(grace)}>
      <Button variant="outline" color="red" onClick={() => setOpened(true)} style={{ alignSelf: "flex-start" }}>
        {t.data.delete}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t.data.deleteSure}
        centered
        closeButtonProps={{ "aria-label": t.ui.close }}
      >
        <Stack>
          <Text>{t.data.deleteLead(grace)}</Text>
          <Form button={t.data.deleteButton} action={remove} color="red.8" fullWidth>
            {(errors) => <CurrentPasswordField error={errors.current_password} />}
          </Form>
        </Stack>
      </Modal>
    </Section>
  );
}
