import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { StrictMode } from "react";
import { expect, test, vi } from "vitest";
import {
  AccountForm,
  ChangeEmailForm,
  ChangePasswordForm,
  DeleteAccountForm,
  Field,
  ForgottenPasswordForm,
  ProfileFields,
  ResetPasswordForm,
  SignUpForm,
} from "../src/index.js";
import { show } from "./page.js";
import { ada, configuration, empty, invalid, issued, json, problem, signedIn } from "./server.js";

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));
const type = async (label: string, text: string) => userEvent.type(await screen.findByLabelText(label), text);
const configured = (more: object) => ({
  "GET /api/v1/configuration": () => json({ ...configuration, ...more }),
});

test("a new account: what the server refuses is told at each field, then it is made", async () => {
  const answers = [
    invalid(["password", "password_too_short"], ["username", "username_invalid"]),
    problem("username_taken", 409),
    issued(),
  ];
  const onDone = vi.fn();
  const { sent } = show(<SignUpForm onDone={onDone} />, {
    "POST /api/v1/signup": () => answers.shift() ?? empty(),
  });
  await type("User name", "ada");
  await type("Password", "short");
  await press("Create account");
  const name = await screen.findByRole("textbox", {
    name: "User name",
    description: "The server says username_invalid",
  });
  expect(document.activeElement).toBe(name);
  const password = screen.getByLabelText("Password");
  expect(password.getAttribute("aria-invalid")).toBe("true");
  expect(password.getAttribute("aria-describedby")?.split(" ")).toHaveLength(2);

  await type("E-mail address (optional)", "ada@example.com");
  await press("Create account");
  await screen.findByRole("textbox", { name: "User name", description: "The server says username_taken" });
  expect(password.getAttribute("aria-invalid")).toBeNull();
  expect(screen.queryByRole("alert")).toBeNull();

  await press("Create account");
  await waitFor(() => expect(onDone).toHaveBeenCalledWith({ status: "signed_in", user: ada }));
  expect(sent("POST /api/v1/signup")).toEqual({
    username: "ada",
    email: "ada@example.com",
    password: "short",
    profile: {},
    remember: false,
  });
});

test("a new account asks for a new password, and for what the server wants alone", async () => {
  show(<SignUpForm />, configured({ username: "off", email: "required", password_min_length: 20 }));
  const email = await screen.findByRole<HTMLInputElement>("textbox", { name: "E-mail address" });
  expect([email.type, email.required, email.autocomplete]).toEqual(["email", true, "username"]);
  const password = screen.getByLabelText<HTMLInputElement>("Password");
  expect([password.autocomplete, password.minLength]).toEqual(["new-password", 20]);
  screen.getByText(/^At least 20 characters/);
  expect(screen.queryByLabelText("User name")).toBeNull();
});

test("a new account takes further fields, and boxes that have to be ticked", async () => {
  const { sent } = show(
    <SignUpForm>
      <Field name="first_name" autoComplete="given-name" />
      <ProfileFields />
      <Field name="terms" type="checkbox" label="I agree" required />
    </SignUpForm>,
    {
      ...configured({ profile: { floor: "integer", company: "string" } }),
      "POST /api/v1/signup": () => issued(),
    },
    { messages: { "profile.company": "Company" } },
  );
  await type("User name", "ada");
  await type("Password", "correct horse battery");
  await type("First name", "Ada");
  await type("Company", "Analytical Engines");
  await press("Create account");
  const terms = screen.getByRole("checkbox", { name: "I agree", description: "Tick this box to go on" });
  expect(document.activeElement).toBe(terms);
  expect(sent("POST /api/v1/signup")).toBeUndefined();
  await userEvent.click(terms);
  await press("Create account");
  await waitFor(() =>
    expect(sent("POST /api/v1/signup")).toEqual({
      username: "ada",
      first_name: "Ada",
      password: "correct horse battery",
      profile: { company: "Analytical Engines", floor: null },
      remember: false,
    }),
  );
});

test("a new account whose address has to be verified is told to look at the mail", async () => {
  show(<SignUpForm />, { "POST /api/v1/signup": () => empty(202) });
  await type("User name", "ada");
  await type("Password", "correct horse battery{Enter}");
  await screen.findByText("We have sent you an e-mail. Follow its link, then sign in.");
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("");
});

test("where nobody can make an account or get mail, there is no form but a reason", async () => {
  const { container } = show(
    <>
      <SignUpForm />
      <ForgottenPasswordForm />
      <ChangeEmailForm />
    </>,
    configured({ sign_up: false, mail: false }),
  );
  await screen.findByText("New accounts cannot be made here.");
  expect(screen.getAllByText(/^This server sends no e-mail/)).toHaveLength(2);
  expect(container.querySelector("form")).toBeNull();
});

test("a forgotten password: a mail is on its way", async () => {
  const { sent } = show(<ForgottenPasswordForm />, {
    "POST /api/v1/password-reset/request": () => empty(202),
  });
  const email = await screen.findByRole<HTMLInputElement>("textbox", { name: "E-mail address" });
  expect([email.autocomplete, email.inputMode]).toEqual(["email", "email"]);
  await userEvent.type(email, "ada@example.com{Enter}");
  await screen.findByText(/^If an account has this address/);
  expect(sent("POST /api/v1/password-reset/request")).toEqual({ email: "ada@example.com" });
});

