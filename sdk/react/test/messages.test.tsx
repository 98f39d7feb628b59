import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test } from "vitest";
import { SignInForm, SignUpForm } from "../src/index.js";
import { english, german } from "../src/messages.js";
import { show } from "./page.js";
import { invalid, problem } from "./server.js";

test("German has all that English has, with the same places for values", () => {
  const places = (text: string | undefined) => text?.match(/\{\w+\}/g)?.sort();
  for (const [name, text] of Object.entries(english)) {
    expect([name, places(german[name])]).toEqual([name, places(text)]);
  }
});

test("in German, also when something fails", async () => {
  show(
    <SignInForm />,
    { "POST /api/v1/login": () => problem("rate_limited", 429, { retry_after: 30 }) },
    { locale: "de-AT" },
  );
  await userEvent.type(
    await screen.findByRole("textbox", { name: "Benutzername oder E-Mail-Adresse" }),
    "ada",
  );
  await userEvent.type(screen.getByLabelText("Passwort"), "richtiges pferd batterie");
  await userEvent.click(screen.getByRole("button", { name: "Anmelden" }));
  expect((await screen.findByRole("alert")).textContent).toBe(
    "Zu viele Versuche. Versuchen Sie es in 30 Sekunden noch einmal.",
  );
});

test("errors at fields are German by their codes, and the account gets the page's language", async () => {
  const { sent } = show(
    <SignUpForm />,
    { "POST /api/v1/signup": () => invalid(["password", "password_too_short"], ["password", "a_new_code"]) },
    { locale: "de-AT" },
  );
  await userEvent.type(await screen.findByRole("textbox", { name: "Benutzername" }), "ada");
  await userEvent.type(screen.getByLabelText("Passwort"), "kurz{Enter}");
  const told = "Nehmen Sie mindestens 15 Zeichen; ein paar ungewöhnliche Wörter lassen sich leicht merken";
  await screen.findByText(`${told}. The server says a_new_code`);
  expect(sent("POST /api/v1/signup")).toMatchObject({ locale: "de-AT" });
});

test("any text can be replaced", async () => {
  const messages = { "sign_in": "Come in", "error.invalid_credentials": "No" };
  show(<SignInForm />, { "POST /api/v1/login": () => problem("invalid_credentials", 401) }, { messages });
  await userEvent.type(await screen.findByRole("textbox"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "correct horse battery");
  await userEvent.click(screen.getByRole("button", { name: "Come in" }));
  expect((await screen.findByRole("alert")).textContent).toBe("No");
});
