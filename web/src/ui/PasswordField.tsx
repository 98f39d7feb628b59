import { Group, PasswordInput, type PasswordInputProps, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";

/** The longest password that the server takes. */
const MAX_LENGTH = 256;

/** A password that the account has. */
export function PasswordField(props: PasswordInputProps) {
  const t = useMessages();
  return (
    <PasswordInput
      name="password"
      autoComplete="current-password"
      maxLength={MAX_LENGTH}
      required
      visibilityToggleButtonProps={{ "aria-label": t.ui.showPassword, tabIndex: 0 }}
      aria-invalid={Boolean(props.error)}
      {...props}
      label={props.label ?? t.ui.password}
    />
  );
}

/** The same, where somebody who is signed in shows that it is them. */
export function CurrentPasswordField({ error }: Pick<PasswordInputProps, "error">) {
  return <PasswordField name="current_password" label={useMessages().security.current} error={error} />;
}

/** A password that the account is to have, and how long it is beside how long it must be. */
export function NewPasswordField(props: PasswordInputProps) {
  const t = useMessages();
  const { password_min_length: least } = useConfiguration();
  const [length, setLength] = useState(0);
  const enough = length >= least;
  return (
    <Stack gap={6}>
      <PasswordField
        autoComplete="new-password"
        description={t.ui.passwordHint(least)}
        inputWrapperOrder={["label", "description", "input", "error"]}
        // Characters as the server counts them, not UTF-16 units.
        onChange={(event) => setLength([...event.currentTarget.value].length)}
        {...props}
      />
      {length > 0 && (
        <Group gap="xs" wrap="nowrap">
          <Progress value={Math.min(100, (length / least) * 100)} color={enough ? "teal" : "orange"} flex={1} aria-hidden />
          <Text size="xs" c="dimmed" role="status">
            {enough ? t.ui.passwordLongEnough : t.ui.passwordMissing(least - length)}
          </Text>
        </Group>
      )}
    </Stack>
  );
}
