import { Checkbox, Textarea, TextInput } from "@mantine/core";
import type { components } from "../hallpass";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { raw, text } from "./Form";

type Kinds = components["schemas"]["Configuration"]["profile"];
/** The interface leaves open what a custom field is. */
type Profile = NonNullable<components["schemas"]["SignUp"]["profile"]>;

/** Tells a custom field from the others in a form. */
const PREFIX = "profile.";

/** The custom fields that the operator has set up, each by its kind. */
export function ProfileFields({ values }: { values: Readonly<Record<string, unknown>> }) {
  const t = useMessages();
  const { profile } = useConfiguration();
  return Object.entries(profile).map(([field, kind]) => {
    const name = PREFIX + field;
    const label = labelOf(field);
    const value = values[field];
    if (kind === "boolean") return <Checkbox key={name} name={name} label={label} defaultChecked={value === true} />;
    if (kind === "json") {
      const json = value === undefined || value === null ? "" : JSON.stringify(value, null, 2);
      return (
        <Textarea key={name} name={name} label={label} description={t.profile.json} defaultValue={json} rows={4} />
      );
    }
    const integer = kind === "integer" ? { inputMode: "numeric", pattern: "-?[0-9]*" } as const : {};
    return <TextInput key={name} name={name} label={label} defaultValue={String(value ?? "")} {...integer} />;
  });
}

/** What was typed into the custom fields; `empty` says what becomes of those without: left out, or `null` to remove. */
export function readProfile(kinds: Kinds, values: FormData, empty: "left out" | "removed"): Profile {
  const read = (name: string, kind: Kinds[string]) => {
    if (kind === "boolean") return values.has(name);
    const typed = kind === "string" ? raw(values, name) : text(values, name);
    if (typed === "") return null;
    return kind === "string" ? typed : parse(typed);
  };
  const fields = Object.entries(kinds).map(([field, kind]) => [field, read(PREFIX + field, kind)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== null || empty === "removed")) as Profile;
}

/** What is no JSON goes to the server as text, which says what is wrong with it. */
function parse(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}

/** `favourite_color` as people write it. */
function labelOf(field: string): string {
  const words = field.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
