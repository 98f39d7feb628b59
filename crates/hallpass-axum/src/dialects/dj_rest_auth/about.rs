//! What the endpoints of `dj-rest-auth` are called, do and take.

use super::{
    super::{
        describe::{About, Field, Kind},
        fields::NAME,
    },
    DjRestAuth,
    passwords::LONGEST,
};

const EMAIL: Field = Field::optional("email", Kind::Email, "The address of the account.");
const NEW: Field = Field::needed("new_password1", Kind::NewPassword, "The new password.").at_most(LONGEST);
const AGAIN: Field = Field::needed("new_password2", Kind::NewPassword, "The same once more.").at_most(LONGEST);

pub(super) fn login() -> About {
    About::view("Login", "Signs an account in by its name or its address, as the project has set up.")
        .described(
            "Check the credentials and return the REST Token\nif the credentials are valid and authenticated.\nCalls \
             Django Auth login method to register User ID\nin Django session framework\n\nAccept the following POST \
             parameters: username, password\nReturn the REST Framework Token Object's key.",
        )
        .with([Field { required: false, ..Field::USERNAME }, EMAIL, Field::PASSWORD])
}

pub(super) fn logout() -> About {
    About::by_hand("Logout", "Ends the session, and with it every token of it.")
        .described(
            "Calls Django logout method and delete the Token object\nassigned to the current User object.\n\n\
             Accepts/Returns nothing.",
        )
        .taking("GET, POST, HEAD")
}

pub(super) fn refresh() -> About {
    let what = "Exchanges a refresh token for an access token, as long as its session lasts.";
    About::view("Refresh View With Cookie Support", what).with([
        Field::optional("refresh", Kind::Token, "A refresh token; without it, the one in the cookie."),
        Field::answered("access", Kind::Token, "The next access token."),
    ])
}

pub(super) fn user() -> About {
    let name = |name, help| Field::optional(name, Kind::Text, help).at_most(NAME);
    About::view("User Details", "Tells of the account that is signed in, and changes its names.")
        .taking("GET, PUT, PATCH, HEAD")
        .with([
            Field::answered("pk", Kind::Key, "The id of the account."),
            Field::USERNAME.at_most(NAME),
            Field::answered("email", Kind::Email, "The address of the account."),
            name("first_name", "The first name of its owner."),
            name("last_name", "The last name of its owner."),
        ])
}

pub(super) fn change(settings: &DjRestAuth) -> About {
    let old = Field::needed("old_password", Kind::Password, "The password until now.").at_most(LONGEST);
    let old = (!settings.insecure_change_without_password).then_some(old);
    About::view("Password Change", "Gives the account that is signed in a new password.")
        .with(old.into_iter().chain([NEW, AGAIN]))
}

pub(super) fn reset() -> About {
    About::view("Password Reset", "Sends a mail with a link by which its reader sets a new password.")
        .described(
            "Calls Django Auth PasswordResetForm save method.\n\nAccepts the following POST parameters: \
             email\nReturns the success/fail message.",
        )
        .with([Field { required: true, ..EMAIL }])
}

pub(super) fn confirm() -> About {
    About::view("Password Reset Confirm", "Sets a new password, by what the mailed link says.")
        .described(
            "Password reset e-mail link is confirmed, therefore\nthis resets the user's password.\n\nAccepts the \
             following POST parameters: token, uid,\n    new_password1, new_password2\nReturns the success/fail \
             message.",
        )
        .with([
            NEW,
            AGAIN,
            Field::needed("uid", Kind::Text, "Whose password it is, from the link."),
            Field::needed("token", Kind::Token, "What the link proves itself by."),
        ])
}

pub(super) fn register(settings: &DjRestAuth) -> About {
    About::view("Register", "Makes an account.")
        .described(
            "Registers a new user.\n\nAccepts the following POST parameters: username, email, password1, password2.",
        )
        .with([
            Field { required: settings.needs("username"), ..Field::USERNAME }.at_least(1).at_most(NAME),
            Field { required: settings.needs("email"), ..EMAIL },
            Field::needed("password1", Kind::NewPassword, "The password of the new account."),
            Field::needed("password2", Kind::NewPassword, "The same once more."),
        ])
}

pub(super) fn verify_email() -> About {
    About::view("Verify Email", "Confirms an address, by what the mailed link says.")
        .described("Verifies the email associated with the provided key.\n\nAccepts the following POST parameter: key.")
        .taking("POST, HEAD")
        .with([Field::needed("key", Kind::Token, "What the link proves itself by.")])
}

pub(super) fn resend_email(settings: &DjRestAuth) -> About {
    About::view("Resend Email Verification", "Sends the mail that confirms an address once more.")
        .described("Resends another email to an unverified email.\n\nAccepts the following POST parameter: email.")
        .with([Field { required: settings.needs("email"), ..EMAIL }])
}

pub(super) fn confirm_page() -> About {
    About::by_hand("Confirm Email", "Confirms an address.").taking("GET, POST, HEAD")
}
