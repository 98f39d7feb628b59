// The password, and the address at which a forgotten one is replaced.

import { Badge, Button, Group, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, ask } from "../hallpass";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { usePerson } from "../root";
import { Form, raw, text } from "../ui/Form";
import { FormError } from "../ui/FormError";
import { Page } from "../ui/Page";
import { CurrentPasswordField, NewPasswordField } from "../ui/PasswordField";
import { Section } from "./Section";
import "@mantine/core/styles/Badge.layer.css";

export function Security(): ReactNode {
  const t = useMessages();
  const { mail, email } = useConfiguration();
  return (
    <Page title={t.account.tabs.security}>
      <Password />
      {email !== "off" && (
        <Section title={t.security.email}>
          <Address />
          {mail ? <NewAddress /> : <Text c="dimmed">{t.security.mailOff}</Text>}
        </Section>
      )}
    </Page>
  );
}

function Password() {
  const t = useMessages();
  const user = usePerson();
  const change = (values: FormData) => {
    const body = { current_password: raw(values, "current_password"), new_password: raw(values, "new_password") };
    return ask(api.POST("/api/v1/password", { body }));
  };
  return (
    <Section title={t.security.password} lead={t.security.passwordLead}>
      <Form button={t.security.change} action={change} done={t.security.changed} clear>
        {(errors) => (
          <>
            {/* For password managers: whose password it is. */}
            <input type="hidden" autoComplete="username" value={user.username ?? user.email ?? ""} readOnly />
            <CurrentPasswordField error={errors.current_password} />
            <NewPasswordField name="new_password" label={t.security.next} error={errors.new_password} />
          </>
        )}
      </Form>
    </Section>
  );
}

/** The address, and whether its owner has shown to receive mail there. */
function Address() {
  const t = useMessages();
  const { mail } = useConfiguration();
  const { email, email_verified: verified } = usePerson();
  const resend = useMutation({
    mutationFn: (address: string) => ask(api.POST("/api/v1/verify-email/request", { body: { email: address } })),
  });
  if (!email) return <Text c="dimmed">{t.security.noEmail}</Text>;
  return (
    <>
      <Group gap="sm">
        <Text fw={500} style={{ overflowWrap: "anywhere" }}>
          {email}
        </Text>
        <Badge variant="light" color={verified ? "teal" : "orange"} tt="none">
          {verified ? t.security.verified : t.security.unverified}
        </Badge>
      </Group>
      {!verified && mail && (
        <>
          <Text>{t.security.unverifiedLead}</Text>
          <FormError error={resend.error} />
          {resend.isSuccess ? (
            <Text role="status">{t.security.resent}</Text>
          ) : (
            <Button
              variant="default"
              loading={resend.isPending}
              onClick={() => resend.mutate(email)}
              style={{ alignSelf: "flex-start" }}
            >
              {t.security.resend}
            </Button>
          )}
        </>
      )}
    </>
  );
}

function NewAddress() {
  const t = useMessages();
  const [sentTo, setSentTo] = useState("");
  const request = async (values: FormData) => {
    const email = text(values, "email");
    await ask(api.POST("/api/v1/email-change/request", { body: { email, password: raw(values, "current_password") } }));
    setSentTo(email);
  };
  return (
    <>
      <Text c="dimmed">{t.security.newEmailLead}</Text>
      <Form button={t.security.changeEmail} action={request} done={t.security.emailSent(sentTo)} clear>
        {(errors) => (
          <>
            <TextInput
              name="email"
              type="email"
              label={t.security.newEmail}
              autoComplete="email"
              maxLength={254}
              required
              error={errors.email}
            />
            <CurrentPasswordField error={errors.current_password} />
          </>
        )}
      </Form>
    </>
  );
}
