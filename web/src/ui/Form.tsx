import { Button, Group, MantineThemeProvider, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, Fragment, type ReactNode, useEffect, useRef, useState } from "react";
import { useMessages } from "../i18n";
import { fieldErrors } from "./errors";
import { FormError } from "./FormError";

interface FormProps {
  /** What the button says. */
  button: string;
  /** Sends what was typed, by the names of the fields; whatever it throws is shown. */
  action: (values: FormData) => Promise<unknown>;
  /** Given what is wrong with each field by its name, for the field's `error`. */
  children?: ((errors: Record<string, string>) => ReactNode) | undefined;
  /** What to say when it was done. */
  done?: string;
  /** Whether the fields are empty again then. */
  clear?: boolean;
  color?: string;
  /** Whether the button is as wide as the form. */
  fullWidth?: boolean;
}

/** Fields are large enough for thumbs, and for telephones not to zoom in on them; what is not needed says so itself. */
const FIELD = { defaultProps: { size: "md", withAsterisk: false } };
const THEME = { components: { TextInput: FIELD, PasswordInput: FIELD, Textarea: FIELD, NativeSelect: FIELD } };

/** Fields and one button. The fields keep what was typed; the first that is wrong gets the focus. */
export function Form({ button, action, children, done, clear = false, color, fullWidth = false }: FormProps) {
  const t = useMessages();
  const form = useRef<HTMLFormElement>(null);
  const [round, setRound] = useState(0);
  const { mutate, error, isPending, isSuccess } = useMutation({
    mutationFn: action,
    onSuccess: () => clear && setRound(round + 1),
  });
  const errors = fieldErrors(t, error);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isPending) mutate(new FormData(event.currentTarget));
  };
  return (
    <MantineThemeProvider theme={THEME} inherit>
      <form ref={form} onSubmit={submit}>
        <Stack gap="md">
          <Fragment key={round}>{children?.(errors)}</Fragment>
          <FormError error={shownInFields(form.current, errors) ? null : error} />
          <Group gap="sm">
            <Button
              type="submit"
              size="md"
              loading={isPending}
              fullWidth={fullWidth}
              {...(color ? { color } : {})}
            >
              {button}
            </Button>
            {done && (
              <Text role="status" c="dimmed" flex={1}>
                {isSuccess && done}
              </Text>
            )}
          </Group>
        </Stack>
      </form>
    </MantineThemeProvider>
  );
}

/** Whether each error has a field in the form that shows it. */
function shownInFields(form: HTMLFormElement | null, errors: Record<string, string>): boolean {
  const names = Object.keys(errors);
  return names.length > 0 && names.every((name) => form?.elements.namedItem(name));
}

/** A field's text, without blanks around it. */
export function text(values: FormData, name: string): string {
  return raw(values, name).trim();
}

/** A field's text as it was typed: passwords may begin with a blank. */
export function raw(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === "string" ? value : "";
}
