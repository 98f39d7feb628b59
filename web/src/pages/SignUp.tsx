// Making an account, with the fields that the operator wants.

import { Checkbox, TextInput } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { hallpass } from "../hallpass";
import { useLanguage, useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { Form, raw, text } from "../ui/Form";
import { NewPasswordField } from "../ui/PasswordField";
import { ProfileFields, readProfile } from "../ui/ProfileFields";
import { Card, PageLink } from "./Card";
import { MailSent } from "./mailed";

const route = getRouteApi("/signup");

export function SignUp(): ReactNode {
  const t = useMessages();
  const configuration = useConfiguration();
  const { locale } = useLanguage();
  const { next } = route.useSearch();
  const [mailedTo, setMailedTo] = useState<string | null>(null);

  const signUp = async (values: FormData) => {
    // What is left empty is left out.
    const typed = ["username", "email"].map((name) => [name, text(values, name)]);
    const result = await hallpass.signUp({
      ...Object.fromEntries(typed.filter(([, value]) => value)),
      password: raw(values, "password"),
      remember: values.has("remember"),
      profile: readProfile(configuration.profile, values, "left out"),
      locale,
    });
    if (result.status === "verify_email") setMailedTo(text(values, "email"));
  };

  const signInLink = (
    <PageLink to="/login" search={next === undefined ? {} : { next }}>
      {t.login.button}
    </PageLink>
  );
  if (mailedTo) return <MailSent text={t.signup.sent(mailedTo)} />;
  if (!configuration.sign_up) return <Card title={t.signup.title} lead={t.signup.closed} below={signInLink} />;
  return (
    <Card
      title={t.signup.title}
      below={
        <>
          {t.signup.haveOne} {signInLink}
        </>
      }
    >
      <Form button={t.signup.button} action={signUp} fullWidth>
        {(errors) => (
          <>
            <NameField presence={configuration.username} error={errors.username} />
            <EmailField presence={configuration.email} error={errors.email} />
            <NewPasswordField error={errors.password} />
            <ProfileFields values={{}} errors={errors} />
            <Checkbox name="remember" label={t.login.remember} />
          </>
        )}
      </Form>
    </Card>
  );
}

interface PresenceProps {
  presence: "required" | "optional" | "off";
  error: string | undefined;
}

function NameField({ presence, error }: PresenceProps) {
  const t = useMessages();
  if (presence === "off") return null;
  return (
    <TextInput
      name="username"
      label={presence === "required" ? t.signup.username : t.signup.optional(t.signup.username)}
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      maxLength={150}
      required={presence === "required"}
      error={error}
    />
  );
}

function EmailField({ presence, error }: PresenceProps) {
  const t = useMessages();
  if (presence === "off") return null;
  return (
    <TextInput
      name="email"
      type="email"
      label={presence === "required" ? t.signup.email : t.signup.optional(t.signup.email)}
      autoComplete="email"
      maxLength={254}
      required={presence === "required"}
      error={error}
    />
  );
}
