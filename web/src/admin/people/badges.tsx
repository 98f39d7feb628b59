// What an account is, in a few words.

import { Badge, Group, Text } from "@mantine/core";
import { IconCircleCheck, IconCircleDashed } from "@tabler/icons-react";
import type { Account } from "../data";
import { useWords } from "../words";
import "@mantine/core/styles/Badge.layer.css";

/** As wide as their words. */
const PLAIN = { variant: "light", tt: "none", miw: "max-content" } as const;
/** The colour is in a dot: words on it could not be read. */
const DOT = { ...PLAIN, variant: "dot" } as const;

export function StatusBadge({ account: { is_active, delete_at } }: { account: Account }) {
  const w = useWords().people.statuses;
  if (delete_at !== null) return <Badge {...DOT} color="orange">{w.deletion}</Badge>;
  if (!is_active) return <Badge {...DOT} color="red">{w.deactivated}</Badge>;
  return <Badge {...DOT} color="teal">{w.active}</Badge>;
}

export function RightsBadges({ account: { is_superuser, is_staff, roles } }: { account: Account }) {
  const w = useWords().people;
  if (!is_superuser && !is_staff && roles.length === 0) return null;
  return (
    <Group gap={4}>
      {is_superuser && <Badge {...PLAIN} color="grape">{w.superuser}</Badge>}
      {is_staff && <Badge {...PLAIN} color="indigo">{w.staff}</Badge>}
      {roles.map((role) => (
        <Badge key={role} {...PLAIN} color="gray">
          {role}
        </Badge>
      ))}
    </Group>
  );
}

/** Whether somebody has shown to receive mail at the address. */
export function VerifiedMark({ verified }: { verified: boolean }) {
  const w = useWords().people;
  const label = verified ? w.verified : w.unverified;
  const Icon = verified ? IconCircleCheck : IconCircleDashed;
  return (
    <Text span inherit c={verified ? "teal" : "dimmed"}>
      <Icon size={16} role="img" aria-label={label} style={{ verticalAlign: "-0.15em" }}>
        <title>{label}</title>
      </Icon>
    </Text>
  );
}
