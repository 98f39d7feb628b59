import type { SignUp, SignUpResult } from "@hallpass/client";
import { useShared } from "../context.js";
import { Field, NameField, NewPasswordField } from "../field.js";
import { Form } from "../form.js";
import type { FormProps, Values } from "../form.js";
import { profileOf } from "./profile.js";

/**
 * Asks for what a new account needs, makes it, and signs in, unless the address has to be verified first.
 * Fields among its children are sent too if they are called `first_name`, `last_name` or `profile.NAME`.
 */
export function SignUpForm(props: FormProps<SignUpResult>) {
  const { client, text, locale } = useShared();
  return (
    <Form
      {...props}
      name="sign_up"
      refusal={({ sign_up }) => !sign_up && "sign_up_closed"}
      fields={({ email, username, password_min_length }) => (
        <>
          {email !== "off" && (
            <NameField
              name="email"
              type="email"
              inputMode="email"
              // Password managers keep a password under the name that is asked for at sign-in.
              autoComplete={username === "off" ? "username" : "email"}
              required={email === "required"}
            />
          )}
          {username !== "off" && (
            <NameField name="username" autoComplete="username" required={username === "required"} />
          )}
          <NewPasswordField name="password" least={password_min_length} />
          <Field name="remember" type="checkbox" />
        </>
      )}
      send={({ password = "", remember, ...values }, configuration) =>
        client.signUp({
          ...namesOf(values),
          ...(locale && { locale }),
          password,
          profile: profileOf(values, configuration),
          remember: remember === "on",
        })
      }
      done={({ status }) => (status === "verify_email" ? text("done.sign_up") : undefined)}
    />
  );
}

/** What was filled in of what an account is called. */
function namesOf(values: Values): Partial<SignUp> {
  const names = ["username", "email", "first_name", "last_name"];
  return Object.fromEntries(names.flatMap((name) => (values[name] ? [[name, values[name]]] : [])));
}
