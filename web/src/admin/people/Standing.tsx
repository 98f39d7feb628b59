// What an account may do in the administration.

import { Divider, Text } from "@mantine/core";
import { api } from "../../hallpass";
import { usePerson } from "../../root";
import { nameOf } from "../../ui/name";
import { type Account, useChange } from "../data";
import { Ask } from "../parts/Ask";
import { Section } from "../parts/Section";
import { useWords } from "../words";
import classes from "./people.module.css";

export function Standing({ account }: { account: Account }) {
  const w = useWords().person;
  const name = nameOf(account);
  const { is_staff: isStaff, is_superuser: isSuperuser } = account;
  return (
    <Section title={w.standing} lead={w.standingLead}>
      <Right
        account={account}
        body={{ is_staff: !isStaff }}
        label={w.staff}
        lead={w.staffLead}
        has={isStaff}
        title={isStaff ? w.takeStaff(name) : w.makeStaff(name)}
        text={isStaff ? w.takeStaffText : w.makeStaffText}
      />
      <Divider />
      <Right
        account={account}
        body={{ is_superuser: !isSuperuser }}
        label={w.superuser}
        lead={w.superuserLead}
        has={isSuperuser}
        title={isSuperuser ? w.takeSuperuser(name) : w.makeSuperuser(name)}
        text={isSuperuser ? w.takeSuperuserText : w.makeSuperuserText}
      />
    </Section>
  );
}

interface RightProps {
  account: Account;
  /** What turns it round. */
  body: { is_staff: boolean } | { is_superuser: boolean };
  label: string;
  lead: string;
  has: boolean;
  title: string;
  text: string;
}

function Right({ account, body, label, lead, has, title, text }: RightProps) {
  const w = useWords().person;
  const change = useChange();
  const isSelf = usePerson().id === account.id;
  const params = { path: { id: account.id } };
  return (
    <div className={classes.right}>
      <div>
        <Text fw={550}>
          {label}: {has ? w.on : w.off}
        </Text>
        <Text size="sm" c="dimmed">
          {lead}
        </Text>
      </div>
      <Ask
        label={has ? w.take : w.give}
        fullLabel={`${label}: ${has ? w.take : w.give}`}
        title={title}
        action={() => change(api.PATCH("/api/v1/admin/accounts/{id}", { params, body }), account.id)}
        danger={has}
        size="compact-sm"
      >
        <Text>{text}</Text>
        {isSelf && (
          <Text mt="sm" fw={550}>
            {w.selfText}
          </Text>
        )}
      </Ask>
    </div>
  );
}
