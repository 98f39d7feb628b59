// The frame of the administration: who may come in, and the way from one part to the other.

import { Alert, Button, NavLink, Text } from "@mantine/core";
import {
  IconActivity,
  IconDevices,
  IconInfoCircle,
  IconKey,
  IconLayoutDashboard,
  IconMail,
  IconUsers,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Suspense } from "react";
import { HallpassError } from "../hallpass";
import { FormError } from "../ui/FormError";
import { Loading } from "../ui/Loading";
import { Page } from "../ui/Page";
import classes from "./Admin.module.css";
import { accessQuery } from "./data";
import { LevelProvider } from "./rights";
import { useWords } from "./words";
import "@mantine/core/styles/NavLink.layer.css";

const PARTS = [
  ["/admin", "overview", IconLayoutDashboard],
  ["/admin/people", "people", IconUsers],
  ["/admin/sessions", "sessions", IconDevices],
  ["/admin/events", "events", IconActivity],
  ["/admin/keys", "keys", IconKey],
  ["/admin/mail", "mail", IconMail],
] as const;

export function Admin() {
  const w = useWords();
  const { data, error } = useQuery(accessQuery);
  if (error instanceof HallpassError && error.code === "forbidden") return <Denied />;
  if (!data) {
    return error ? (
      <Page title={w.title}>
        <FormError error={error} />
      </Page>
    ) : (
      <Loading />
    );
  }
  const isSuperuser = data.level === "superuser";
  return (
    <LevelProvider value={isSuperuser ? "superuser" : "helpdesk"}>
      <div className={classes.frame}>
        <nav className={classes.nav} aria-label={w.navigation}>
          {PARTS.map(([to, part, Icon]) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              activeOptions={{ exact: to === "/admin", includeSearch: false }}
              className={classes.link ?? ""}
              label={w.parts[part]}
              leftSection={<Icon size={18} aria-hidden />}
            />
          ))}
        </nav>
        <div className={classes.content}>
          {!isSuperuser && (
            <Alert className={classes.note ?? ""} variant="light" icon={<IconInfoCircle aria-hidden />}>
              {w.helpdesk}
            </Alert>
          )}
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </div>
      </div>
    </LevelProvider>
  );
}

/** For somebody who is signed in and has no rights here. */
function Denied() {
  const w = useWords().denied;
  return (
    <Page title={w.title} width={560}>
      <Text>{w.lead}</Text>
      <Button component={Link} to="/account" style={{ alignSelf: "flex-start" }}>
        {w.back}
      </Button>
    </Page>
  );
}
