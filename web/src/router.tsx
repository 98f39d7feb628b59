// Every page and its path. Only the frame is loaded at once, each page when somebody goes there.

import { createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { adminRoutes } from "./admin/routes";
import { BASE } from "./base";
import { hallpass } from "./hallpass";
import { destination } from "./next";
import { loadConfiguration } from "./query";
import { rootRoute, userRoute } from "./root";
import { Loading } from "./ui/Loading";

/** Where to go after signing in. */
function validateSearch(search: Record<string, unknown>): { next?: string } {
  return typeof search.next === "string" ? { next: search.next } : {};
}

/** Those who are signed in need no form, or not any more. */
async function sendOn({ search: { next } }: { search: { next?: string } }): Promise<void> {
  await hallpass.ready;
  if (!hallpass.user) return;
  const { frontend_origins } = await loadConfiguration();
  const href = (next && destination(next, frontend_origins)) || `${BASE}/account`;
  const isPage = href.startsWith(BASE) && /^\/(account|admin)([/?#]|$)/.test(href.slice(BASE.length));
  throw redirect({ href, reloadDocument: !isPage, replace: true });
}

const mailed = () => import("./pages/mailed");
const tickets = () => import("./pages/tickets");
const getParentRoute = () => rootRoute;

const openRoutes = [
  createRoute({
    getParentRoute,
    path: "login",
    validateSearch,
    beforeLoad: sendOn,
    component: lazyRouteComponent(() => import("./pages/Login"), "Login"),
  }),
  createRoute({
    getParentRoute,
    path: "signup",
    validateSearch,
    beforeLoad: sendOn,
    component: lazyRouteComponent(() => import("./pages/SignUp"), "SignUp"),
  }),
  createRoute({ getParentRoute, path: "forgot", component: lazyRouteComponent(mailed, "Forgot") }),
  createRoute({ getParentRoute, path: "reset", component: lazyRouteComponent(tickets, "Reset") }),
  createRoute({ getParentRoute, path: "verify", component: lazyRouteComponent(tickets, "Verify") }),
  createRoute({ getParentRoute, path: "change-email", component: lazyRouteComponent(tickets, "ChangeEmail") }),
  createRoute({ getParentRoute, path: "sign-in", component: lazyRouteComponent(tickets, "SignIn") }),
] as const;

const accountRoute = createRoute({
  getParentRoute: () => userRoute,
  path: "account",
  component: lazyRouteComponent(() => import("./account/Account"), "Account"),
});
const inAccount = () => accountRoute;

const accountRoutes = [
  createRoute({
    getParentRoute: inAccount,
    path: "/",
    beforeLoad: (): void => {
      throw redirect({ to: "/account/profile", replace: true });
    },
  }),
  createRoute({
    getParentRoute: inAccount,
    path: "profile",
    component: lazyRouteComponent(() => import("./account/Profile"), "Profile"),
  }),
  createRoute({
    getParentRoute: inAccount,
    path: "security",
    component: lazyRouteComponent(() => import("./account/Security"), "Security"),
  }),
  createRoute({
    getParentRoute: inAccount,
    path: "sessions",
    component: lazyRouteComponent(() => import("./account/Sessions"), "Sessions"),
  }),
  createRoute({
    getParentRoute: inAccount,
    path: "activity",
    component: lazyRouteComponent(() => import("./account/Activity"), "Activity"),
  }),
  createRoute({
    getParentRoute: inAccount,
    path: "data",
    component: lazyRouteComponent(() => import("./account/Data"), "Data"),
  }),
] as const;

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...openRoutes,
    userRoute.addChildren([accountRoute.addChildren(accountRoutes), adminRoutes]),
  ]),
  basepath: BASE || "/",
  defaultPendingComponent: Loading,
  defaultPendingMs: 300,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

// Whoever hears or steers by keyboard starts at the heading of the page that they went to.
router.subscribe("onRendered", ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) document.querySelector<HTMLElement>("[data-heading]")?.focus();
});
