/** The profile: names, language, and the custom fields that the server's operator has set up. */
import { HallpassError } from "@hallpass/client";
import type { User } from "@hallpass/client";
import { useConfiguration, useShared, useUser } from "../context.js";
import type { Configuration } from "../context.js";
import { Field } from "../field.js";
import { Form } from "../form.js";
import type { FormProps, Values } from "../form.js";

/** Changes the name, the language of mails and the custom profile fields of whoever is signed in. */
export function AccountForm({ children, ...props }: FormProps) {
  const { client, text } = useShared();
  const user = useUser();
  if (!user) return null;
  return (
    <Form
      key={user.id}
      {...props}
      name="account"
      fields={({ locales }) => (
        <>
          <Field name="first_name" autoComplete="given-name" defaultValue={user.first_name} maxLength={150} />
          <Field name="last_name" autoComplete="family-name" defaultValue={user.last_name} maxLength={150} />
          <Field name="locale" options={languages(user, locales)} defaultValue={user.locale ?? ""} />
          <ProfileFields />
          {children}
        </>
      )}
      send={async ({ first_name = "", last_name = "", locale, ...values }, configuration) => {
        const profile = profileOf(values, configuration);
        const body = { first_name, last_name, profile, ...(locale && { locale }) };
        const { error } = await client.api.PATCH("/api/v1/me", { body });
        if (error) throw new HallpassError(error);
        await client.refresh();
      }}
      done={() => text("done.account")}
    />
  );
}

/** An input for each custom profile field, but for those of type `json`, which are for programs. */
export function ProfileFields() {
  const { text, has } = useShared();
  const profile: Record<string, unknown> = useUser()?.profile ?? {};
  const fields = Object.entries(useConfiguration()?.profile ?? {}).filter(([, type]) => type !== "json");
  return fields.map(([key, type]) => {
    const name = `profile.${key}`;
    const label = has(name) ? text(name) : key;
    const value = profile[key];
    if (type === "boolean") {
      return <Field key={key} name={name} label={label} type="checkbox" defaultChecked={value === true} />;
    }
    const number = type === "integer" ? ({ type: "number", inputMode: "numeric", step: 1 } as const) : {};
    const shown = value === undefined || value === null ? "" : String(value);
    return <Field key={key} name={name} label={label} defaultValue={shown} maxLength={1000} {...number} />;
  });
}

/** The custom fields among `values`, each as its type; an empty one is removed. */
export function profileOf(values: Values, { profile }: Configuration): Record<string, never> {
  const sent: Record<string, string | number | boolean | null> = {};
  for (const [key, type] of Object.entries(profile)) {
    const value = values[`profile.${key}`];
    if (value === undefined) continue;
    if (type === "boolean") sent[key] = value === "on";
    else if (value === "") sent[key] = null;
    else sent[key] = type === "integer" ? Number(value) : value;
  }
  // The interface names no fields of its own, and so its type has none.
  return sent as Record<string, never>;
}

/** The languages of the server's mails, each by its own name, and the account's whatever it is. */
function languages({ locale }: User, locales: readonly string[]): Record<string, string> {
  const tags = new Set([locale ?? "", ...locales]);
  return Object.fromEntries(
    [...tags].map((tag) => [tag, tag && (new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag)]),
  );
}
