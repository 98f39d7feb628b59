//! The pages that links in mails lead to: one shape, one script, and a few words that differ.
//!
//! Opening one changes nothing, however often somebody or something opens it: only a click on its button does. The
//! secret is behind the `#` of the link, so it comes to this server in no address.

use axum::{Router, response::Html, routing::get};

use crate::AppState;

const SHAPE: &str = include_str!("../assets/ticket.html");

/// What differs between the pages.
struct Page {
    title: &'static str,
    /// What the button will do.
    what: &'static str,
    /// What else is asked for.
    fields: &'static str,
    button: &'static str,
    /// The operation that the button calls.
    operation: &'static str,
    /// What to say when it was done.
    done: &'static str,
}

const VERIFY: Page = Page {
    title: "Confirm your address",
    what: "This confirms that you receive mail at the address at which you got the link.",
    fields: "",
    button: "Confirm",
    operation: "api/v1/verify-email",
    done: "Your address is confirmed. You can close this page.",
};

const RESET: Page = Page {
    title: "Set a new password",
    what: "This gives your account a new password and signs it out on every device.",
    fields: r#"<label for="new">New password</label>
<input id="new" name="new_password" type="password" autocomplete="new-password" maxlength="256" required
 aria-describedby="message">
<label for="again">The same once more</label>
<input id="again" type="password" autocomplete="new-password" maxlength="256" required aria-describedby="message">
<label><input id="show" type="checkbox"> Show the password</label>
"#,
    button: "Set the password",
    operation: "api/v1/password-reset",
    done: "Your account has the new password. Sign in with it now.",
};

const CHANGE_EMAIL: Page = Page {
    title: "Confirm your new address",
    what: "This makes the address at which you got the mail the address of your account, and signs the account out on \
        your other devices.",
    fields: "",
    button: "Use this address",
    operation: "api/v1/email-change",
    done: "Your account has the new address. You can close this page.",
};

const SIGN_IN: Page = Page {
    title: "Sign in",
    what: "This signs you in on this device.",
    fields: r#"<label><input name="remember" type="checkbox"> Stay signed in when the browser is closed</label>
"#,
    button: "Sign in",
    operation: "api/v1/sign-in-link",
    done: "You are signed in. You can close this page.",
};

/// The pages, at the paths that mails name.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/verify", get(VERIFY.html()))
        .route("/reset", get(RESET.html()))
        .route("/change-email", get(CHANGE_EMAIL.html()))
        .route("/sign-in", get(SIGN_IN.html()))
}

impl Page {
    fn html(&self) -> Html<String> {
        let page = [
            ("{title}", self.title),
            ("{what}", self.what),
            ("{fields}", self.fields),
            ("{button}", self.button),
            ("{operation}", self.operation),
            ("{done}", self.done),
        ];
        Html(page.iter().fold(SHAPE.to_owned(), |shape, (name, text)| shape.replace(name, text)))
    }
}
