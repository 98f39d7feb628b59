import { type Browser, chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the distribution's Chromium with a fresh profile; `home` is the folder of a user with settings of their own. */
export function launch({ flags = [], home }: { flags?: string[]; home?: string }): Promise<Browser> {
  const environment = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [...FLAGS, ...flags],
    env: { ...Object.fromEntries(environment), ...(home === undefined ? {} : { HOME: home }) },
  });
}
