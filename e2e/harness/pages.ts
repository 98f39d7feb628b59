/** What people do on the hosted pages, in English. */
import type { Locator, Page } from "playwright-core";

import { PASSWORD, type Server } from "./server";

/** The field that is labelled so. */
export function field(page: Page | Locator, label: string): Locator {
  // Mantine marks what is required in the label.
  return page.getByLabel(new RegExp(`^${label}( \\*)?$`));
}

export function button(page: Page | Locator, name: string): Locator {
  return page.getByRole("button", { name, exact: true });
}

export function link(page: Page | Locator, name: string): Locator {
  return page.getByRole("link", { name, exact: true });
}

/** The page's heading, which says where one is. */
export function heading(page: Page, name: string): Locator {
  return page.getByRole("heading", { level: 1, name, exact: true });
}

/** The way around the account, which only people see who are signed in. */
export function account(page: Page): Locator {
  return page.getByRole("navigation", { name: "Your account" });
}

/** Waits until the text is on the page. */
export async function reads(page: Page | Locator, text: string | RegExp): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
}

/** Fills the sign-in form in and sends it. */
export async function fillSignIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await field(page, "User name or e-mail address").fill(name);
  await field(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

/** Signs in at `/login` and waits until the account is there. */
export async function signIn(page: Page, server: Server, name: string, password = PASSWORD): Promise<void> {
  await page.goto(`${server.url}/login`);
  await fillSignIn(page, name, password);
  await account(page).waitFor();
}

/** Signs out by the menu of the account. */
export async function signOut(page: Page, name: string): Promise<void> {
  await page.getByRole("banner").getByRole("button", { name, exact: true }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await heading(page, "Sign in").waitFor();
}
