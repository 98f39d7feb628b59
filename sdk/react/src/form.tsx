/**
 * What every form of this package is: it sends what its fields hold, once at a time, puts each error at its
 * field and the focus on the first of them. It never clears what somebody typed when something failed.
 */
import { useEffect, useRef, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { HallpassError } from "@hallpass/client";
import { useConfigurationOrError, useShared, useText } from "./context.js";
import type { Configuration } from "./context.js";
import { FormState } from "./field.js";
import { useDescribe, useSubmit } from "./submit.js";

export interface FormProps<Result = void> {
  /** Called after success, with what the call gave. */
  onDone?: (result: Result) => void;
  className?: string;
  /** Further fields or text, above the button. */
  children?: ReactNode;
}

/** What the fields hold, without blanks around it but in passwords. A box is `on` or empty. */
export type Values = Readonly<Record<string, string>>;

interface Parts<Result> extends FormProps<Result> {
  /** The text on the button; with dashes, the form's `data-hallpass`. */
  name: string;
  fields: (configuration: Configuration) => ReactNode;
  send: (values: Values, configuration: Configuration) => Promise<Result>;
  /** Why there is no form, as the code of an error. */
  refusal?: (configuration: Configuration) => string | false;
  /** What to say after success, unless it shows by itself. */
  done?: (result: Result) => string | undefined;
}

/** The form, as soon as the configuration says what to ask for. */
export function Form<Result>(parts: Parts<Result>) {
  const configuration = useConfigurationOrError();
  if (configuration === undefined) return null;
  if (configuration instanceof HallpassError) return <Unreachable error={configuration} />;
  const refusal = parts.refusal?.(configuration);
  if (refusal) return <Refusal {...parts} code={refusal} />;
  return <Ready {...parts} configuration={configuration} />;
}

function Ready<Result>({ configuration, ...parts }: Parts<Result> & { configuration: Configuration }) {
  const { name, fields, send, done, onDone, className, children } = parts;
  const text = useText();
  const form = useRef<HTMLFormElement>(null);
  const alert = useRef<HTMLParagraphElement>(null);
  const [said, setSaid] = useState<string>();
  const { submit, pending, failure } = useSubmit(
    async (values: Values) => {
      setSaid(undefined);
      if (form.current) refuseIncomplete(form.current);
      return send(values, configuration);
    },
    (result) => {
      // A password stays in the page no longer than it is needed.
      form.current?.querySelectorAll<HTMLInputElement>("input[autocomplete$=password]").forEach(clear);
      setSaid(done?.(result));
      onDone?.(result);
    },
  );
  const errors = failure?.fields ?? {};
  // What is about no field of this form is said above it.
  const elsewhere = Object.keys(errors).filter((field) => !form.current?.elements.namedItem(field));
  const message = failure?.message || elsewhere.map((field) => errors[field]).join(". ");

  useEffect(() => {
    if (!failure) return;
    const wrong = form.current?.querySelector<HTMLElement>("[aria-invalid]");
    (wrong ?? alert.current)?.focus();
  }, [failure]);

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void submit(valuesOf(event.currentTarget));
  };
  // The method is for browsers whose scripts failed: they put no password into the address.
  return (
    <form
      ref={form}
      data-hallpass={dashed(name)}
      className={className}
      aria-busy={pending}
      noValidate
      method="post"
      onSubmit={onSubmit}
    >
      {message && (
        <p ref={alert} role="alert" tabIndex={-1}>
          {message}
        </p>
      )}
      <FormState.Provider value={{ pending, errors }}>
        {fields(configuration)}
        {children}
      </FormState.Provider>
      {/* It stays focusable while something is sent; `useSubmit` sees to it that nothing is sent twice. */}
      <button type="submit" aria-disabled={pending}>
        {text(name)}
      </button>
      <p role="status">{said}</p>
    </form>
  );
}

function Refusal({ name, className, code }: { name: string; className?: string; code: string }) {
  const text = useText();
  return (
    <p data-hallpass={dashed(name)} className={className}>
      {text(`error.${code}`)}
    </p>
  );
}

function Unreachable({ error }: { error: HallpassError }) {
  const { load } = useShared();
  const text = useText();
  const describe = useDescribe();
  return (
    <div data-hallpass="unreachable">
      <p role="alert">{describe(error).message}</p>
      <button type="button" onClick={load}>
        {text("retry")}
      </button>
    </div>
  );
}

function valuesOf(form: HTMLFormElement): Values {
  const values: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") values[name] = name.endsWith("password") ? value : value.trim();
  }
  // Boxes that are not ticked are missing there.
  for (const { name, checked } of form.querySelectorAll<HTMLInputElement>("[type=checkbox]")) {
    values[name] = checked ? "on" : "";
  }
  return values;
}

/** Throws what the server would say, where an input itself knows that it is empty or no number. */
function refuseIncomplete(form: HTMLFormElement) {
  const errors = [];
  for (const input of form.querySelectorAll<HTMLInputElement>("input, select")) {
    const { valueMissing, badInput, stepMismatch } = input.validity;
    const missing = input.type === "checkbox" ? "required_choice" : "required";
    const code = valueMissing ? missing : badInput || stepMismatch ? "not_whole" : null;
    if (code) errors.push({ field: input.name, code, detail: code });
  }
  if (errors.length > 0) {
    const title = "Some values are not allowed";
    throw new HallpassError({ code: "validation_failed", status: 400, title, detail: title, errors });
  }
}

const dashed = (name: string) => name.replaceAll("_", "-");

const clear = (input: HTMLInputElement) => {
  input.value = "";
};
