/**
 * Sending something once at a time, and saying in words of the page what went wrong. It knows no markup, so
 * that forms of any kind can use it.
 */
import { useRef, useState } from "react";
import { HallpassError } from "@hallpass/client";
import { useConfiguration, useShared } from "./context.js";

/** What went wrong, in the words of the page. */
export interface Failure {
  /** The stable name: `rate_limited`, say; `internal` for what is no answer of the server. */
  readonly code: string;
  /** What to say about the whole; empty if everything is said at the fields. */
  readonly message: string;
  /** What to say at which member of the request. A wrong password is at `current_password`. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Submission<Values> {
  /** Sends; does nothing while something is being sent. Never rejects. */
  submit: (values: Values) => Promise<void>;
  pending: boolean;
  /** Of the last attempt. */
  failure: Failure | null;
}

/** Failures that are about one field. */
const FIELD_OF: Readonly<Record<string, string>> = {
  username_taken: "username",
  email_taken: "email",
  password_incorrect: "current_password",
};

/** `onDone` is called after success, also when the component has gone: signing in makes its form go. */
export function useSubmit<Values, Result>(
  send: (values: Values) => Promise<Result>,
  onDone?: (result: Result) => void,
): Submission<Values> {
  const describe = useDescribe();
  // Some failures are told with what it says.
  useConfiguration();
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const busy = useRef(false);

  const submit = async (values: Values) => {
    if (busy.current) return;
    busy.current = true;
    setPending(true);
    let result: Result;
    try {
      result = await send(values);
    } catch (error) {
      setFailure(describe(error));
      return;
    } finally {
      busy.current = false;
      setPending(false);
    }
    setFailure(null);
    onDone?.(result);
  };
  return { submit, pending, failure };
}

/** Gives the words for an error, whatever was thrown. */
export function useDescribe(): (error: unknown) => Failure {
  const { text, has, locale, configuration } = useShared();
  const known = configuration instanceof HallpassError ? undefined : configuration;
  const count = known?.password_min_length ?? 0;

  return (thrown) => {
    const error = thrown instanceof HallpassError ? thrown : null;
    const code = error?.code ?? "internal";
    const when = new Intl.RelativeTimeFormat(locale ?? "en").format(...inUnits(error?.retryAfter ?? 1));
    const words = (name: string, otherwise: string) =>
      has(`error.${name}`) ? text(`error.${name}`, { when, count }) : otherwise;

    const fields: Record<string, string> = {};
    for (const { field, code, detail } of error?.errors ?? []) {
      fields[field] = [fields[field], words(code, detail)].filter(Boolean).join(". ");
    }
    const message = words(code, error?.detail ?? text("error.internal"));
    const field = FIELD_OF[code];
    if (field) fields[field] = message;
    return { code, message: Object.keys(fields).length > 0 ? "" : message, fields };
  };
}

/** A wait in seconds, or in minutes if there are more than two of them. */
function inUnits(seconds: number): [number, "second" | "minute"] {
  return seconds <= 120 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
}
