// A server that plays Hallpass: secrets that rotate, tokens that can be outdated, and answers that get lost.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import type { User } from "../src/index.js";

export interface Call {
  path: string;
  authorization: string | null;
  body: Record<string, unknown>;
  text: string;
}

/** What a test puts in place of an answer; `lost` does the work and loses the answer. */
export type Fate = "unreachable" | "lost" | Response;

export const person = (id: number, username: string): User => ({
  id,
  username,
  email: null,
  email_verified: false,
  first_name: "",
  last_name: "",
  is_staff: false,
  is_superuser: false,
  roles: [],
  profile: {},
  date_joined: 1,
  last_login: null,
  locale: null,
});

export const problem = (
  status: number,
  code: string,
  more: object = {},
  headers: HeadersInit = {},
): Response =>
  new Response(
    JSON.stringify({ type: "about:blank", title: code, status, detail: `It is ${code}`, code, ...more }),
    {
      status,
      headers: { "content-type": "application/problem+json", ...headers },
    },
  );

interface Session {
  user: User;
  /** The newest generation of its secret; one older is good as well. */
  generation: number;
  ended?: string;
}

export class Fake {
  readonly calls: Call[] = [];
  readonly people: Record<string, User> = { alice: person(1, "alice"), bob: person(2, "bob") };
  readonly sessions: Session[] = [];
  expiresIn = 300;
  /** Refreshes at this moment, and the most that there were. */
  refreshing = 0;
  mostRefreshing = 0;
  /** Decides on an answer before it is made. */
  fate: (call: Call) => Fate | undefined | Promise<Fate | undefined> = () => undefined;
  private readonly tokens = new Map<string, Session>();
  private readonly outdated = new Map<string, string>();
  private issuedSoFar = 0;

  /** Answers a request, as a browser's if it has an origin. */
  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const call: Call = {
      path: pathname.replace("/api/v1/", ""),
      authorization: request.headers.get("authorization"),
      body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
      text,
    };
    this.calls.push(call);
    const refresh = call.path === "refresh";
    if (refresh) this.mostRefreshing = Math.max(this.mostRefreshing, ++this.refreshing);
    try {
      const fate = await this.fate(call);
      if (fate === "unreachable") throw new TypeError("fetch failed");
      if (fate instanceof Response) return fate;
      const answer = this.answer(call, request);
      if (fate === "lost") throw new TypeError("fetch failed");
      return answer;
    } finally {
      if (refresh) this.refreshing -= 1;
    }
  }

  count(path: string): number {
    return this.calls.filter((call) => call.path === path).length;
  }

  /** From now on every token that was issued is answered with this code. */
  outdate(code: string): void {
    for (const token of this.tokens.keys()) this.outdated.set(token, code);
  }

  endAll(cause: string): void {
    for (const session of this.sessions) session.ended ??= cause;
    this.outdate("session_ended");
  }

  private answer(call: Call, request: Request): Response {
    const browser = request.headers.has("origin");
    const cookie = /__Host-refresh=([^;]*)/.exec(request.headers.get("cookie") ?? "")?.[1];
    const secret = browser ? cookie : (call.body["refresh_token"] as string | undefined);
    switch (call.path) {
      case "login": {
        const user = this.people[String(call.body["username"])];
        if (!user || call.body["password"] !== "correct") return problem(401, "invalid_credentials");
        return this.issue(this.begin(user), browser, true);
      }
      case "signup":
        if (call.body["email"]) return new Response(null, { status: 202 });
        return this.issue(this.begin(person(3, String(call.body["username"]))), browser, true, 201);
      case "refresh": {
        const [id, generation] = (secret ?? "").split(".").map(Number);
        const session = this.sessions[id ?? -1];
        if (!secret) return problem(401, "refresh_missing");
        if (!session) return problem(401, "refresh_invalid");
        if (session.ended) return problem(401, "session_ended", { cause: session.ended });
        if (generation === session.generation) session.generation += 1;
        else if (generation !== session.generation - 1)
          return problem(401, "session_ended", { cause: "refresh_reused" });
        return this.issue(session, browser, false);
      }
      case "logout": {
        const session =
          this.tokens.get(call.authorization?.slice(7) ?? "") ?? this.sessions[Number.parseInt(secret ?? "")];
        if (session) session.ended = "signed_out";
        return signedOut();
      }
      case "logout-everywhere":
        this.endAll("signed_out_everywhere");
        return signedOut();
      default:
        return this.protected(call);
    }
  }

  private protected({ authorization, text }: Call): Response {
    const token = authorization?.slice(7);
    if (!token) return problem(401, "token_missing");
    const session = this.tokens.get(token);
    const code = session ? this.outdated.get(token) : "token_invalid";
    if (code) return problem(401, code);
    return Response.json({ user: session?.user.username, text });
  }

  private begin(user: User): Session {
    const session = { user, generation: 0 };
    this.sessions.push(session);
    return session;
  }

  private issue(session: Session, browser: boolean, first: boolean, status = 200): Response {
    const token = `token-${++this.issuedSoFar}`;
    this.tokens.set(token, session);
    const secret = `${this.sessions.indexOf(session)}.${session.generation}`;
    const { user } = session;
    const inBody = browser
      ? {}
      : { refresh_token: secret, ...(first && { device_token: `device-${user.id}` }) };
    const body = { access_token: token, token_type: "Bearer", expires_in: this.expiresIn, user, ...inBody };
    const headers: HeadersInit = browser ? { "set-cookie": `__Host-refresh=${secret}; Path=/` } : {};
    return Response.json(body, { status, headers });
  }
}

const signedOut = () =>
  new Response(null, { status: 204, headers: { "set-cookie": "__Host-refresh=; Max-Age=0" } });

/** The same over a real connection, which `unreachable` and `lost` cut. */
export const listen = async (fake: Fake): Promise<{ url: string; close(): void }> => {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      try {
        const answer = await fake.handle(await requestOf(incoming));
        outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
        outgoing.end(Buffer.from(await answer.arrayBuffer()));
      } catch {
        incoming.socket.destroy();
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
};

const requestOf = async (incoming: IncomingMessage): Promise<Request> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "GET", headers, url = "/" } = incoming;
  const body = method === "GET" ? null : Buffer.concat(chunks);
  return new Request(`http://127.0.0.1${url}`, { method, body, headers: headers as Record<string, string> });
};
