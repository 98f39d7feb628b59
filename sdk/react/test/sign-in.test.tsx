import { screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { SignInForm, SignedIn, SignedOut } from "../src/index.js";
import { show } from "./page.js";
import { ada, configuration, invalid, issued, json, later, problem } from "./server.js";

async function fillIn(name = "ada", password = "correct horse battery") {
  await userEvent.type(await screen.findByRole("textbox"), name);
  await userEvent.type(screen.getByLabelText("Password"), password);
}

const send = () => userEvent.click(screen.getByRole("button", { name: "Sign in" }));

test("what is typed signs in, and the page learns who", async () => {
  const onDone = vi.fn();
  const { sent } = show(
    <>
      <SignedOut>
        <SignInForm onDone={onDone} />
      </SignedOut>
      <SignedIn>Welcome</SignedIn>
    </>,
    { "POST /api/v1/login": () => issued() },
  );
  await fillIn(" ada ", " correct horse battery ");
  await userEvent.click(screen.getByRole("checkbox", { name: "Stay signed in" }));
  await send();
  await screen.findByText("Welcome");
  await waitFor(() => expect(onDone).toHaveBeenCalledWith(ada));
  expect(sent("POST /api/v1/login")).toEqual({
    username: "ada",
    password: " correct horse battery ",
    remember: true,
  });
  expect(screen.queryByRole("button")).toBeNull();
});

test("a wrong password is said aloud, has the focus, and what was typed stays", async () => {
  show(<SignInForm />, { "POST /api/v1/login": () => problem("invalid_credentials", 401) });
  await fillIn();
  await send();
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toBe("The server says invalid_credentials");
  expect(document.activeElement).toBe(alert);
  expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("ada");
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("correct horse battery");
});

test("a refusal for a while says for how long", async () => {
  const answers = [
    problem("rate_limited", 429, { retry_after: 30 }),
    problem("rate_limited", 429, { retry_after: 900 }),
  ];
  show(<SignInForm />, { "POST /api/v1/login": () => answers.shift() ?? issued() });
  await fillIn();
  await send();
  expect((await screen.findByRole("alert")).textContent).toBe("Too many attempts. Try again in 30 seconds.");
  await send();
  await waitFor(() =>
    expect(screen.getByRole("alert").textContent).toBe("Too many attempts. Try again in 15 minutes."),
  );
});

test("a server that is away is said to be", async () => {
  show(<SignInForm />, { "POST /api/v1/login": () => Promise.reject(new TypeError("Failed to fetch")) });
  await fillIn();
  await send();
  expect((await screen.findByRole("alert")).textContent).toMatch(/^The server cannot be reached/);
});

test("a double click sends once, and the form says that it is busy", async () => {
  const { answer, give } = later();
  const { asked } = show(<SignInForm />, { "POST /api/v1/login": () => answer });
  await fillIn();
  await userEvent.dblClick(screen.getByRole("button", { name: "Sign in" }));
  const form = screen.getByRole("button", { name: "Sign in" }).closest("form");
  await waitFor(() => expect(form?.getAttribute("aria-busy")).toBe("true"));
  await userEvent.keyboard("{Enter}");
  give(problem("invalid_credentials", 401));
  await screen.findByRole("alert");
  expect(asked.filter((name) => name === "POST /api/v1/login")).toHaveLength(1);
  expect(form?.getAttribute("aria-busy")).toBe("false");
});

test("each empty field is told, the first has the focus, and nothing is sent", async () => {
  const { asked } = show(<SignInForm />);
  await screen.findByRole("textbox");
  await send();
  const name = screen.getByRole("textbox", {
    name: "User name or e-mail address",
    description: "Fill in this field",
  });
  expect(name.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(name);
  expect(screen.getByLabelText("Password").getAttribute("aria-invalid")).toBe("true");
  expect(screen.queryByRole("alert")).toBeNull();
  expect(asked).not.toContain("POST /api/v1/login");
});

test("an error of a value that the form does not ask for is not lost", async () => {
  show(<SignInForm />, { "POST /api/v1/login": () => invalid(["device_token", "wrong_type"]) });
  await fillIn();
  await send();
  expect((await screen.findByRole("alert")).textContent).toBe("The server says wrong_type");
});

test("a password can be looked at, and is hidden while it is sent", async () => {
  const { answer, give } = later();
  show(<SignInForm />, { "POST /api/v1/login": () => answer });
  await fillIn();
  const password = screen.getByLabelText<HTMLInputElement>("Password");
  const toggle = screen.getByRole("button", { name: "Show password", pressed: false });
  expect(password.type).toBe("password");
  await userEvent.click(toggle);
  expect(password.type).toBe("text");
  expect(toggle.getAttribute("aria-pressed")).toBe("true");
  await send();
  expect(password.type).toBe("password");
  give(issued());
  await waitFor(() => expect(password.value).toBe(""));
});

test("password managers know the fields by their names, and pasting works", async () => {
  const { sent } = show(<SignInForm />, { "POST /api/v1/login": () => issued() });
  const name = await screen.findByRole<HTMLInputElement>("textbox");
  const password = screen.getByLabelText<HTMLInputElement>("Password");
  expect([name.autocomplete, name.name]).toEqual(["username", "username"]);
  expect([password.autocomplete, password.name]).toEqual(["current-password", "password"]);
  // A manager writes the value; it presses no keys.
  name.value = "ada";
  await userEvent.click(password);
  await userEvent.paste("correct horse battery");
  await send();
  await waitFor(() =>
    expect(sent("POST /api/v1/login")).toMatchObject({ password: "correct horse battery" }),
  );
});

test.each([
  ["off", "required", "E-mail address", "email"],
  ["required", "off", "User name", "text"],
  ["required", "required", "User name or e-mail address", "text"],
])(
  "where the user name is %s and the address %s it asks for: %s",
  async (username, email, label, keyboard) => {
    show(<SignInForm />, { "GET /api/v1/configuration": () => json({ ...configuration, username, email }) });
    const name = await screen.findByRole("textbox", { name: label });
    expect(name.getAttribute("inputmode")).toBe(keyboard);
  },
);
