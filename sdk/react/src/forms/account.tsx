/** What happens to an account as a whole: another address, and its end. Both take the password again. */
import { HallpassError } from "@hallpass/client";
import type { components } from "@hallpass/client";
import { useShared } from "../context.js";
import { CurrentPasswordField, NameField } from "../field.js";
import { Form } from "../form.js";
import type { FormProps } from "../form.js";

/** Has a link mailed to the new address, which becomes the account's when the link is used. */
export function ChangeEmailForm(props: FormProps) {
  const { client, text } = useShared();
  return (
    <Form
      {...props}
      name="change_email"
      refusal={({ mail }) => !mail && "mail_off"}
      fields={() => (
        <>
          <NameField
            name="email"
            label={text("label.new_email")}
            type="email"
            inputMode="email"
            autoComplete="email"
          />
          <CurrentPasswordField />
        </>
      )}
      send={async ({ email = "", current_password: password = "" }) => {
        const body = { email, password };
        const { error } = await client.api.POST("/api/v1/email-change/request", { body });
        if (error) throw new HallpassError(error);
      }}
      done={() => text("done.change_email")}
    />
  );
}

/** Ends every session at once, and the account after the days of grace. */
export function DeleteAccountForm(props: FormProps<components["schemas"]["Deletion"]>) {
  const { client, text, date } = useShared();
  return (
    <Form
      {...props}
      name="delete_account"
      fields={({ deletion_grace_days: days }) => (
        <>
          <p data-hallpass="hint">{text(days === 0 ? "hint.delete_now" : "hint.delete", { days })}</p>
          <CurrentPasswordField />
        </>
      )}
      send={async ({ current_password: password = "" }) => {
        const { data, error } = await client.api.POST("/api/v1/account-deletion", { body: { password } });
        if (error) throw new HallpassError(error);
        // The session is over already; this tells the page and the other tabs.
        await client.signOut();
        return data;
      }}
      done={({ delete_at }) => text("done.delete_account", { date: date(delete_at) })}
    />
  );
}
