/** Front ends that live apart from the server: the examples as their readers build them, and pages of the tests. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type Server as HttpServer, type RequestListener, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** What makes a front end speak https: a certificate chain and its key, as PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

export interface FrontEndOptions {
  /** Variables for its build. */
  environment?: Record<string, string>;
  /** Without it, a free one. */
  port?: number;
  host?: string;
  certificate?: Certificate;
}

export class FrontEnd {
  /** Its origin. */
  readonly url: string;
  readonly #server: HttpServer;
  readonly #folder: string | undefined;

  private constructor(server: HttpServer, url: string, folder?: string) {
    this.#server = server;
    this.url = url;
    this.#folder = folder;
  }

  /** A page with nothing but a title, at every path. */
  static async blank(title: string): Promise<FrontEnd> {
    const html = `<!doctype html><html lang="en"><title>${title}</title><link rel="icon" href="data:,"><h1>${title}</h1>`;
    const { server, port } = await listen((_, answer) => {
      answer.writeHead(200, { "Content-Type": "text/html" }).end(html);
    });
    return new FrontEnd(server, `http://localhost:${port}`);
  }

  /** Builds a project of this repository, such as `examples/vanilla-spa`, and serves it. */
  static async build(project: string, options: FrontEndOptions = {}): Promise<FrontEnd> {
    const folder = mkdtempSync(join(tmpdir(), "hallpass-front-end-"));
    Object.assign(process.env, options.environment);
    const root = fileURLToPath(new URL(`../../${project}`, import.meta.url));
    await build({ root, logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
    const { server, port } = await listen((request, answer) => {
      const file = find(folder, new URL(request.url ?? "/", "http://localhost").pathname);
      answer.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
      answer.end(readFileSync(file));
    }, options);
    const scheme = options.certificate === undefined ? "http" : "https";
    return new FrontEnd(server, `${scheme}://${options.host ?? "localhost"}:${port}`, folder);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function listen(answer: RequestListener, { port = 0, certificate }: FrontEndOptions = {}) {
  const server = certificate === undefined ? createServer(answer) : createTlsServer(certificate, answer);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** The file at a path; the one page of the application where there is none. */
function find(folder: string, path: string): string {
  const file = join(folder, path);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : join(folder, "index.html");
}
