/** What a device calls itself, in two words. It is a guess: a program can send what it likes. */

// Edge, Opera and Samsung also name Chrome, and Chrome names Safari: the first that fits is it.
const BROWSERS = {
  "Edge": /\bEdg(e|A|iOS)?\//,
  "Opera": /\bOPR\//,
  "Samsung Internet": /\bSamsungBrowser\//,
  "Firefox": /\b(Firefox|FxiOS)\//,
  "Chrome": /\b(Chrome|Chromium|HeadlessChrome|CriOS)\//,
  "Safari": /\bSafari\//,
};
// An Android also names Linux, an iPhone Mac OS X.
const SYSTEMS = {
  iPhone: /\biPhone\b/,
  iPad: /\biPad\b/,
  Android: /\bAndroid\b/,
  Windows: /\bWindows\b/,
  ChromeOS: /\bCrOS\b/,
  macOS: /\bMac OS X\b/,
  Linux: /\bLinux\b/,
};

export interface Device {
  /** Of other programs, their own name. */
  browser: string | undefined;
  system: string | undefined;
}

/** The browser and the operating system by a `User-Agent` header. */
export function deviceOf(userAgent: string | null): Device {
  const find = (names: Record<string, RegExp>) =>
    Object.keys(names).find((name) => names[name]?.test(userAgent ?? ""));
  const program = /^[^\s/(]{1,40}/.exec(userAgent ?? "")?.[0];
  return { browser: find(BROWSERS) ?? (program === "Mozilla" ? undefined : program), system: find(SYSTEMS) };
}
