/**
 * A reverse proxy that makes trouble on demand: it delays requests and answers, loses answers to what the server has
 * done already, and cuts connections before the server hears of them.
 */
import { type IncomingMessage, type Server as HttpServer, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { pause } from "./until";

/** What befalls one request; delays are in milliseconds. */
export interface Trouble {
  before?: number;
  after?: number;
  lose?: "request" | "answer";
}

export class Proxy {
  readonly port: number;
  /** Asked for each request, with its method and path such as `POST /api/v1/refresh`. */
  trouble: (what: string) => Trouble = () => ({});
  /** The requests that came, oldest first, each with the status that the server gave. */
  readonly seen: { what: string; status: number }[] = [];
  /** The port of the server behind it. */
  target = 0;
  /** The path below which it shows the server, which does not see it. */
  prefix = "";
  readonly #server: HttpServer;

  private constructor(server: HttpServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("request", (incoming, outgoing) => void this.#pass(incoming, outgoing));
  }

  static async start(): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Proxy(server);
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** How many requests came for `what`. */
  count(what: string): number {
    return this.seen.filter((one) => one.what === what).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const what = `${incoming.method} ${(incoming.url ?? "").split("?")[0]}`;
    const trouble = this.trouble(what);
    const body = await whole(incoming);
    await pause(trouble.before ?? 0);
    if (trouble.lose === "request") return void incoming.socket.destroy();
    const answer = await this.#forward(incoming, body).catch(() => undefined);
    this.seen.push({ what, status: answer?.status ?? 0 });
    await pause(trouble.after ?? 0);
    if (answer === undefined || trouble.lose === "answer") return void incoming.socket.destroy();
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<{ status: number; headers: string[]; body: Buffer }> {
    const { method, rawHeaders } = incoming;
    const path = (incoming.url ?? "").slice(this.prefix.length);
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.target, method, path, headers: rawHeaders, agent: false };
      const forwarded = request(options, (answer) => {
        const { statusCode, rawHeaders: headers } = answer;
        whole(answer).then((body) => resolve({ status: statusCode ?? 0, headers, body }), reject);
      });
      forwarded.on("error", reject);
      forwarded.end(body);
    });
  }
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
