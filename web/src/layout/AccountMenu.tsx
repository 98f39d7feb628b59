// What somebody who is signed in can go to.

import { Button, Menu, useMantineColorScheme } from "@mantine/core";
import { IconChevronDown, IconLogout, IconSettings, IconShieldLock, IconUser } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { hallpass, type User } from "../hallpass";
import { useLanguage, useMessages } from "../i18n";
import { nameOf } from "../ui/name";
import "@mantine/core/styles/Popover.layer.css";
import "@mantine/core/styles/Menu.layer.css";

export default function AccountMenu({ user }: { user: User }) {
  const t = useMessages();
  const navigate = useNavigate();
  const { keep } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = async () => {
    await navigate({ to: "/login", search: {} });
    await hallpass.signOut();
    // The browser has just forgotten both; they are its own, not the account's.
    keep();
    setColorScheme(colorScheme);
  };
  return (
    <Menu position="bottom-end" width={230} shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          maw="min(14rem, 45vw)"
          leftSection={<IconUser size={18} aria-hidden />}
          rightSection={<IconChevronDown size={16} aria-hidden />}
        >
          {nameOf(user)}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to="/account/profile" leftSection={<IconSettings size={18} aria-hidden />}>
          {t.layout.account}
        </Menu.Item>
        {(user.is_superuser || user.roles.includes("hallpass:helpdesk")) && (
          <Menu.Item component={Link} to="/admin" leftSection={<IconShieldLock size={18} aria-hidden />}>
            {t.layout.admin}
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item onClick={leave} leftSection={<IconLogout size={18} aria-hidden />}>
          {t.layout.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