test("a new password by the mailed link, whose secret leaves the address at once", async () => {
  location.hash = "#token=hpt_secret";
  const answers = [problem("link_invalid", 400), empty()];
  const { sent } = show(
    <StrictMode>
      <ResetPasswordForm />
    </StrictMode>,
    { "POST /api/v1/password-reset": () => answers.shift() ?? empty() },
  );
  await type("New password", "correct horse battery{Enter}");
  expect(location.href).not.toContain("hpt_secret");
  expect((await screen.findByRole("alert")).textContent).toBe("The server says link_invalid");
  await press("Set password");
  await screen.findByText(/^Your password is set/);
  expect(sent("POST /api/v1/password-reset")).toEqual({
    token: "hpt_secret",
    new_password: "correct horse battery",
  });
});

test("the profile: as it is, changed, and as it is then", async () => {
  const profile: object = { company: "Engines", floor: 3, plan: { seats: 2 } };
  let user = { ...ada, profile: profile as typeof ada.profile };
  const { sent } = show(<AccountForm />, {
    ...configured({ profile: { company: "string", floor: "integer", letters: "boolean", plan: "json" } }),
    "POST /api/v1/refresh": () => issued(user),
    "PATCH /api/v1/me": () => {
      user = { ...user, first_name: "Augusta" };
      return json(user);
    },
  });
  const first = await screen.findByLabelText<HTMLInputElement>("First name");
  expect([first.value, first.autocomplete]).toEqual(["Ada", "given-name"]);
  expect(screen.getByLabelText<HTMLInputElement>("company").value).toBe("Engines");
  expect(screen.queryByLabelText("plan")).toBeNull();
  await userEvent.clear(first);
  await userEvent.type(first, "Augusta");
  await userEvent.clear(screen.getByLabelText("company"));
  await userEvent.click(screen.getByRole("checkbox", { name: "letters" }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Language of e-mails" }), "Deutsch");
  await press("Save");
  await screen.findByText("Saved.");
  expect(sent("PATCH /api/v1/me")).toEqual({
    first_name: "Augusta",
    last_name: "",
    locale: "de",
    profile: { company: null, floor: 3, letters: true },
  });
  expect(first.value).toBe("Augusta");
});

test("another password: the wrong current one is told at its field", async () => {
  const answers = [problem("password_incorrect", 403), empty()];
  const { sent, container } = show(<ChangePasswordForm />, {
    ...signedIn,
    "POST /api/v1/password": () => answers.shift() ?? empty(),
  });
  await type("Current password", "correct horse battery");
  await type("New password", "staple correct horse");
  await waitFor(() =>
    expect(container.querySelector<HTMLInputElement>("input[autocomplete=username]")?.value).toBe("ada"),
  );
  await press("Change password");
  await screen.findByText("This is not the current password");
  expect(document.activeElement).toBe(screen.getByLabelText("Current password"));
  await press("Change password");
  await screen.findByText(/^Your password is changed/);
  expect(screen.getByLabelText<HTMLInputElement>("New password").value).toBe("");
  expect(sent("POST /api/v1/password")).toEqual({
    current_password: "correct horse battery",
    new_password: "staple correct horse",
  });
});

test("another address: the link goes there", async () => {
  const { sent } = show(<ChangeEmailForm />, {
    ...signedIn,
    "POST /api/v1/email-change/request": () => empty(202),
  });
  await type("New e-mail address", "ada@example.org");
  await type("Current password", "correct horse battery{Enter}");
  await screen.findByText(/^We have sent an e-mail to the new address/);
  expect(sent("POST /api/v1/email-change/request")).toEqual({
    email: "ada@example.org",
    password: "correct horse battery",
  });
});

test("the end of an account: after so many days, and signed out at once", async () => {
  const onDone = vi.fn();
  const { hallpass } = show(<DeleteAccountForm onDone={onDone} />, {
    ...signedIn,
    "POST /api/v1/account-deletion": () => json({ delete_at: 1_800_000_000 }, 202),
  });
  await screen.findByText("The account is deleted after 14 days. Signing in before then keeps it.");
  await type("Current password", "correct horse battery{Enter}");
  await screen.findByText(/^Your account will be deleted on Jan 15, 2027/);
  expect(hallpass.user).toBeNull();
  expect(onDone).toHaveBeenCalledWith({ delete_at: 1_800_000_000 });
});

test("each form and part can be found by style sheets", async () => {
  const { container } = show(<SignUpForm className="narrow" />);
  await screen.findByRole("button", { name: "Create account" });
  const form = container.querySelector<HTMLElement>("form.narrow[data-hallpass=sign-up]");
  if (!form) throw new Error("no form");
  expect(form.querySelectorAll("[data-hallpass=field]")).toHaveLength(4);
  expect(form.querySelectorAll("[data-hallpass=field][data-type=checkbox]")).toHaveLength(1);
  within(form).getByRole("status");
});
