// The frame of the pages about one's own account: the way from one to the other.

import { IconActivity, IconDatabase, IconDevices, IconLock, IconUser } from "@tabler/icons-react";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import { useMessages } from "../i18n";
import classes from "./Account.module.css";

const TABS = [
  ["profile", IconUser],
  ["security", IconLock],
  ["sessions", IconDevices],
  ["activity", IconActivity],
  ["data", IconDatabase],
] as const;

export function Account(): ReactNode {
  const t = useMessages();
  const list = useRef<HTMLUListElement>(null);
  const { pathname } = useLocation();
  // On a narrow screen the tabs scroll, and the one of this page is to be seen.
  useEffect(() => {
    list.current?.querySelector("[aria-current=page]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [pathname]);
  return (
    <>
      <nav aria-label={t.account.title}>
        <ul ref={list} className={classes.tabs}>
          {TABS.map(([tab, Icon]) => (
            <li key={tab}>
              <Link to={`/account/${tab}`} className={classes.tab}>
                <Icon size={18} aria-hidden />
                {t.account.tabs[tab]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </>
  );
}
