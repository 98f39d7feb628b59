// Where the pages begin: asks the server for its name and colour, then shows the page of this address.

// First of all, before anything can read the address.
import "./ticket";
import { localStorageColorSchemeManager } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles";
import "./global.css";
import { App, Unreachable } from "./App";
import { NONCE } from "./base";
import { hallpass } from "./hallpass";
import { loadConfiguration, queryClient } from "./query";
import { router } from "./router";

// react-remove-scroll, below dialogs, makes a style element and takes its nonce from here.
Object.assign(globalThis, { __webpack_nonce__: NONCE });

// Before the first page is drawn, so that it does not flash in the other colours.
const scheme = localStorageColorSchemeManager().get("auto");
const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;
const isDark = scheme === "dark" || (scheme === "auto" && systemIsDark);
document.documentElement.dataset.mantineColorScheme = isDark ? "dark" : "light";

// Another person, or nobody: what was asked for the last one is not theirs.
let person = hallpass.user?.id;
hallpass.onChange((user) => {
  if (user?.id === person) return;
  person = user?.id;
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== "configuration" });
  void router.invalidate();
});

const root = createRoot(document.querySelector("#root") as HTMLElement);

function show() {
  const page = (content: React.ReactNode) => root.render(<StrictMode>{content}</StrictMode>);
  loadConfiguration().then(
    (configuration) => page(<App color={configuration.color} />),
    () => page(<Unreachable retry={show} />),
  );
}

show();
