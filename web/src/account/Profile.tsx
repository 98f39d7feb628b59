// How the person is called.

import { NativeSelect, SimpleGrid, Text, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { api, ask, hallpass } from "../hallpass";
import { LANGUAGE_NAMES, useFormats, useLanguage, useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { usePerson } from "../root";
import { Form, text } from "../ui/Form";
import { Page } from "../ui/Page";
import { ProfileFields, readProfile } from "../ui/ProfileFields";
import { Section } from "./Section";
import "@mantine/core/styles/SimpleGrid.layer.css";

export function Profile(): ReactNode {
  const t = useMessages();
  const formats = useFormats();
  const user = usePerson();
  const configuration = useConfiguration();
  const { locale, choose } = useLanguage();

  const save = async (values: FormData) => {
    const body = {
      first_name: text(values, "first_name"),
      last_name: text(values, "last_name"),
      locale: text(values, "locale"),
      profile: readProfile(configuration.profile, values, "removed"),
    };
    await ask(api.PATCH("/api/v1/me", { body }));
    await hallpass.refresh();
    // What was chosen here counts from now on, not what was once clicked below a page.
    choose(null);
  };

  return (
    <Page title={t.account.tabs.profile} lead={t.profile.lead}>
      <Section>
        {user.username && (
          <div>
            <Text fw={600}>
              {t.profile.username}
            </Text>
            <Text>{user.username}</Text>
          </div>
        )}
        <Form button={t.ui.save} action={save} done={t.ui.saved}>
          {(errors) => (
            <>
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput
                  name="first_name"
                  label={t.profile.firstName}
                  autoComplete="given-name"
                  maxLength={150}
                  defaultValue={user.first_name}
                  error={errors.first_name}
                />
                <TextInput
                  name="last_name"
                  label={t.profile.lastName}
                  autoComplete="family-name"
                  maxLength={150}
                  defaultValue={user.last_name}
                  error={errors.last_name}
                />
              </SimpleGrid>
              <NativeSelect
                name="locale"
                label={t.profile.language}
                description={t.profile.languageHint}
                defaultValue={user.locale?.split("-")[0] ?? locale}
                data={configuration.locales.map((value) => ({ value, label: languageName(value) }))}
                error={errors.locale}
              />
              <ProfileFields values={user.profile} errors={errors} />
            </>
          )}
        </Form>
      </Section>
      <Text c="dimmed" size="sm">
        {t.profile.joined(formats.date(user.date_joined))}
      </Text>
    </Page>
  );
}

/** The name of a language in itself. */
function languageName(tag: string): string {
  const known: Record<string, string> = LANGUAGE_NAMES;
  return known[tag] ?? new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
}
