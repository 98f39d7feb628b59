/**
 * The real server, on a free port of this machine and with a folder of its own.
 *
 * Throttling is off unless a test turns it on: all visitors come from one address.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Answer, type Asked, ask } from "./http";
import { until } from "./until";

/** Meets every rule about passwords. */
export const PASSWORD = "otters juggle brass lanterns";

/** As `/dev/mail.json` has it. */
export interface Mail {
  id: string;
  to: string;
  subject: string;
  text: string;
}

/** What a client that is no browser gets for signing in. */
export interface Issued {
  access_token: string;
  refresh_token: string;
  user: { id: number; username: string };
}

export interface ServerOptions {
  /** Settings, without the prefix `HALLPASS_`. */
  settings?: Record<string, string>;
  /** Where browsers reach it, if not directly. */
  publicUrl?: string;
  /** Makes it speak https as `api.` of this domain, with certificates of its own. */
  domain?: string;
  /** The port that it takes if it can. */
  port?: number;
}

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "hallpass-e2e-"));
  readonly port: number;
  /** Where browsers reach it. */
  readonly url: string;
  readonly #options: ServerOptions;
  readonly #taken = new Set<string>();
  readonly #announced: RegExp[] = [];
  #process: ChildProcess | undefined;

  private constructor(port: number, options: ServerOptions) {
    this.port = port;
    const { domain, publicUrl = `http://localhost:${port}` } = options;
    this.url = domain === undefined ? publicUrl : `https://api.${domain}:${port}`;
    this.#options = options;
    process.on("exit", () => this.#process?.kill("SIGKILL"));
  }

  static async start(options: ServerOptions = {}): Promise<Server> {
    const server = new Server(await freePort(options.port), options);
    await server.run();
    return server;
  }

  /** Starts the process; the folder is as the last one left it. */
  async run(): Promise<void> {
    const log = openSync(this.#log, "a");
    const { domain } = this.#options;
    const flags = domain === undefined ? ["--dev"] : ["--dev-tls", "--domain", domain];
    const child = spawn(binary(), ["serve", ...flags, "--listen", `127.0.0.1:${this.port}`], {
      cwd: this.folder,
      env: this.#environment(),
      stdio: ["ignore", log, log],
    });
    this.#process = child;
    await until("the server is ready", async () => {
      if (child.exitCode !== null) throw new Error(`the server ended:\n${this.log}`);
      return this.#ready();
    });
  }

  /** Ends the process and keeps the folder. */
  async halt(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // A second signal stops at once: browsers keep connections open.
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGTERM"), 300);
    await gone;
    clearTimeout(impatience);
  }

  /** Says beforehand which faults the server will log. */
  announce(...faults: RegExp[]): void {
    this.#announced.push(...faults);
  }

  /** Ends the process and removes the folder. */
  async stop(): Promise<void> {
    await this.halt();
    const faults = this.log
      .split("\n")
      .filter((line) => / ERROR |panicked/.test(line) && !this.#announced.some((fault) => fault.test(line)));
    rmSync(this.folder, { recursive: true, force: true });
    if (faults.length > 0) throw new Error(`the server logged faults of its own:\n${faults.join("\n")}`);
  }

  get log(): string {
    return readFileSync(this.#log, "utf8");
  }

  /** What the command line prints; throws if it fails. */
  cli(command: string[], input = ""): string {
    const { status, stdout, stderr } = spawnSync(binary(), command, {
      cwd: this.folder,
      env: this.#environment(),
      input,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`hallpass ${command.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Makes an account with `PASSWORD` and a verified address; returns its address. */
  account(username: string, ...flags: string[]): string {
    const email = `${username}@example.org`;
    const names = ["--username", username, "--email", email, "--email-verified"];
    this.cli(["accounts", "create", ...names, "--password-stdin", ...flags], `${PASSWORD}\n`);
    return email;
  }

  /** Makes an account that may do everything, and returns an access token of it. */
  async superuser(username: string): Promise<string> {
    this.cli(["createsuperuser", "--username", username, "--password-stdin"], `${PASSWORD}\n`);
    return (await this.signIn(username)).access_token;
  }

  /** Asks as a program that is no browser. */
  async ask<T>(method: string, path: string, body?: object, token?: string): Promise<T> {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const json = { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const { status, text } = await this.#ask(`/api/v1${path}`, { method, ...(body === undefined ? { headers } : json) });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  signIn(username: string, password = PASSWORD): Promise<Issued> {
    return this.ask("POST", "/login", { username, password });
  }

  /** All mails that were sent, newest first. */
  async mails(): Promise<Mail[]> {
    const { text } = await this.#ask("/dev/mail.json");
    const mails = JSON.parse(text) as Mail[];
    return mails.toSorted((one, other) => (one.id < other.id ? 1 : -1));
  }

  /** Waits for the next mail to `address` that says `words` in its subject or text. */
  mail(address: string, words: string | RegExp): Promise<Mail> {
    return until(`a mail to ${address} with ${words}`, async () => {
      const mails = await this.mails();
      const found = mails.find(
        (mail) => mail.to === address && !this.#taken.has(mail.id) && says(mail, words),
      );
      if (found !== undefined) this.#taken.add(found.id);
      return found;
    });
  }

  /** Waits for the next mail to `address` with a link to the page `path`, and returns the link. */
  async link(address: string, path: string): Promise<string> {
    const mail = await this.mail(address, `${path}#token=`);
    const link = mail.text.split(/\s/).find((word) => word.includes(`${path}#token=`));
    if (link === undefined) throw new Error(`no link in ${mail.text}`);
    return link;
  }

  get #log(): string {
    return join(this.folder, "server.log");
  }

  /** What speaks https: the authority that has to be trusted, and a certificate of it for front ends as well. */
  tlsFile(name: "ca.pem" | "cert.pem" | "key.pem"): string {
    return join(this.folder, "data", "dev-tls", name);
  }

  async #ready(): Promise<boolean> {
    const answer = await this.#ask("/readyz").catch(() => undefined);
    return answer?.status === 200;
  }

  /** Past any proxy, and only if the certificate is good. */
  async #ask(path: string, asked: Asked = {}): Promise<Answer> {
    const { domain } = this.#options;
    if (domain === undefined) return ask(`http://localhost:${this.port}${path}`, asked);
    return ask(`${this.url}${path}`, { ...asked, ca: readFileSync(this.tlsFile("ca.pem"), "utf8") });
  }

  #environment(): Record<string, string> {
    const settings: Record<string, string> = {
      DATA_DIR: join(this.folder, "data"),
      THROTTLE__ENABLED: "false",
      ...(this.#options.publicUrl === undefined ? {} : { PUBLIC_URL: this.#options.publicUrl }),
      ...this.#options.settings,
    };
    const named = Object.entries(settings).map(([name, value]) => [`HALLPASS_${name}`, value]);
    return { PATH: process.env["PATH"] ?? "", ...Object.fromEntries(named) };
  }
}

/** A port that nobody listens on now, `preferred` if it is one. */
export function freePort(preferred = 0): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.on("error", () => resolve(freePort()));
    probe.listen(preferred, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function says(mail: Mail, words: string | RegExp): boolean {
  const all = `${mail.subject}\n${mail.text}`;
  return typeof words === "string" ? all.includes(words) : words.test(all);
}

function binary(): string {
  const path = process.env["HALLPASS_E2E_SERVER"];
  if (path === undefined) throw new Error("HALLPASS_E2E_SERVER must name the server to test");
  return path;
}
