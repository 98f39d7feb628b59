// The pages of the administration. Nothing of them is loaded before somebody goes there.

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { userRoute } from "../root";
import { eventsSearch, overviewSearch, peopleSearch, sessionsSearch } from "./search";

const adminRoute = createRoute({
  getParentRoute: () => userRoute,
  path: "admin",
  component: lazyRouteComponent(() => import("./Admin"), "Admin"),
});
const getParentRoute = () => adminRoute;

export const adminRoutes = adminRoute.addChildren([
  createRoute({
    getParentRoute,
    path: "/",
    validateSearch: overviewSearch,
    component: lazyRouteComponent(() => import("./overview/Overview"), "Overview"),
  }),
  createRoute({
    getParentRoute,
    path: "people",
    validateSearch: peopleSearch,
    component: lazyRouteComponent(() => import("./people/People"), "People"),
  }),
  createRoute({
    getParentRoute,
    path: "people/new",
    component: lazyRouteComponent(() => import("./people/NewPerson"), "NewPerson"),
  }),
  createRoute({
    getParentRoute,
    path: "people/$id",
    component: lazyRouteComponent(() => import("./people/Person"), "Person"),
  }),
  createRoute({
    getParentRoute,
    path: "sessions",
    validateSearch: sessionsSearch,
    component: lazyRouteComponent(() => import("./Sessions"), "Sessions"),
  }),
  createRoute({
    getParentRoute,
    path: "events",
    validateSearch: eventsSearch,
    component: lazyRouteComponent(() => import("./Events"), "Events"),
  }),
  createRoute({
    getParentRoute,
    path: "keys",
    component: lazyRouteComponent(() => import("./Keys"), "Keys"),
  }),
  createRoute({
    getParentRoute,
    path: "mail",
    component: lazyRouteComponent(() => import("./Mail"), "Mail"),
  }),
]);
