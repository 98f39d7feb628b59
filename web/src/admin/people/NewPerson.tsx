// Making an account for somebody else.

import { Alert, Checkbox, Stack, TextInput } from "@mantine/core";
import { IconLock, IconMailOff } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../../hallpass";
import { useConfiguration } from "../../query";
import { Form, text } from "../../ui/Form";
import { Page } from "../../ui/Page";
import { ProfileFields, readProfile } from "../../ui/ProfileFields";
import { useChange } from "../data";
import { Section } from "../parts/Section";
import { useIsSuperuser } from "../rights";
import { useWords } from "../words";
import { LocaleField, NameFields } from "./fields";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The account was made a moment ago: whether a link that sets a password was mailed. */
    created?: "mailed" | "plain";
  }
}

export function NewPerson() {
  const w = useWords();
  const configuration = useConfiguration();
  const navigate = useNavigate();
  const change = useChange();
  const isSuperuser = useIsSuperuser();

  const create = async (values: FormData) => {
    const said = (name: "username" | "email" | "locale") => {
      const typed = text(values, name);
      return typed ? { [name]: typed } : {};
    };
    const body = {
      ...said("username"),
      ...said("email"),
      ...said("locale"),
      first_name: text(values, "first_name"),
      last_name: text(values, "last_name"),
      profile: readProfile(configuration.profile, values, "left out"),
      email_verified: values.has("email_verified"),
      is_staff: values.has("is_staff"),
      is_superuser: values.has("is_superuser"),
      roles: text(values, "roles").split(/\s+/).filter(Boolean),
    };
    const { id, email } = await change(api.POST("/api/v1/admin/accounts", { body }));
    // The server mails the link by itself.
    const created = email && configuration.mail ? "mailed" : "plain";
    await navigate({ to: "/admin/people/$id", params: { id: String(id) }, state: { created } });
  };

  return (
    <Page title={w.create.title} lead={w.create.lead} width={720}>
      {!configuration.mail && (
        <Alert color="orange" icon={<IconMailOff aria-hidden />}>
          {w.create.noMail}
        </Alert>
      )}
      {isSuperuser ? (
        <Section title={w.person.facts}>
          <Form button={w.create.button} action={create}>
            {(errors) => (
              <>
                <SignInFields errors={errors} />
                <NameFields first="" last="" errors={errors} />
                <LocaleField value={null} error={errors.locale} />
                <ProfileFields values={{}} errors={errors} />
                <RightsFields errors={errors} />
              </>
            )}
          </Form>
        </Section>
      ) : (
        <Alert color="gray" icon={<IconLock aria-hidden />}>
          {w.create.onlySuperuser}
        </Alert>
      )}
    </Page>
  );
}

interface FieldsProps {
  errors: Record<string, string>;
}

function SignInFields({ errors }: FieldsProps) {
  const w = useWords();
  const { username, email } = useConfiguration();
  const label = (name: string, presence: string) => (presence === "required" ? name : w.create.optional(name));
  const plain = { autoComplete: "off", autoCapitalize: "none", spellCheck: false, withAsterisk: false } as const;
  return (
    <>
      {username !== "off" && (
        <TextInput
          {...plain}
          name="username"
          label={label(w.person.username, username)}
          required={username === "required"}
          maxLength={150}
          error={errors.username}
        />
      )}
      {email !== "off" && (
        <>
          <TextInput
            {...plain}
            name="email"
            label={label(w.person.email, email)}
            required={email === "required"}
            inputMode="email"
            maxLength={254}
            error={errors.email}
          />
          <Checkbox name="email_verified" label={w.create.verified} description={w.create.verifiedHint} />
        </>
      )}
    </>
  );
}

function RightsFields({ errors }: FieldsProps) {
  const w = useWords();
  return (
    <Stack component="fieldset" gap="sm" m={0} p={0} bd={0}>
      <TextInput
        name="roles"
        label={w.create.optional(w.person.roles)}
        description={w.create.rolesHint}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        error={errors.roles ?? errors.role}
      />
      <Checkbox name="is_staff" label={w.person.staff} description={w.person.staffLead} />
      <Checkbox name="is_superuser" label={w.person.superuser} description={w.person.superuserLead} />
    </Stack>
  );
}
