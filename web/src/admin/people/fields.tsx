// Fields that an account has, whether it is there already or not.

import { NativeSelect, SimpleGrid, TextInput } from "@mantine/core";
import { useLanguage } from "../../i18n";
import { useConfiguration } from "../../query";
import { useWords } from "../words";
import "@mantine/core/styles/SimpleGrid.layer.css";

interface NameFieldsProps {
  first: string;
  last: string;
  errors: Record<string, string>;
}

export function NameFields({ first, last, errors }: NameFieldsProps) {
  const w = useWords().person;
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }}>
      <TextInput
        name="first_name"
        label={w.firstName}
        maxLength={150}
        autoComplete="off"
        defaultValue={first}
        error={errors.first_name}
      />
      <TextInput
        name="last_name"
        label={w.lastName}
        maxLength={150}
        autoComplete="off"
        defaultValue={last}
        error={errors.last_name}
      />
    </SimpleGrid>
  );
}

/** The language of mails: one that the server writes, or the one that the account has already. */
export function LocaleField({ value, error }: { value: string | null; error: string | undefined }) {
  const w = useWords().person;
  const { locales } = useConfiguration();
  const names = new Intl.DisplayNames([useLanguage().locale], { type: "language" });
  const all = value === null || locales.includes(value) ? locales : [...locales, value];
  return (
    <NativeSelect
      name="locale"
      label={w.language}
      defaultValue={value ?? ""}
      data={[
        ...(value === null ? [{ value: "", label: w.noLanguage }] : []),
        ...all.map((tag) => ({ value: tag, label: names.of(tag) ?? tag })),
      ]}
      error={error}
    />
  );
}
