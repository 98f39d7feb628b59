import type { User } from "@hallpass/client";
import { useShared } from "../context.js";
import { Field, NameField } from "../field.js";
import { Form } from "../form.js";
import type { FormProps } from "../form.js";

/** Asks for a name and a password, and signs in. */
export function SignInForm(props: FormProps<User>) {
  const { client, text } = useShared();
  return (
    <Form
      {...props}
      name="sign_in"
      fields={({ username, email }) => (
        <>
          {/* The server takes a user name and an address alike. */}
          <NameField
            name="username"
            label={text(`label.${username === "off" ? "email" : email === "off" ? "username" : "name"}`)}
            inputMode={username === "off" ? "email" : "text"}
            autoComplete="username"
          />
          <Field name="password" type="password" autoComplete="current-password" required />
          <Field name="remember" type="checkbox" />
        </>
      )}
      send={({ username = "", password = "", remember }) =>
        client.signIn({ username, password, remember: remember === "on" })
      }
    />
  );
}
