/** A server in place of `fetch`: it says what it was asked, and answers as the test wants. */
import { createHallpass } from "@hallpass/client";
import type { Hallpass, User, components } from "@hallpass/client";
import { vi } from "vitest";

type Answer = Response | Promise<Response>;
type Answers = Record<string, (body: Record<string, unknown>) => Answer>;

export const ada: User = {
  id: 7,
  username: "ada",
  email: "ada@example.com",
  email_verified: true,
  first_name: "Ada",
  last_name: "",
  is_staff: false,
  is_superuser: false,
  roles: [],
  profile: {},
  date_joined: 1_700_000_000,
  last_login: null,
  locale: "en",
};

export const configuration: components["schemas"]["Configuration"] = {
  product_name: "Orders",
  logo: false,
  color: null,
  sign_up: true,
  username: "required",
  email: "optional",
  verify_email: "none",
  sign_in_links: false,
  mail: true,
  password_min_length: 15,
  deletion_grace_days: 14,
  profile: {},
  locales: ["en", "de"],
  frontend_origins: [],
};

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

export const empty = (status = 204) => new Response(null, { status });

export const issued = (user: User = ada) =>
  json({ access_token: "e30.e30.e30", token_type: "Bearer", expires_in: 300, user });

export const problem = (code: string, status: number, more: object = {}) =>
  json(
    { type: "about:blank", title: code, detail: `The server says ${code}`, code, status, ...more },
    status,
  );

export const invalid = (...errors: [field: string, code: string][]) =>
  problem("validation_failed", 400, {
    errors: errors.map(([field, code]) => ({ field, code, detail: `The server says ${code}` })),
  });

/** An answer that the test gives when it wants to. */
export function later() {
  let give: (answer: Response) => void = () => undefined;
  const answer = new Promise<Response>((resolve) => (give = resolve));
  return { answer, give };
}

export interface Server {
  hallpass: Hallpass;
  /** What was asked, as `POST /api/v1/login`. */
  asked: string[];
  /** The body of the last request of that name. */
  sent: (name: string) => Record<string, unknown> | undefined;
}

/** Nobody is signed in, unless `answers` has another answer to the refresh. */
export function serve(answers: Answers = {}): Server {
  const all: Answers = {
    "GET /api/v1/configuration": () => json(configuration),
    "POST /api/v1/refresh": () => problem("refresh_missing", 401),
    "POST /api/v1/logout": () => empty(),
    ...answers,
  };
  const asked: string[] = [];
  const bodies: Record<string, Record<string, unknown>> = {};
  vi.stubGlobal("fetch", async (input: Request | string | URL, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(input, init);
    const name = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
    asked.push(name);
    bodies[name] = body;
    return all[name]?.(body) ?? problem("not_found", 404);
  });
  const hallpass = createHallpass({ url: "http://localhost:8000" });
  return { hallpass, asked, sent: (name) => bodies[name] };
}

export const signedIn = { "POST /api/v1/refresh": () => issued() };
