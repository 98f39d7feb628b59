import { screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { StrictMode } from "react";
import { expect, test } from "vitest";
import { SessionList, deviceOf } from "../src/index.js";
import { show } from "./page.js";
import { empty, json, problem, signedIn } from "./server.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const session = (id: string, user_agent: string | null, current = false) => ({
  id,
  current,
  created_at: 1_700_000_000,
  last_used_at: 1_700_000_000,
  idle_end: 1_800_000_000,
  absolute_end: 1_800_000_000,
  ip: "192.0.2.1",
  user_agent,
});

const three = () => [session("a", FIREFOX, true), session("b", CHROME), session("c", null)];

test("devices are shown by name, and any of them can be signed out", async () => {
  let sessions = three();
  const { asked } = show(
    <StrictMode>
      <SessionList />
    </StrictMode>,
    {
      ...signedIn,
      "GET /api/v1/sessions": () => json({ sessions }),
      "DELETE /api/v1/sessions/b": () => {
        sessions = sessions.filter(({ id }) => id !== "b");
        return empty();
      },
    },
  );
  const list = await screen.findByRole("region", { name: "Devices where you are signed in" });
  expect(screen.getAllByRole("listitem")).toHaveLength(3);
  expect(screen.getAllByRole("listitem")[0]?.textContent).toMatch(
    /^Firefox on Linux this device.*192\.0\.2\.1/,
  );
  screen.getByRole("button", { name: "Sign out Unknown device" });
  expect(asked.filter((name) => name === "GET /api/v1/sessions")).toHaveLength(1);
  await userEvent.click(screen.getByRole("button", { name: "Sign out Chrome on Windows" }));
  await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(2));
  expect(document.activeElement).toBe(list);
});

test("all other devices at once", async () => {
  let sessions = three();
  show(<SessionList />, {
    ...signedIn,
    "GET /api/v1/sessions": () => json({ sessions }),
    "DELETE /api/v1/sessions": () => {
      sessions = sessions.filter(({ current }) => current);
      return empty();
    },
  });
  const others = await screen.findByRole("button", { name: "Sign out all other devices" });
  await userEvent.click(others);
  await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(1));
  expect(screen.queryByRole("button", { name: "Sign out all other devices" })).toBeNull();
});

test("signing out this device is signing out", async () => {
  const { hallpass } = show(<SessionList />, {
    ...signedIn,
    "GET /api/v1/sessions": () => json({ sessions: three() }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Sign out Firefox on Linux" }));
  expect(hallpass.user).toBeNull();
});

test("a failure is said aloud, and the list stays", async () => {
  show(<SessionList />, {
    ...signedIn,
    "GET /api/v1/sessions": () => json({ sessions: three() }),
    "DELETE /api/v1/sessions": () => problem("unavailable", 503),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Sign out all other devices" }));
  expect((await screen.findByRole("alert")).textContent).toBe("The server says unavailable");
  expect(screen.getAllByRole("listitem")).toHaveLength(3);
});

test.each([
  [FIREFOX, "Firefox", "Linux"],
  [CHROME, "Chrome", "Windows"],
  [`${CHROME} Edg/140.0.0.0`, "Edge", "Windows"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
    "Safari",
    "iPhone",
  ],
  [
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
    "Chrome",
    "Android",
  ],
  ["curl/8.5.0", "curl", undefined],
  ["", undefined, undefined],
  [null, undefined, undefined],
])("a device that calls itself %s", (userAgent, browser, system) => {
  expect(deviceOf(userAgent)).toEqual({ browser, system });
});
