/** The three ways to another password: by mail, by the link in it, and by the current one. */
import { useEffect, useState } from "react";
import { HallpassError } from "@hallpass/client";
import { useShared, useUser } from "../context.js";
import { CurrentPasswordField, NameField, NewPasswordField } from "../field.js";
import { Form } from "../form.js";
import type { FormProps } from "../form.js";

/** Has a link mailed that sets a new password. Whether there is such an account, it does not tell. */
export function ForgottenPasswordForm(props: FormProps) {
  const { client, text } = useShared();
  return (
    <Form
      {...props}
      name="forgotten_password"
      refusal={({ mail }) => !mail && "mail_off"}
      fields={() => <NameField name="email" type="email" inputMode="email" autoComplete="email" />}
      send={async ({ email = "" }) => {
        const { error } = await client.api.POST("/api/v1/password-reset/request", { body: { email } });
        if (error) throw new HallpassError(error);
      }}
      done={() => text("done.forgotten_password")}
    />
  );
}

export interface ResetPasswordFormProps extends FormProps {
  /** What stands behind `#token=` in the mailed link; without it, it is taken from the page's address. */
  token?: string;
}

/** Sets a new password for whoever has the mailed link. Signs nobody in. */
export function ResetPasswordForm({ token, ...props }: ResetPasswordFormProps) {
  const { client, text } = useShared();
  const fromAddress = useTokenFromAddress();
  return (
    <Form
      {...props}
      name="reset_password"
      fields={({ password_min_length: least }) => <NewPasswordField name="new_password" least={least} />}
      send={async ({ new_password = "" }) => {
        const body = { token: token ?? fromAddress, new_password };
        const { error } = await client.api.POST("/api/v1/password-reset", { body });
        if (error) throw new HallpassError(error);
      }}
      done={() => text("done.reset_password")}
    />
  );
}

/** Takes the secret out of the address, where it would stay in the history and on the screen. */
function useTokenFromAddress(): string {
  const [token] = useState(() => {
    const hash = typeof location === "undefined" ? "" : location.hash;
    return new URLSearchParams(hash.slice(1)).get("token") ?? "";
  });
  useEffect(() => {
    if (token) history.replaceState(history.state, "", location.pathname + location.search);
  }, [token]);
  return token;
}

/** Changes the password of whoever is signed in. Every other device is signed out. */
export function ChangePasswordForm(props: FormProps) {
  const { client, text } = useShared();
  const user = useUser();
  return (
    <Form
      {...props}
      name="change_password"
      fields={({ password_min_length }) => (
        <>
          {/* It tells password managers whose password it is. */}
          <input hidden readOnly autoComplete="username" value={user?.username ?? user?.email ?? ""} />
          <CurrentPasswordField />
          <NewPasswordField name="new_password" least={password_min_length} />
        </>
      )}
      send={async ({ current_password = "", new_password = "" }) => {
        const body = { current_password, new_password };
        const { error } = await client.api.POST("/api/v1/password", { body });
        if (error) throw new HallpassError(error);
      }}
      done={() => text("done.change_password")}
    />
  );
}
