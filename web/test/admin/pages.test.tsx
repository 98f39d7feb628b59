import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { person, Refusal, show } from "./show";

/** The answer of a list of people that goes on, page by page. */
function pages({ query }: { query: URLSearchParams }) {
  const page = Number(query.get("cursor")?.slice(1) ?? 1);
  const next = page < 3 ? `c${page + 1}` : null;
  return { accounts: [person({ id: page * 10, username: `person${page}` })], next };
}

function validation(field: string, code: string) {
  const problem = { code: "validation_failed", status: 400, title: "", detail: "", errors: [{ field, code, detail: code }] };
  return new Refusal(400, problem);
}

test("somebody without rights is told so", async () => {
  await show("/admin", "nobody", {});
  expect(await screen.findByRole("heading", { name: "This is not for you" })).toBeTruthy();
  expect(screen.queryByRole("navigation")).toBeNull();
});

test("the helpdesk is not offered what it may not do", async () => {
  await show("/admin/people/7", "helpdesk", { "GET /accounts/7": () => person({ first_name: "Bob" }) });
  expect(await screen.findByRole("button", { name: "Deactivate" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Send a reset link" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "End all sessions" })).toBeTruthy();
  expect(screen.getByLabelText("First name")).toBeTruthy();
  for (const title of ["Roles", "Standing", "User name and address"]) {
    expect(screen.queryByRole("heading", { name: title }), title).toBeNull();
  }
});

test("the helpdesk can only look at somebody who has rights", async () => {
  for (const rights of [{ is_staff: true }, { is_superuser: true }, { roles: ["hallpass:helpdesk"] }]) {
    const { asked } = await show("/admin/people/8", "helpdesk", { "GET /accounts/8": () => person({ id: 8, ...rights }) });
    expect((await screen.findAllByText(/Only superusers can change it/)).length).toBeGreaterThan(0);
    expect(screen.queryByRole("button", { name: "Deactivate" })).toBeNull();
    expect(screen.queryByLabelText("First name")).toBeNull();
    expect(asked).toContain("GET /accounts/8");
    document.body.replaceChildren();
  }
});

test("the helpdesk is offered no form for a new account", async () => {
  await show("/admin/people/new", "helpdesk", {});
  expect(await screen.findByText("Only superusers can create accounts here.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Create the account" })).toBeNull();
});

test("a superuser is offered everything", async () => {
  await show("/admin/people/7", "superuser", { "GET /accounts/7": () => person({}) });
  for (const title of ["Access", "Profile", "Roles", "Standing", "User name and address"]) {
    expect(await screen.findByRole("heading", { name: title }), title).toBeTruthy();
  }
});

test("keys are rotated by superusers only", async () => {
  const keys = { "GET /keys": () => ({ keys: [] }) };
  await show("/admin/keys", "helpdesk", keys);
  expect(await screen.findByText("Only superusers can rotate keys.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Rotate the key" })).toBeNull();
});

test("a key is rotated once somebody confirms it", async () => {
  const user = userEvent.setup();
  const { asked } = await show("/admin/keys", "superuser", {
    "GET /keys": () => ({ keys: [] }),
    "POST /keys/rotate": () => ({ keys: [] }),
  });
  await user.click(await screen.findByRole("button", { name: "Rotate the key" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog.textContent).toContain("Nobody is signed out");
  expect(asked).not.toContain("POST /keys/rotate");
  await user.click(within(dialog).getByRole("button", { name: "Rotate the key" }));
  await screen.findByText("Another key signs from now on.");
  expect(asked).toContain("POST /keys/rotate");
});

test("one can go through people, and back", async () => {
  const user = userEvent.setup();
  const { history } = await show("/admin/people", "superuser", { "GET /accounts": pages });
  await screen.findByText("person1");
  expect(screen.getByRole("button", { name: "Previous" }).getAttribute("aria-disabled")).toBe("true");
  for (const page of [2, 3]) {
    await user.click(screen.getByRole("button", { name: "Next" }));
    await screen.findByText(`person${page}`);
    expect(history.location.href).toContain(`cursor=c${page}`);
    expect(screen.getByText(`Page ${page}`)).toBeTruthy();
  }
  expect(screen.getByRole("button", { name: "Next" }).getAttribute("aria-disabled")).toBe("true");
  for (const page of [2, 1]) {
    await user.click(screen.getByRole("button", { name: "Previous" }));
    await screen.findByText(`person${page}`);
  }
  expect(history.location.href).not.toContain("cursor");
});

test("who comes to a later page by its address can go to the first", async () => {
  const user = userEvent.setup();
  await show("/admin/people?cursor=c3", "superuser", { "GET /accounts": pages });
  await screen.findByText("person3");
  await user.click(screen.getByRole("button", { name: "First page" }));
  expect(await screen.findByText("person1")).toBeTruthy();
});

test("filters are in the address, and begin at the first page", async () => {
  const user = userEvent.setup();
  const { history, asked } = await show("/admin/people?cursor=c2&verified=true", "superuser", { "GET /accounts": pages });
  await screen.findByText("person2");
  expect(asked).toContain("GET /accounts?cursor=c2&limit=25&verified=true");
  await user.selectOptions(screen.getByLabelText("Status"), "deactivated");
  await user.type(screen.getByLabelText("Search"), "bob");
  await waitFor(() => expect(asked).toContain("GET /accounts?limit=25&search=bob&status=deactivated&verified=true"));
  const said = () => Object.fromEntries(new URLSearchParams(history.location.search));
  expect(said()).toEqual({ search: "bob", status: "deactivated", verified: "true" });
  await user.clear(screen.getByLabelText("Search"));
  await waitFor(() => expect(said()).toEqual({ status: "deactivated", verified: "true" }));
});

test("the column says how it is sorted", async () => {
  const user = userEvent.setup();
  await show("/admin/people", "superuser", { "GET /accounts": pages });
  const header = await screen.findByRole("columnheader", { name: /Created/ });
  expect(header.getAttribute("aria-sort")).toBe("descending");
  await user.click(within(header).getByRole("button"));
  await waitFor(() =>
    expect(screen.getByRole("columnheader", { name: /Created/ }).getAttribute("aria-sort")).toBe("ascending"),
  );
});

test("days in the address are whole days of the reader", async () => {
  const { asked } = await show("/admin/events?since=2026-03-01&until=2026-03-02&event=signed_in", "superuser", {});
  await screen.findByText("Nothing of this kind has happened.");
  const query = new URLSearchParams(asked.find((one) => one.startsWith("GET /events"))?.split("?")[1]);
  expect(Number(query.get("since"))).toBe(new Date(2026, 2, 1).getTime() / 1000);
  expect(Number(query.get("until"))).toBe(new Date(2026, 2, 3).getTime() / 1000 - 1);
  expect(query.get("event")).toBe("signed_in");
});

test("what the server refuses is said at the field", async () => {
  const user = userEvent.setup();
  let body: unknown;
  await show("/admin/people/7", "superuser", {
    "GET /accounts/7": () => person({}),
    "PATCH /accounts/7": (asked) => {
      body = asked.body;
      return validation("email", "email_invalid");
    },
    "PUT /accounts/7/roles/a%20b": () => validation("role", "role_invalid"),
  });
  const field = await screen.findByLabelText("E-mail address");
  await user.clear(field);
  await user.type(field, "nowhere");
  const section = screen.getByRole("region", { name: "User name and address" });
  await user.click(within(section).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
  expect(within(section).getByText(/such as name@example.com/)).toBeTruthy();
  expect(body).toEqual({ email: "nowhere" });
  await user.type(screen.getByLabelText("New role"), "a b");
  await user.click(screen.getByRole("button", { name: "Add" }));
  expect(await screen.findByText(/A role has 1 to 64/)).toBeTruthy();
});

test("a custom field that cannot be read is said at its field, and not sent", async () => {
  const user = userEvent.setup();
  const { asked } = await show("/admin/people/7", "helpdesk", { "GET /accounts/7": () => person({}) });
  const section = within(await screen.findByRole("region", { name: "Profile" }));
  const settings = section.getByLabelText("Settings");
  await user.click(settings);
  await user.paste("{'theme': 'dark'}");
  await user.type(section.getByLabelText("Born"), "12 May");
  await user.click(section.getByRole("button", { name: "Save" }));
  expect(await section.findByText(/This is not JSON/)).toBeTruthy();
  expect(section.getByText(/Enter a whole number/)).toBeTruthy();
  expect(settings.getAttribute("aria-invalid")).toBe("true");
  expect(section.queryByRole("alert")).toBeNull();
  expect(asked).not.toContain("PATCH /accounts/7");
});

test("a custom field that the server refuses is said at its field, or at the form if it names none", async () => {
  const user = userEvent.setup();
  let field = "profile.born";
  await show("/admin/people/7", "helpdesk", {
    "GET /accounts/7": () => person({ profile: { born: 1912 } }),
    "PATCH /accounts/7": () => validation(field, "profile_invalid"),
  });
  const section = within(await screen.findByRole("region", { name: "Profile" }));
  await user.click(section.getByRole("button", { name: "Save" }));
  expect(await section.findByText(/Not allowed: text has at most/)).toBeTruthy();
  expect(section.getByLabelText("Born").getAttribute("aria-invalid")).toBe("true");
  expect(section.queryByRole("alert")).toBeNull();
  field = "profile";
  await user.click(section.getByRole("button", { name: "Save" }));
  expect((await section.findByRole("alert")).textContent).toContain("Not allowed: text has at most");
});

test("what follows from a change is on the page at once", async () => {
  const user = userEvent.setup();
  let account = person({});
  await show("/admin/people/7", "helpdesk", {
    "GET /accounts/7": () => account,
    "POST /accounts/7/deactivate": () => (account = person({ is_active: false })),
  });
  await user.click(await screen.findByRole("button", { name: "Deactivate" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Deactivate" }));
  expect(await screen.findByRole("button", { name: "Activate" })).toBeTruthy();
  expect(screen.getByText("Deactivated")).toBeTruthy();
});
