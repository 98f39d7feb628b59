// What is around every page: the operator's name above it, and the language below.

import { ActionIcon, Group, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { BASE } from "../base";
import { useUser } from "../hallpass";
import { LANGUAGE_NAMES, LOCALES, useLanguage, useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { Loading } from "../ui/Loading";
import classes from "./Shell.module.css";

const AccountMenu = lazy(() => import("./AccountMenu"));

export function Shell(): ReactNode {
  const t = useMessages();
  const user = useUser();
  const { setAccountLocale } = useLanguage();
  useEffect(() => setAccountLocale(user?.locale ?? null), [user?.locale, setAccountLocale]);
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        {t.layout.skip}
      </a>
      <header className={classes.header}>
        <Brand />
        <Group gap="xs" wrap="nowrap">
          <SchemeSwitch />
          {user && (
            <Suspense>
              <AccountMenu user={user} />
            </Suspense>
          )}
        </Group>
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <footer className={classes.footer}>
        <LanguageSwitch />
      </footer>
    </div>
  );
}

function Brand() {
  const { product_name, logo } = useConfiguration();
  return (
    <Link to="/account" className={classes.brand}>
      {logo && <img className={classes.logo} src={`${BASE}/pages/logo`} alt="" />}
      <span>{product_name}</span>
    </Link>
  );
}

function SchemeSwitch() {
  const t = useMessages();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const label = dark ? t.layout.light : t.layout.dark;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      {dark ? <IconSun size={20} aria-hidden /> : <IconMoon size={20} aria-hidden />}
    </ActionIcon>
  );
}

function LanguageSwitch() {
  const t = useMessages();
  const { locale, choose } = useLanguage();
  return (
    <Group gap={4} role="group" aria-label={t.layout.language}>
      {LOCALES.map((known) => (
        <UnstyledButton
          key={known}
          lang={known}
          className={classes.language}
          aria-pressed={known === locale}
          onClick={() => choose(known)}
        >
          {LANGUAGE_NAMES[known]}
        </UnstyledButton>
      ))}
    </Group>
  );
}
