/**
 * Somebody with a browser of their own: a fresh context whose pages are watched for errors.
 *
 * A test in which anything goes wrong that it did not announce fails at its end.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

/** How long an action of a visitor may take, in milliseconds. */
const PATIENCE = 30_000;

export class Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong and was not announced. */
  readonly problems: string[] = [];
  /** Browsers report it as an error that nobody is signed in, which is how every front end finds out. */
  readonly #announced = [/status of 401 .*\/api\/v1\/refresh\)/];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    this.#watch();
  }

  static async open(browser: Browser, options: BrowserContextOptions): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      locale: "en-US",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    // What the policy refuses is told to the page alone.
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return new Visitor(context, await context.newPage());
  }

  /** Says beforehand what will go wrong, as it stands in the browser's console. */
  announce(...problems: RegExp[]): void {
    this.#announced.push(...problems);
  }

  /** Says beforehand that requests for `path` are answered with `status`, which browsers report as errors. */
  announceStatus(status: number, path: string): void {
    const address = path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    this.announce(new RegExp(`status of ${status} .*${address}`));
  }

  /** The value of a cookie, those included that no script may read. */
  async cookie(name: string): Promise<string | undefined> {
    const cookies = await this.context.cookies();
    return cookies.find((cookie) => cookie.name === name)?.value;
  }

  #watch(): void {
    this.context.on("console", (message) => {
      if (message.type() !== "error") return;
      this.#note(`${message.text()} (${message.location().url}) on ${message.page()?.url()}`);
    });
    this.context.on("weberror", (problem) => this.#note(`not caught: ${problem.error().stack}`));
    this.context.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // A page that is left gives its requests up.
      if (reason !== "net::ERR_ABORTED") this.#note(`${reason} ${request.method()} ${request.url()}`);
    });
  }

  #note(problem: string): void {
    if (!this.#announced.some((pattern) => pattern.test(problem))) this.problems.push(problem);
  }
}
