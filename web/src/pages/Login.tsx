// Signing in with a password. Where to go afterwards is decided by the route, once somebody is signed in.

import { Alert, Checkbox, Group, Stack, TextInput } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { farewell } from "../farewell";
import { hallpass, HallpassError } from "../hallpass";
import { type Messages, useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { Form, raw, text } from "../ui/Form";
import { PasswordField } from "../ui/PasswordField";
import { Card, PageLink } from "./Card";

const route = getRouteApi("/login");

export function Login(): ReactNode {
  const t = useMessages();
  const configuration = useConfiguration();
  const { next } = route.useSearch();
  const [unverified, setUnverified] = useState(false);
  const search = next === undefined ? {} : { next };

  const signIn = async (values: FormData) => {
    setUnverified(false);
    try {
      await hallpass.signIn({
        username: text(values, "username"),
        password: raw(values, "password"),
        remember: values.has("remember"),
      });
      farewell.accountIsToBeDeleted = false;
    } catch (error) {
      setUnverified(error instanceof HallpassError && error.code === "email_not_verified");
      throw error;
    }
  };

  return (
    <Card
      title={t.login.title}
      below={
        <Stack gap="xs" align="center">
          {configuration.sign_in_links && <PageLink to="/sign-in">{t.login.byMail}</PageLink>}
          {configuration.sign_up && (
            <span>
              {t.login.signUp}{" "}
              <PageLink to="/signup" search={search}>
                {t.login.signUpLink}
              </PageLink>
            </span>
          )}
        </Stack>
      }
    >
      <Why />
      <Form button={t.login.button} action={signIn} fullWidth>
        {(errors) => (
          <>
            <TextInput
              name="username"
              label={identifierLabel(t, configuration)}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              error={errors.username}
            />
            <PasswordField error={errors.password} />
            <Group justify="space-between" gap="xs">
              <Checkbox name="remember" label={t.login.remember} />
              {configuration.mail && <PageLink to="/forgot">{t.login.forgot}</PageLink>}
            </Group>
            {unverified && <PageLink to="/verify">{t.login.resend}</PageLink>}
          </>
        )}
      </Form>
    </Card>
  );
}

/** With what people sign in here. */
function identifierLabel(t: Messages, { username, email }: { username: string; email: string }): string {
  if (username === "off") return t.login.email;
  return email === "off" ? t.login.username : t.login.identifier;
}

/** Why somebody who was signed in here is not any more. */
function Why() {
  const t = useMessages();
  const { deletion_grace_days: grace } = useConfiguration();
  const [error] = useState(() => hallpass.error);
  const causes: Record<string, string> = t.activity.causes;
  const ended = error?.code === "session_ended" && t.login.signedOut(causes[String(error.cause)] ?? "");
  const why = farewell.accountIsToBeDeleted ? t.login.willBeDeleted(grace) : ended;
  return why ? (
    <Alert variant="light" role="status">
      {why}
    </Alert>
  ) : null;
}
