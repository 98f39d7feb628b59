// Shows pages of the administration as they are, in front of a server that answers from a few lists.

import type { paths } from "@hallpass/client";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { cleanup, configure, render } from "@testing-library/react";
import createClient from "openapi-fetch";
import { afterEach, vi } from "vitest";
import type { Account } from "../../src/admin/data";

/** What the server is asked, and what it answers: by `GET /path`, with the parameters and the body. */
type Answer = (asked: { query: URLSearchParams; body: unknown }) => unknown;
type Answers = Record<string, Answer>;

export class Refusal {
  constructor(
    readonly status: number,
    readonly problem: object,
  ) {}
}

const server = vi.hoisted(() => ({ answers: {} as Answers, asked: [] as string[] }));

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  searchParams.sort();
  const operation = `${request.method} ${pathname.replace("/api/v1/admin", "")}`;
  server.asked.push(operation + (searchParams.size > 0 ? `?${searchParams}` : ""));
  const body = request.body ? await request.json() : undefined;
  const known = server.answers[operation];
  const said = known ? known({ query: searchParams, body }) : new Refusal(404, { code: "not_found" });
  return said instanceof Refusal
    ? Response.json(said.problem, { status: said.status })
    : said === undefined
      ? new Response(null, { status: 204 })
      : Response.json(said);
}

vi.mock("@hallpass/client", async (original) => ({
  ...(await original<typeof import("@hallpass/client")>()),
  createHallpass: () => ({
    user: person({ id: 1, username: "ada", first_name: "Ada" }),
    error: null,
    ready: Promise.resolve(),
    onChange: () => () => {},
    refresh: async () => {},
    api: createClient<paths>({ baseUrl: "http://localhost", fetch: answer }),
  }),
}));

const CONFIGURATION = {
  product_name: "Hallpass",
  logo: false,
  color: null,
  sign_up: true,
  username: "required",
  email: "optional",
  verify_email: "optional",
  sign_in_links: false,
  mail: true,
  password_min_length: 15,
  deletion_grace_days: 14,
  profile: { born: "integer", settings: "json" },
  locales: ["en", "de"],
  frontend_origins: [],
};

export function person(facts: Partial<Account>): Account {
  return {
    id: 7,
    username: "bob",
    email: "bob@example.com",
    email_verified: true,
    first_name: "",
    last_name: "",
    locale: "en",
    profile: {},
    roles: [],
    is_active: true,
    is_staff: false,
    is_superuser: false,
    has_password: true,
    date_joined: 1_700_000_000,
    last_login: null,
    delete_at: null,
    ...facts,
  };
}

/** Goes to a page of the administration; `asked` are the requests so far. */
export async function show(path: string, level: "superuser" | "helpdesk" | "nobody", answers: Answers) {
  server.asked = [];
  const forbidden = new Refusal(403, { code: "forbidden", status: 403, detail: "", title: "" });
  server.answers = {
    "GET /access": () => (level === "nobody" ? forbidden : { level }),
    "GET /sessions": () => ({ sessions: [], next: null }),
    "GET /events": () => ({ events: [], next: null }),
    ...answers,
  };
  const { rootRoute, userRoute } = await import("../../src/root");
  const { adminRoutes } = await import("../../src/admin/routes");
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryDefaults(["configuration"], { staleTime: Number.POSITIVE_INFINITY });
  client.setQueryData(["configuration"], CONFIGURATION);
  const history = createMemoryHistory({ initialEntries: [path] });
  const router = createRouter({
    routeTree: rootRoute.addChildren([userRoute.addChildren([adminRoutes])]),
    history,
  });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        {/* The pages' own router has more pages; those of the administration are the same. */}
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { history, asked: server.asked };
}

// The first page of a run has to be loaded with everything that it needs.
configure({ asyncUtilTimeout: 20_000 });
vi.setConfig({ testTimeout: 60_000 });

afterEach(cleanup);
