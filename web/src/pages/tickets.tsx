// The pages that links in mails lead to. Opening one changes nothing, however often somebody or something opens it: only
// its button does.

import { Button, Checkbox, Text, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api, ask, hallpass, HallpassError, useUser } from "../hallpass";
import { useMessages } from "../i18n";
import { useConfiguration } from "../query";
import { forgetTicket, useTicket } from "../ticket";
import { Form, raw, text } from "../ui/Form";
import { FormError } from "../ui/FormError";
import { NewPasswordField } from "../ui/PasswordField";
import { Card, PageLink } from "./Card";
import { AskForMail } from "./mailed";

interface TicketProps {
  words: { title: string; lead: string; button: string; done: string };
  /** Uses the secret up. */
  redeem: (token: string, values: FormData) => Promise<unknown>;
  fields?: (errors: Record<string, string>) => ReactNode;
  /** What there is to see without a secret. */
  without: ReactNode;
  /** Where to get another one. */
  another: ReactNode;
}

/** Another secret is another page: nothing of what the first one came to stays. */
function Ticket(props: TicketProps) {
  const [token, setToken] = useState<string | null>(null);
  const current = useTicket();
  if (current && current !== token) setToken(current);
  return token ? <Redeem key={token} token={token} {...props} /> : props.without;
}

function Redeem({ token, words, redeem, fields, another }: TicketProps & { token: string }) {
  const [outcome, setOutcome] = useState<"done" | HallpassError | null>(null);
  const action = async (values: FormData) => {
    try {
      await redeem(token, values);
      setOutcome("done");
    } catch (error) {
      // A link that is worth nothing is worth no second click.
      if (!(error instanceof HallpassError && error.code === "link_invalid")) throw error;
      setOutcome(error);
    }
    forgetTicket();
  };
  if (outcome === "done") return <Done title={words.title} text={words.done} />;
  if (outcome) {
    return (
      <Card title={words.title} below={another}>
        <FormError error={outcome} />
      </Card>
    );
  }
  return (
    <Card title={words.title} lead={words.lead}>
      <Form button={words.button} action={action} fullWidth>
        {fields}
      </Form>
    </Card>
  );
}

function Done({ title, text: what }: { title: string; text: string }) {
  const t = useMessages();
  const user = useUser();
  return (
    <Card title={title}>
      <Text role="status">{what}</Text>
      <Button component={Link} to={user ? "/account" : "/login"} fullWidth>
        {user ? t.ticket.toAccount : t.ticket.toSignIn}
      </Button>
    </Card>
  );
}

/** The person's own data, if somebody is signed in here, is other data now. */
async function refreshUser() {
  if (hallpass.user) await hallpass.refresh().catch(() => {});
}

export function Verify(): ReactNode {
  const t = useMessages();
  const redeem = async (token: string) => {
    await ask(api.POST("/api/v1/verify-email", { body: { token } }));
    await refreshUser();
  };
  return (
    <Ticket
      words={t.ticket.verify}
      redeem={redeem}
      without={<AskForVerification />}
      another={<PageLink to="/verify" reloadDocument>{t.ticket.again}</PageLink>}
    />
  );
}

function AskForVerification() {
  const t = useMessages();
  const request = (email: string) => ask(api.POST("/api/v1/verify-email/request", { body: { email } }));
  return <AskForMail title={t.ticket.verify.title} lead={t.ticket.verify.ask} request={request} />;
}

export function ChangeEmail(): ReactNode {
  const t = useMessages();
  const redeem = async (token: string) => {
    await ask(api.POST("/api/v1/email-change", { body: { token } }));
    await refreshUser();
  };
  return (
    <Ticket
      words={t.ticket.changeEmail}
      redeem={redeem}
      without={<Card title={t.ticket.changeEmail.title} lead={t.ticket.none} />}
      another={<PageLink to="/account/security">{t.ticket.toAccount}</PageLink>}
    />
  );
}

export function Reset(): ReactNode {
  const t = useMessages();
  const another = <PageLink to="/forgot">{t.ticket.again}</PageLink>;
  const redeem = (token: string, values: FormData) =>
    ask(api.POST("/api/v1/password-reset", { body: { token, new_password: raw(values, "new_password") } }));
  return (
    <Ticket
      words={t.ticket.reset}
      redeem={redeem}
      fields={(errors) => (
        <NewPasswordField name="new_password" label={t.ticket.reset.password} error={errors.new_password} />
      )}
      without={<Card title={t.ticket.reset.title} lead={t.ticket.none} below={another} />}
      another={another}
    />
  );
}

export function SignIn(): ReactNode {
  const t = useMessages();
  const navigate = useNavigate();
  const redeem = async (token: string, values: FormData) => {
    await hallpass.signIn({ token, remember: values.has("remember") });
    await navigate({ to: "/account" });
  };
  return (
    <Ticket
      words={t.ticket.signIn}
      redeem={redeem}
      fields={() => <Checkbox name="remember" label={t.login.remember} />}
      without={<AskForLink />}
      another={<PageLink to="/sign-in" reloadDocument>{t.ticket.again}</PageLink>}
    />
  );
}

/** Asks for a sign-in mail, and then for the code in it: the mail may be open on another device. */
function AskForLink() {
  const t = useMessages();
  const { sign_in_links } = useConfiguration();
  const back = <PageLink to="/login">{t.mailed.back}</PageLink>;
  if (!sign_in_links) return <Card title={t.link.title} lead={t.errors.byCode.sign_in_links_off} below={back} />;
  const request = (email: string) => ask(api.POST("/api/v1/sign-in-link/request", { body: { email } }));
  return (
    <AskForMail
      title={t.link.title}
      lead={t.link.lead}
      request={request}
      then={(email) => <SignInByCode email={email} />}
    />
  );
}

function SignInByCode({ email }: { email: string }) {
  const t = useMessages();
  const navigate = useNavigate();
  const signIn = async (values: FormData) => {
    await hallpass.signIn({ email, code: text(values, "code"), remember: values.has("remember") });
    await navigate({ to: "/account" });
  };
  return (
    <Form button={t.login.button} action={signIn} fullWidth>
      {(errors) => (
        <>
          <TextInput
            name="code"
            label={t.link.code}
            description={t.link.codeHint}
            autoComplete="one-time-code"
            autoCapitalize="characters"
            spellCheck={false}
            required
            error={errors.code}
          />
          <Checkbox name="remember" label={t.login.remember} />
        </>
      )}
    </Form>
  );
}
