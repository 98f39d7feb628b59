// Asking for a mail. The answer is the same whether or not there is an account with the address.

import { TextInput } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { api, ask } from "../hallpass";
import { useMessages } from "../i18n";
import { Form, text } from "../ui/Form";
import { Card, PageLink } from "./Card";

/** A mail is on its way. */
export function MailSent({ text: what, children }: { text: string; children?: ReactNode }): ReactNode {
  const t = useMessages();
  return (
    <Card title={t.mailed.sentTitle} below={<PageLink to="/login">{t.mailed.back}</PageLink>}>
      <p role="status" style={{ margin: 0 }}>
        <IconMail aria-hidden style={{ verticalAlign: "middle", marginInlineEnd: 8 }} />
        {what}
      </p>
      {children}
    </Card>
  );
}

interface AskForMailProps {
  title: string;
  lead: string;
  /** Asks the server for the mail to this address. */
  request: (email: string) => Promise<unknown>;
  /** What there is to do once it is on its way. */
  then?: (email: string) => ReactNode;
}

/** Asks for the address to which a mail is to go. */
export function AskForMail({ title, lead, request, then }: AskForMailProps): ReactNode {
  const t = useMessages();
  const [sentTo, setSentTo] = useState<string | null>(null);
  if (sentTo) return <MailSent text={t.mailed.sent(sentTo)}>{then?.(sentTo)}</MailSent>;
  const send = async (values: FormData) => {
    const email = text(values, "email");
    await request(email);
    setSentTo(email);
  };
  return (
    <Card title={title} lead={lead} below={<PageLink to="/login">{t.mailed.back}</PageLink>}>
      <Form button={t.mailed.button} action={send} fullWidth>
        {(errors) => (
          <TextInput
            name="email"
            type="email"
            label={t.login.email}
            autoComplete="email"
            maxLength={254}
            required
            error={errors.email}
          />
        )}
      </Form>
    </Card>
  );
}

export function Forgot(): ReactNode {
  const t = useMessages();
  const request = (email: string) => ask(api.POST("/api/v1/password-reset/request", { body: { email } }));
  return <AskForMail title={t.forgot.title} lead={t.forgot.lead} request={request} />;
}
