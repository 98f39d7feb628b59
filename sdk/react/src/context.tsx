/**
 * The client, the texts and the server's configuration for everything below the provider.
 * It keeps no token and no account: who is signed in is read off the client.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useSyncExternalStore } from "react";
import type { ReactNode } from "react";
import { HallpassError } from "@hallpass/client";
import type { Hallpass, User, components } from "@hallpass/client";
import { english, german } from "./messages.js";
import type { Messages } from "./messages.js";

/** What a front end needs to know about the server: `GET /api/v1/configuration`. */
export type Configuration = components["schemas"]["Configuration"];

/** Finds a text by its name and puts `values` in for what stands in braces. */
export type Text = (name: string, values?: Readonly<Record<string, string | number>>) => string;

interface Shared {
  client: Hallpass;
  /** As the page chose it; English without. */
  locale: string | undefined;
  text: Text;
  /** Whether there is a text of that name. */
  has: (name: string) => boolean;
  /** A moment in seconds since 1970, for people. */
  date: (seconds: number) => string;
  configuration: Configuration | HallpassError | undefined;
  load: () => void;
}

const Context = createContext<Shared | null>(null);

export interface HallpassProviderProps {
  /** Made once, outside of components, by `createHallpass`. */
  client: Hallpass;
  /** A language tag (BCP 47) such as `de-AT`: the texts are German or else English. */
  locale?: string | undefined;
  /** Texts to use instead, by their names. */
  messages?: Messages;
  children?: ReactNode;
}

/** Stands once around everything that uses the hooks and components of this package. */
export function HallpassProvider({ client, locale, messages, children }: HallpassProviderProps) {
  const [configuration, load] = useLoaded(client);
  const shared = useMemo(() => {
    const builtIn: Messages = /^de\b/i.test(locale ?? "") ? { ...english, ...german } : english;
    const find = (name: string) => messages?.[name] ?? builtIn[name];
    const text: Text = (name, values = {}) =>
      (find(name) ?? name).replace(/\{(\w+)\}/g, (braced, key: string) => String(values[key] ?? braced));
    const has = (name: string) => find(name) !== undefined;
    const dates = new Intl.DateTimeFormat(locale ?? "en", { dateStyle: "medium", timeStyle: "short" });
    const date = (seconds: number) => dates.format(seconds * 1000);
    return { client, locale, text, has, date, configuration, load };
  }, [client, locale, messages, configuration, load]);
  return <Context.Provider value={shared}>{children}</Context.Provider>;
}

/** The configuration, asked for by the first component that wants it and then kept. */
function useLoaded(client: Hallpass) {
  const [configuration, setConfiguration] = useState<Configuration | HallpassError>();
  const asked = useRef<Hallpass>(undefined);
  const load = useCallback(() => {
    if (asked.current === client) return;
    asked.current = client;
    readConfiguration(client.url).then(setConfiguration, (error: HallpassError) => {
      asked.current = undefined;
      setConfiguration(error);
    });
  }, [client]);
  return [configuration, load] as const;
}

/** Reads it without a token, and so without waiting for one. */
async function readConfiguration(url: string): Promise<Configuration> {
  const answer = await fetch(`${url}/api/v1/configuration`).catch((error: unknown) => {
    const detail = error instanceof Error ? error.message : String(error);
    throw new HallpassError({ code: "network", detail });
  });
  if (!answer.ok) throw await HallpassError.from(answer);
  return (await answer.json()) as Configuration;
}

export function useShared(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error("Put a `<HallpassProvider>` around this");
  return shared;
}

export const useText = (): Text => useShared().text;

/** The server's configuration; an error if it could not be read, and nothing until then. */
export function useConfigurationOrError(): Configuration | HallpassError | undefined {
  const { configuration, load } = useShared();
  useEffect(load, [load]);
  return configuration;
}

/** The server's configuration, as soon as it is known. */
export function useConfiguration(): Configuration | undefined {
  const configuration = useConfigurationOrError();
  return configuration instanceof HallpassError ? undefined : configuration;
}

/** The client, and beside it what the page should show. */
export interface Auth extends Hallpass {
  /** `unknown` until the first answer of the server: show neither of the other two then. */
  readonly status: "unknown" | "signed_in" | "signed_out";
}

/** The client with its `user` and `error` as they are now; the component renders again when they change. */
export function useAuth(): Auth {
  const { client } = useShared();
  const user = useUser();
  const error = useSyncExternalStore(
    client.onChange,
    () => client.error,
    () => null,
  );
  const status = user === undefined ? "unknown" : user ? "signed_in" : "signed_out";
  return { ...client, user, error, status };
}

/** Who is signed in: `null` is nobody, `undefined` that it is not known yet. */
export function useUser(): User | null | undefined {
  const { client } = useShared();
  return useSyncExternalStore(
    client.onChange,
    () => client.user,
    () => undefined,
  );
}

interface WhoProps {
  children?: ReactNode;
  /** Shown while it is not known whether somebody is signed in; without it, nothing. */
  fallback?: ReactNode;
}

/** Shows its children to whoever is signed in. */
export function SignedIn({ children, fallback = null }: WhoProps) {
  const user = useUser();
  return <>{user === undefined ? fallback : user && children}</>;
}

/** Shows its children to whoever is not signed in. */
export function SignedOut({ children, fallback = null }: WhoProps) {
  const user = useUser();
  return <>{user === undefined ? fallback : !user && children}</>;
}
