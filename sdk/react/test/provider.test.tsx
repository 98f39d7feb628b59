import type { Hallpass } from "@hallpass/client";
import { act, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";
import {
  HallpassProvider,
  SignInForm,
  SignUpForm,
  SignedIn,
  SignedOut,
  useAuth,
  useUser,
} from "../src/index.js";
import { show } from "./page.js";
import { ada, configuration, issued, json, later, problem, signedIn } from "./server.js";

const navigation = (
  <>
    <SignedIn fallback="Wait in">In</SignedIn>
    <SignedOut>Out</SignedOut>
  </>
);

test("nothing is shown before it is known who is signed in, but what was asked for instead", async () => {
  const { answer, give } = later();
  const { container } = show(navigation, { "POST /api/v1/refresh": () => answer });
  expect(container.textContent).toBe("Wait in");
  give(issued());
  await screen.findByText("In");
  expect(container.textContent).toBe("In");
});

test("the page follows signing in and out", async () => {
  const { container, hallpass } = show(navigation, { "POST /api/v1/login": () => issued() });
  await screen.findByText("Out");
  await act(() => hallpass.signIn({ username: "ada", password: "correct horse battery" }));
  expect(container.textContent).toBe("In");
  await act(() => hallpass.signOut());
  expect(container.textContent).toBe("Out");
});

test("`useAuth` is the client with what is true now", async () => {
  function Status() {
    const { status, user, error, signOut } = useAuth();
    return <button onClick={() => void signOut()}>{`${status} ${user?.username} ${error?.code}`}</button>;
  }
  const answers = [() => issued(), () => problem("unavailable", 503)];
  const { hallpass } = show(<Status />, { "POST /api/v1/refresh": () => answers.shift()?.() ?? issued() });
  expect(screen.getByRole("button").textContent).toBe("unknown undefined undefined");
  await screen.findByRole("button", { name: "signed_in ada undefined" });
  await act(() => hallpass.refresh().catch(() => undefined));
  expect(screen.getByRole("button").textContent).toBe("signed_in ada unavailable");
  await userEvent.click(screen.getByRole("button"));
  expect(screen.getByRole("button").textContent).toBe("signed_out undefined undefined");
});

test("in strict mode there is one refresh and one look at the configuration", async () => {
  const page = (
    <StrictMode>
      {navigation}
      <SignInForm />
      <SignUpForm />
    </StrictMode>
  );
  const { asked } = show(page, signedIn);
  await screen.findByText("In");
  await screen.findByRole("button", { name: "Sign in" });
  expect(asked.sort()).toEqual(["GET /api/v1/configuration", "POST /api/v1/refresh"]);
});

test("what is taken off the page listens no longer", async () => {
  function Name() {
    return <p>{useUser()?.username}</p>;
  }
  const listening = new Set<unknown>();
  const { unmount, hallpass } = show(<p>Nothing yet</p>, signedIn);
  await hallpass.ready;
  const watched: Hallpass = {
    ...hallpass,
    onChange: (listener) => {
      listening.add(listener);
      return () => void listening.delete(listener);
    },
  };
  unmount();
  const page = show(
    <HallpassProvider client={watched}>
      <Name />
      {navigation}
    </HallpassProvider>,
  );
  expect(listening.size).toBeGreaterThan(0);
  page.unmount();
  expect(listening.size).toBe(0);
});

test("a form that has gone before its answer says nothing and breaks nothing", async () => {
  const complaint = vi.spyOn(console, "error");
  const { answer, give } = later();
  const onDone = vi.fn();
  const { unmount } = show(<SignInForm onDone={onDone} />, { "POST /api/v1/login": () => answer });
  await userEvent.type(await screen.findByRole("textbox"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "correct horse battery{Enter}");
  unmount();
  give(issued());
  await waitFor(() => expect(onDone).toHaveBeenCalledWith(ada));
  expect(complaint).not.toHaveBeenCalled();
});

test("a page made on a server is one where nothing is known yet", () => {
  const { hallpass } = show(<p>The same page in the browser</p>, signedIn);
  const page = (
    <HallpassProvider client={hallpass}>
      {navigation}
      <SignInForm />
    </HallpassProvider>
  );
  expect(renderToString(page)).toBe("Wait in");
});

test("a server that is away can be asked again", async () => {
  const answers = [problem("unavailable", 503), json(configuration)];
  show(<SignInForm />, { "GET /api/v1/configuration": () => answers.shift() ?? json(configuration) });
  expect((await screen.findByRole("alert")).textContent).toBe("The server says unavailable");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("button", { name: "Sign in" });
  expect(screen.queryByRole("alert")).toBeNull();
});

test("without a provider the error says what is missing", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(() => renderToString(<SignInForm />)).toThrow("HallpassProvider");
  complaint.mockRestore();
});
