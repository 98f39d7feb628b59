// Changing what an account is called.

import { TextInput } from "@mantine/core";
import { api, type components } from "../../hallpass";
import { useMessages } from "../../i18n";
import { useConfiguration } from "../../query";
import { Form, text } from "../../ui/Form";
import { ProfileFields, readProfile } from "../../ui/ProfileFields";
import { type Account, useChange } from "../data";
import { Section } from "../parts/Section";
import { useWords } from "../words";
import { LocaleField, NameFields } from "./fields";

type Changes = components["schemas"]["ChangeAdminAccount"];

/** Sends what is to be changed of the account. */
function useSave({ id }: Account) {
  const change = useChange();
  return (body: Changes) => change(api.PATCH("/api/v1/admin/accounts/{id}", { params: { path: { id } }, body }), id);
}

export function ProfileForm({ account }: { account: Account }) {
  const t = useMessages();
  const w = useWords().person;
  const { profile } = useConfiguration();
  const send = useSave(account);
  const save = (values: FormData) => {
    const locale = text(values, "locale");
    return send({
      first_name: text(values, "first_name"),
      last_name: text(values, "last_name"),
      profile: readProfile(profile, values, "removed"),
      // None is not a language that one could choose.
      ...(locale ? { locale } : {}),
    });
  };
  return (
    <Section title={w.profile} lead={w.profileLead}>
      <Form button={t.ui.save} action={save} done={t.ui.saved}>
        {(errors) => (
          <>
            <NameFields first={account.first_name} last={account.last_name} errors={errors} />
            <LocaleField value={account.locale} error={errors.locale} />
            <ProfileFields values={account.profile} errors={errors} />
          </>
        )}
      </Form>
    </Section>
  );
}

export function SignInForm({ account }: { account: Account }) {
  const t = useMessages();
  const w = useWords().person;
  const { username, email } = useConfiguration();
  const send = useSave(account);
  // What stays as it is is not sent: an address that was sent again would be a new one.
  const save = (values: FormData) => {
    const changed = (name: "username" | "email") =>
      text(values, name) === (account[name] ?? "") ? {} : { [name]: text(values, name) };
    return send({ ...changed("username"), ...changed("email") });
  };
  return (
    <Section title={w.signIn} lead={w.signInLead}>
      <Form button={t.ui.save} action={save} done={t.ui.saved}>
        {(errors) => (
          <>
            {(username !== "off" || account.username) && (
              <TextInput
                name="username"
                label={w.username}
                maxLength={150}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                defaultValue={account.username ?? ""}
                error={errors.username}
              />
            )}
            {(email !== "off" || account.email) && (
              <TextInput
                name="email"
                label={w.email}
                inputMode="email"
                maxLength={254}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                defaultValue={account.email ?? ""}
                error={errors.email}
              />
            )}
          </>
        )}
      </Form>
    </Section>
  );
}
