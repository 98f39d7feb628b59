// Keys that sign whatever a test wants, and a Hallpass server that does what a test says: a real HTTP server on a
// loopback port with keys and a feed.

import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type TestContext } from 'node:test';

import { type Clock, HallpassError, type ServerError, Verifier, type VerifierOptions } from '../src/index.js';
import { type Algorithm } from '../src/jwks.js';

export const AUDIENCE = 'https://api.example';
export const CLIENT = { id: 'orders', secret: 'a secret of at least so many characters' };

/** A key pair, and tokens of it. */
export class Signer {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;

  constructor(algorithm: Algorithm, kid: string = randomUUID()) {
    this.kid = kid;
    this.algorithm = algorithm;
    const pair =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : algorithm === 'EdDSA'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.privateKey = pair.privateKey;
    this.publicKey = pair.publicKey;
  }

  get jwk(): Record<string, unknown> {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.kid, use: 'sig', alg: this.algorithm };
  }

  /** The header of a token that is issued, with other members or `undefined` for those that are left out. */
  header(members: Record<string, unknown> = {}): Record<string, unknown> {
    return { typ: 'at+jwt', alg: this.algorithm, kid: this.kid, ...members };
  }

  token(claims: object, header: object = this.header()): string {
    return this.compact(JSON.stringify(header), JSON.stringify(claims));
  }

  /** A token of exactly these texts. */
  compact(header: string | Buffer, payload: string | Buffer): string {
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${encode(this.sign(signed))}`;
  }

  sign(message: string): Buffer {
    const bytes = Buffer.from(message);
    if (this.algorithm === 'ES256') return sign('sha256', bytes, { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
    if (this.algorithm === 'EdDSA') return sign(null, bytes, this.privateKey);
    if (this.algorithm === 'RS256') return sign('sha256', bytes, this.privateKey);
    return sign('sha256', bytes, { key: this.privateKey, padding: 6, saltLength: 32 });
  }

  /** The private key as a PEM file has it. */
  get pem(): string {
    return this.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  }
}

export function encode(data: string | Buffer): string {
  return Buffer.from(data).toString('base64url');
}

/** A session as Hallpass names it: a UUID of version 7. */
export function newSession(): string {
  const uuid = randomUUID();
  return `${uuid.slice(0, 14)}7${uuid.slice(15)}`;
}

/** The machine's clocks, and by how much a test has put them forward. */
export class TestClock implements Clock {
  #ahead = 0;

  now(): number {
    return Date.now() / 1_000 + this.#ahead;
  }

  monotonic(): number {
    return performance.now() + this.#ahead * 1_000;
  }

  advance(seconds: number): void {
    this.#ahead += seconds;
  }
}

/** Waits for a condition. What never comes true is told by its text after 10 seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The code that a check ends with; `good` where it lets the token in. */
export async function answer(check: Promise<unknown>): Promise<string> {
  try {
    await check;
    return 'good';
  } catch (error) {
    if (error instanceof HallpassError) return error.code;
    throw error;
  }
}

export type FeedLine = { session: string; forget_at: number } | { account: number; below_version: number; forget_at: number };

interface Asked {
  path: string;
  query: URLSearchParams;
  stream: boolean;
  lastEventId: string | undefined;
  ifNoneMatch: string | undefined;
}

/** A Hallpass server that does what a test says. */
export class Hallpass {
  /** Every request that came. */
  readonly asked: Asked[] = [];
  readonly signer: Signer;
  /** The `iss` of its tokens. */
  readonly issuer = 'https://id.example';
  /** What `/.well-known/jwks.json` shows. */
  keys: object[];
  cacheControl = 'max-age=300';
  /** The status that each request is answered with, for as long as it is set. */
  keysStatus: number | undefined;
  feedStatus: number | undefined;
  streamStatus: number | undefined;
  /** An answer of the feed in the place of its own. */
  feedBody: string | undefined;
  /** Whether a stream stays open. */
  endless = true;
  /** No heartbeats: the server is not up to date with its log. */
  silent = false;
  /** The most lines in one answer. */
  page = 1_000;
  secret = CLIENT.secret;
  /** After so many wrong secrets the answer is another one. */
  wrongSecrets = 2;
  /** Whether a question for the keys is never answered. */
  keysHang = false;
  /** The newest history; a cursor of another one is not known. */
  #history = 1;
  #log: FeedLine[] = [];
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #beat: NodeJS.Timeout | undefined;

  private constructor(signer: Signer) {
    this.signer = signer;
    this.keys = [signer.jwk];
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** A server that is gone when the test is over. */
  static async start(t: TestContext, algorithm: Algorithm = 'ES256'): Promise<Hallpass> {
    const server = new Hallpass(new Signer(algorithm));
    await server.listen(0);
    server.#beat = setInterval(() => server.#heartbeat(), 50);
    t.after(() => {
      clearInterval(server.#beat);
      server.stop();
    });
    return server;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A verifier of this server's tokens, closed when the test is over, and what it reported. */
  verifier(t: TestContext, options: Partial<VerifierOptions> = {}): { verifier: Verifier; errors: ServerError[]; clock: TestClock } {
    const errors: ServerError[] = [];
    const clock = new TestClock();
    const verifier = new Verifier({
      issuer: this.issuer,
      audience: AUDIENCE,
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      baseUrl: this.url,
      onError: (error) => errors.push(error),
      clock,
      ...options,
    });
    t.after(() => verifier.close());
    return { verifier, errors, clock };
  }

  claims(claims: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1_000);
    return {
      iss: this.issuer,
      aud: AUDIENCE,
      sub: '7',
      client_id: 'hallpass',
      exp: now + 300,
      iat: now,
      jti: randomUUID(),
      sid: newSession(),
      auth_time: now,
      amr: ['pwd'],
      roles: [],
      account_version: 1,
      ...claims,
    };
  }

  token(claims: Record<string, unknown> = {}): string {
    return this.signer.token(this.claims(claims));
  }

  /** Appends lines to the log, and tells the open streams. */
  revoke(...lines: FeedLine[]): void {
    const from = this.#log.length;
    this.#log.push(...lines);
    for (const stream of this.#streams) this.#tell(stream, from, false);
  }

  /** The database was restored: a new history begins with these lines. */
  restore(...lines: FeedLine[]): void {
    this.#history += 1;
    this.#log = lines;
    for (const stream of this.#streams) this.#tell(stream, 0, true);
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  get cursor(): string {
    return this.#cursor(this.#log.length);
  }

  /** Writes to the open streams whatever it is. */
  write(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }

  /** Cuts every connection. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Cuts every connection, and takes no new one. */
  stop(): void {
    this.#server.close();
    this.cut();
  }

  feedRequests(): Asked[] {
    return this.asked.filter(({ path }) => path === '/api/v1/revocations');
  }

  keyRequests(): Asked[] {
    return this.asked.filter(({ path }) => path === '/.well-known/jwks.json');
  }

  #cursor(position: number): string {
    return `h${this.#history}.${position}`;
  }

  /** From where to go on behind a cursor; `undefined` where it is not known. */
  #position(cursor: string | undefined): number | undefined {
    const [, history, position] = /^h([0-9]+)\.([0-9]+)$/.exec(cursor ?? '') ?? [];
    return Number(history) === this.#history ? Number(position) : undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    const stream = request.headers.accept === 'text/event-stream';
    const lastEventId = request.headers['last-event-id'] as string | undefined;
    this.asked.push({ path: pathname, query: searchParams, stream, lastEventId, ifNoneMatch: request.headers['if-none-match'] });
    if (pathname === '/.well-known/jwks.json') {
      if (this.keysHang) return;
      if (this.keysStatus !== undefined) return this.#problem(response, this.keysStatus, 'unavailable');
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': this.cacheControl });
      response.end(JSON.stringify({ keys: this.keys }));
      return;
    }
    const basic = `Basic ${Buffer.from(`${CLIENT.id}:${this.secret}`).toString('base64')}`;
    if (request.headers.authorization !== basic) {
      this.wrongSecrets -= 1;
      return this.wrongSecrets < 0 ? this.#problem(response, 429, 'rate_limited') : this.#problem(response, 401, 'client_invalid');
    }
    const status = (stream ? this.streamStatus : undefined) ?? this.feedStatus;
    if (status !== undefined) return this.#problem(response, status, 'unavailable');
    if (stream) this.#open(response, lastEventId);
    else await this.#page(request, response, searchParams);
  }

  #problem(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'about:blank', title: code, status, code }));
  }

  async #page(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const since = query.get('since') ?? undefined;
    const known = this.#position(since);
    const waited = performance.now() + Number(query.get('wait') ?? '0') * 1_000;
    const news = (): boolean => this.#position(since) !== this.#log.length || this.feedBody !== undefined;
    while (since !== undefined && !news() && performance.now() < waited && !request.socket.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!news() && request.headers['if-none-match'] === `"${this.cursor}"`) {
      response.writeHead(304, { etag: `"${this.cursor}"` }).end();
      return;
    }
    const from = known ?? 0;
    const to = Math.min(from + this.page, this.#log.length);
    const body = {
      cursor: this.#cursor(to),
      more: to < this.#log.length,
      reset: since !== undefined && known === undefined,
      lines: this.#log.slice(from, to),
    };
    response.writeHead(200, { 'content-type': 'application/json', etag: `"${body.cursor}"` });
    response.end(this.feedBody ?? JSON.stringify(body));
  }

  #open(response: ServerResponse, since: string | undefined): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    if (!this.endless) return void response.end();
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    const known = this.#position(since);
    if (known !== this.#log.length) this.#tell(response, known ?? 0, since !== undefined && known === undefined);
  }

  #tell(stream: ServerResponse, from: number, reset: boolean): void {
    const data = JSON.stringify({ cursor: this.cursor, reset, lines: this.#log.slice(from) });
    stream.write(`event: lines\nid: ${this.cursor}\ndata: ${data}\n\n`);
  }

  #heartbeat(): void {
    if (!this.silent) this.write('event: heartbeat\ndata: {}\n\n');
  }
}
