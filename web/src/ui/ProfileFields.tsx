import { Checkbox, Textarea, TextInput } from "@mantine/core";
import { type components, HallpassError } from "../hallpass";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { raw, text } from "./Form";

type Kinds = components["schemas"]["Configuration"]["profile"];
/** The interface leaves open what a custom field is. */
type Profile = NonNullable<components["schemas"]["SignUp"]["profile"]>;

/** Tells a custom field from the others in a form. */
const PREFIX = "profile.";
/** The longest text that the server takes. */
const MAX_LENGTH = 1000;

interface ProfileFieldsProps {
  values: Readonly<Record<string, unknown>>;
  errors: Record<string, string>;
}

/** The custom fields that the operator has set up, each by its kind. */
export function ProfileFields({ values, errors }: ProfileFieldsProps) {
  const t = useMessages();
  const { profile } = useConfiguration();
  return Object.entries(profile).map(([field, kind]) => {
    const name = PREFIX + field;
    const label = labelOf(field);
    const value = values[field];
    const common = { name, label, error: errors[name] };
    if (kind === "boolean") return <Checkbox key={name} {...common} defaultChecked={value === true} />;
    if (kind === "json") {
      const json = value === undefined || value === null ? "" : JSON.stringify(value, null, 2);
      return <Textarea key={name} {...common} description={t.profile.json} defaultValue={json} rows={4} />;
    }
    const more = kind === "integer" ? ({ inputMode: "numeric" } as const) : { maxLength: MAX_LENGTH };
    return <TextInput key={name} {...common} defaultValue={String(value ?? "")} {...more} />;
  });
}

/**
 * What was typed into the custom fields; `empty` says what becomes of those without: left out, or `null` to remove.
 * Throws what the server would say, with the names of the fields, where something cannot be read.
 */
export function readProfile(kinds: Kinds, values: FormData, empty: "left out" | "removed"): Profile {
  const errors: HallpassError["errors"] = [];
  const refuse = (field: string, code: string) => errors.push({ field, code, detail: code });
  const read = (name: string, kind: Kinds[string]): unknown => {
    if (kind === "boolean") return values.has(name);
    if (kind === "string") return raw(values, name) || null;
    const typed = text(values, name);
    if (typed === "") return null;
    const value = kind === "json" ? parse(typed) : whole(typed);
    return value === undefined ? refuse(name, `no_${kind}`) : value;
  };
  const fields = Object.entries(kinds).map(([field, kind]) => [field, read(PREFIX + field, kind)] as const);
  if (errors.length > 0) throw new HallpassError({ code: "validation_failed", errors });
  return Object.fromEntries(fields.filter(([, value]) => value !== null || empty === "removed")) as Profile;
}

/** The value that JSON stands for; nothing if it is none. */
function parse(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch {
    return undefined;
  }
}

/** The number that digits stand for; nothing if they are none, or more than are exact everywhere. */
function whole(typed: string): number | undefined {
  const number = /^[+-]?\d+$/.test(typed) ? Number(typed) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** `favourite_color` as people write it. */
function labelOf(field: string): string {
  const words = field.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
