// What a person is called in the pages.

import type { User } from "../hallpass";

/** The name, or what they sign in with. */
export function nameOf(user: Pick<User, "first_name" | "last_name" | "username" | "email" | "id">): string {
  const name = `${user.first_name} ${user.last_name}`.trim();
  return name || user.username || user.email || String(user.id);
}
