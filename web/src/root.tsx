// The route above all others, and the one above those that are for people who are signed in.

import { createRootRoute, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { createContext, useContext, type ReactNode } from "react";
import { hallpass, type User, useUser } from "./hallpass";
import { Shell } from "./layout/Shell";
import { Broken, NotFound } from "./pages/Lost";
import { Loading } from "./ui/Loading";

export const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: Broken,
});

/** Whoever is not signed in goes to the sign-in instead, and comes back afterwards. */
export const userRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "user",
  beforeLoad: async ({ location }): Promise<void> => {
    await hallpass.ready;
    if (hallpass.user === undefined) throw hallpass.error;
    if (!hallpass.user) throw redirect({ to: "/login", search: { next: location.publicHref }, replace: true });
  },
  component: Gate,
});

const Person = createContext<User | null>(null);

/** Shows a page to one person: when it is another one, or nobody, nothing of it stays. */
function Gate(): ReactNode {
  const user = useUser();
  if (!user) return <Loading />;
  return (
    <Person value={user} key={user.id}>
      <Outlet />
    </Person>
  );
}

/** Who is signed in, in pages below {@link userRoute}. */
export function usePerson(): User {
  const user = useContext(Person);
  if (!user) throw new Error("This page is not below the route for people who are signed in");
  return user;
}
