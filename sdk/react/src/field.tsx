/**
 * One input with its label, hint, error and, for a password, a button that shows it. It keeps no value of its
 * own: browsers and password managers fill it in, and the form reads it when it is sent.
 */
import { createContext, useContext, useId, useState } from "react";
import type { InputHTMLAttributes, ReactNode } from "react";
import { useText } from "./context.js";

/** What the form around a field says about its fields. */
export const FormState = createContext<{ pending: boolean; errors: Readonly<Record<string, string>> }>({
  pending: false,
  errors: {},
});

export interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  /** The member of the request, or `profile.NAME`. What the server says about it appears here. */
  name: string;
  /** Without it, the text `label.NAME` of the messages. */
  label?: string;
  /** Read out together with the label. */
  hint?: ReactNode;
  /** Makes it a list to choose from: values with what is shown for them. */
  options?: Readonly<Record<string, string>>;
}

/** A labelled input. What it does not know of goes to the `<input>`. */
export function Field({ name, label, hint, options, type = "text", className, ...input }: FieldProps) {
  const text = useText();
  const { pending, errors } = useContext(FormState);
  const [shown, setShown] = useState(false);
  const id = useId();
  const error = errors[name];
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const common = {
    id,
    name,
    "aria-invalid": error ? true : undefined,
    "aria-describedby": told || undefined,
  };
  return (
    <div data-hallpass="field" data-type={options ? "select" : type} className={className}>
      <label htmlFor={id}>{label ?? text(`label.${name}`)}</label>
      {options ? (
        <select {...common} required={input.required} defaultValue={input.defaultValue}>
          {Object.entries(options).map(([value, shownAs]) => (
            <option key={value} value={value}>
              {shownAs}
            </option>
          ))}
        </select>
      ) : (
        // A password that is being sent is hidden, so that no browser remembers it as ordinary text.
        <input {...input} {...common} type={shown && !pending ? "text" : type} />
      )}
      {type === "password" && (
        <button
          type="button"
          aria-label={text("show_password")}
          aria-pressed={shown}
          aria-controls={id}
          onClick={() => setShown(!shown)}
        >
          {text("show")}
        </button>
      )}
      {hint && (
        <p id={`${id}-hint`} data-hallpass="hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} data-hallpass="error">
          {error}
        </p>
      )}
    </div>
  );
}

/** A password to be chosen, with what the server asks of it. */
export function NewPasswordField({ name, least }: { name: string; least: number }) {
  const hint = useText()("hint.password", { count: least });
  const rules = { autoComplete: "new-password", minLength: least, hint, required: true };
  return <Field name={name} type="password" {...rules} />;
}

/** A name for an account: its label says if it can be left out. */
export function NameField({ label, required = true, ...field }: FieldProps) {
  const text = useText();
  return (
    <Field
      label={`${label ?? text(`label.${field.name}`)}${required ? "" : ` ${text("optional")}`}`}
      autoCapitalize="none"
      spellCheck={false}
      required={required}
      {...field}
    />
  );
}

export function CurrentPasswordField() {
  return <Field name="current_password" type="password" autoComplete="current-password" required />;
}
