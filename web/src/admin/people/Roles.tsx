// Which roles an account has, for back ends to go by.

import { ActionIcon, Badge, Group, Text, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../hallpass";
import { Form, text } from "../../ui/Form";
import { FormError } from "../../ui/FormError";
import { type Account, useChange } from "../data";
import { Section } from "../parts/Section";
import { useWords } from "../words";
import "@mantine/core/styles/Badge.layer.css";

export function Roles({ account }: { account: Account }) {
  const w = useWords().person;
  const change = useChange();
  const path = (role: string) => ({ params: { path: { id: account.id, role } } });
  const add = (values: FormData) =>
    change(api.PUT("/api/v1/admin/accounts/{id}/roles/{role}", path(text(values, "role"))), account.id);
  const take = useMutation({
    mutationFn: (role: string) =>
      change(api.DELETE("/api/v1/admin/accounts/{id}/roles/{role}", path(role)), account.id),
  });
  return (
    <Section title={w.roles} lead={w.rolesLead}>
      {account.roles.length === 0 && <Text c="dimmed">{w.noRoles}</Text>}
      <Group gap="xs">
        {account.roles.map((role) => (
          <Badge
            key={role}
            size="lg"
            variant="light"
            color="gray"
            tt="none"
            pr={4}
            rightSection={
              <ActionIcon
                size="sm"
                variant="subtle"
                color="gray"
                aria-label={w.removeRole(role)}
                loading={take.isPending && take.variables === role}
                onClick={() => take.mutate(role)}
              >
                <IconX size={14} aria-hidden />
              </ActionIcon>
            }
          >
            {role}
          </Badge>
        ))}
      </Group>
      <FormError error={take.error} />
      <Form button={w.addRole} action={add} clear>
        {(errors) => (
          <TextInput name="role" label={w.newRole} required withAsterisk={false} maxLength={64} error={errors.role} />
        )}
      </Form>
    </Section>
  );
}
