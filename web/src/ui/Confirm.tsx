import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useMessages } from "../i18n";
import { FormError } from "./FormError";
import "@mantine/core/styles/Overlay.layer.css";
import "@mantine/core/styles/ModalBase.layer.css";
import "@mantine/core/styles/Modal.layer.css";

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen, and what cannot be undone. */
  children: ReactNode;
  /** What the button that does it says. */
  button: string;
  /** Does it; the dialog closes once it is done, and shows what went wrong otherwise. */
  action: () => Promise<unknown>;
  danger?: boolean;
}

/** Asks before something is done. */
export function Confirm({ opened, onClose, title, children, button, action, danger = false }: ConfirmProps) {
  const t = useMessages();
  const { mutate, error, isPending, reset } = useMutation({ mutationFn: action, onSuccess: onClose });
  const close = () => {
    reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={title} centered closeButtonProps={{ "aria-label": t.ui.close }}>
      <Stack>
        <Text component="div">{children}</Text>
        <FormError error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {t.ui.cancel}
          </Button>
          <Button {...(danger ? { color: "red.8" } : {})} loading={isPending} onClick={() => mutate()}>
            {button}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
