import { expect, test } from "vitest";
import { de } from "../src/i18n/de";
import { en } from "../src/i18n/en";
import { deviceOf, isMobile } from "../src/ui/device";

const CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";

const DEVICES: [string, string, boolean][] = [
  ["Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Linux", false],
  ["Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0", "Firefox on Android", true],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, "Chrome on Windows", false],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/140.0.0.0`, "Edge on Windows", false],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36 OPR/124.0.0.0`, "Opera on macOS", false],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, "Chrome on ChromeOS", false],
  [
    `Mozilla/5.0 (Linux; Android 14; SM-S911B) ${CHROME} SamsungBrowser/28.0 Mobile Safari/537.36`,
    "Samsung Internet on Android",
    true,
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Safari on macOS",
    false,
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Safari on iPhone",
    true,
  ],
  [
    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1",
    "Chrome on iPad",
    true,
  ],
  ["curl/8.14.1", "curl", false],
  ["python-requests/2.32.5", "python-requests", false],
  ["okhttp", "okhttp", false],
  ["Mozilla/5.0", "Unknown device", false],
  ["", "Unknown device", false],
];

test("a device has a name that people know", () => {
  for (const [userAgent, name, mobile] of DEVICES) {
    expect(deviceOf(en, userAgent), userAgent).toBe(name);
    expect(isMobile(userAgent), userAgent).toBe(mobile);
  }
  expect(deviceOf(en, null)).toBe("Unknown device");
  expect(deviceOf(de, DEVICES[0]?.[0] ?? "")).toBe("Firefox auf Linux");
});
