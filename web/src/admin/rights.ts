// What the caller may do. The server decides it again with each request; here it is only about what to offer.

import { createContext, useContext } from "react";
import type { Account } from "./data";

/** A superuser may do everything; the helpdesk looks after the accounts of people who have no rights here. */
export type Level = "superuser" | "helpdesk";

const LevelContext = createContext<Level>("helpdesk");

export const LevelProvider = LevelContext.Provider;

export function useIsSuperuser(): boolean {
  return useContext(LevelContext) === "superuser";
}

/** Whether the caller may change the account at all. */
export function useMayChange(account: Account): boolean {
  const isSuperuser = useIsSuperuser();
  return isSuperuser || !isPrivileged(account);
}

/** Whether the account has rights here itself. */
export function isPrivileged({ is_staff, is_superuser, roles }: Account): boolean {
  return is_staff || is_superuser || roles.some((role) => role.startsWith("hallpass:"));
}
