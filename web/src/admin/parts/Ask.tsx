import { Button, type ButtonProps } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Confirm } from "../../ui/Confirm";

interface AskProps extends ButtonProps {
  label: string;
  /** What it says to those who hear the page, if the label alone does not tell which one it is. */
  fullLabel?: string;
  title: string;
  /** What follows. */
  children: ReactNode;
  action: () => Promise<unknown>;
  danger?: boolean;
}

/** A button that asks before it does something. */
export function Ask({ label, fullLabel, title, children, action, danger = false, ...props }: AskProps) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" {...props} aria-label={fullLabel} onClick={() => setOpened(true)}>
        {label}
      </Button>
      <Confirm
        opened={opened}
        onClose={() => setOpened(false)}
        title={title}
        button={label}
        action={action}
        danger={danger}
      >
        {children}
      </Confirm>
    </>
  );
}
