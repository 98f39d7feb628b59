/** Looks at a page as people do who see it, and as those who do not. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const FOLDER = fileURLToPath(new URL("../screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };

/**
 * Takes pictures of the page, light and dark, on a phone and on a desktop, as `NAME-THEME-SIZE.png`; fails where people
 * who use assistive technology would be stopped, or where a phone would have to scroll sideways.
 */
export async function look(page: Page, name: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await page.getByRole("heading").first().waitFor();
  // Nothing looks as if the pointer were on it.
  await page.mouse.move(0, 0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await settled(page);
      if (size === "phone") await fits(page, `${name}, ${colorScheme}`);
      await page.screenshot({ path: `${FOLDER}${name}-${colorScheme}-${size}.png`, fullPage: true });
      // What is hidden on the one is shown on the other; their colours are the same.
      if (colorScheme === "light" || size === "desktop") await axe(page, `${name}, ${colorScheme}, ${size}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Fails on serious and critical findings of axe (WCAG 2.2, levels A and AA, and good practice). */
export async function axe(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  // The debugger's way in is open under any policy; that of a script element is not.
  await session.send("Runtime.evaluate", { expression: AXE });
  // Axe takes what has no colour for white. In a dark page it is dark.
  await page.evaluate(() => {
    const root = document.documentElement;
    if (getComputedStyle(root).backgroundColor === "rgba(0, 0, 0, 0)") root.style.backgroundColor = "canvas";
  });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ resultTypes: ["violations"] })`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  if (exceptionDetails !== undefined) throw new Error(`axe on ${name}: ${exceptionDetails.text}`);
  const { violations } = result.value as AxeResults;
  const findings = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.html} ${node.any[0]?.message ?? ""}`).join("\n")}`);
  // What follows on the page is looked at all the same.
  expect.soft(findings, `accessible: ${name}`).toEqual([]);
}

async function fits(page: Page, name: string): Promise<void> {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(beyond, `pixels beyond the right edge of a phone: ${name}`).toBeLessThanOrEqual(0);
}

/** What stands in for something that is still being asked for. */
const PENDING = "[aria-busy=true], .mantine-Loader-root, .mantine-Skeleton-root";

/** Waits until everything is there and nothing moves. */
async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.locator(PENDING).count()).toBe(0);
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const running = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
    await Promise.allSettled(running.map((one) => one.finished));
  });
}
