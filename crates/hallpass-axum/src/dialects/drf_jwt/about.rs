//! What the endpoints of `rest_framework_jwt` are called, do and take.

use super::super::{
    describe::{About, Field, Kind},
    fields::{EMAIL, NAME},
};

const TOKEN: Field = Field::needed("token", Kind::Token, "A token that is still good.");

/// Version 1.11 does not tell what it answers.
pub(super) fn obtain(original: bool) -> About {
    let answered = Field::answered("token", Kind::Token, "What to send along from now on.");
    About::view("Obtain Json Web Token", "Signs an account in. The answer has the token that opens everything else.")
        .described(
            "API View that receives a POST with a user's username and password.\n\nReturns a JSON Web Token that can \
             be used for authenticated requests.",
        )
        .with([Field::USERNAME, Field::PASSWORD].into_iter().chain((!original).then_some(answered)))
}

pub(super) fn refresh(original: bool) -> About {
    let what = "Exchanges a token that is still good for the next one, as long as its session lasts.";
    About::view("Refresh Json Web Token", what)
        .described(if original {
            "API View that returns a refreshed token (with new expiration) based on\nexisting token\n\nIf 'orig_iat' \
             field (original issued-at-time) is found, will first check\nif it's within expiration window, then copy \
             it to the new token"
        } else {
            "API View that returns a refreshed token (with new expiration) based on\nexisting token\n\nIf 'orig_iat' \
             field (original issued-at-time) is found it will first check\nif it's within expiration window, then copy \
             it to the new token."
        })
        .with([TOKEN])
}

pub(super) fn verify(original: bool) -> About {
    let what = "Tells whether a token is good at this moment; if so, the answer repeats it.";
    About::view("Verify Json Web Token", what)
        .described(if original {
            "API View that checks the veracity of a token, returning the token if it\nis valid."
        } else {
            "API View that checks the validity of a token, returning the token if it\nis valid."
        })
        .with([TOKEN])
}

pub(super) fn blacklist() -> About {
    let help = "A token of that session; without it, the one that comes along.";
    About::view("Blacklist", "Ends the session of a token, and every token of that session with it.")
        .with([Field::optional("token", Kind::Token, help)])
}

pub(super) fn impersonate() -> About {
    let what = "Gives a superuser a token of somebody else's account, and records it among the events of that account.";
    About::view("Impersonate Json Web Token", what)
        .described(
            "Impersonate the user by retrieving its JWT.\n\nBy default, the view permits this action only to \
             superusers in order to\nbe backwards-compatible as much as possible. If you need to customize\nthe \
             permission handling process, override the `permission_classes` attribute\nusing \
             `djangorestframework`'s permission system.\n\nReturns:\n    dict: {\"token\": user's JWT}",
        )
        .with([Field::needed("user", Kind::Key, "The id of that account.")])
}

pub(super) fn sign_up() -> About {
    About::by_hand("Sign Up", "Makes an account and signs it in.").with([
        Field::USERNAME.at_most(NAME),
        Field::optional("email", Kind::Email, "Where the account receives mail.").at_most(EMAIL),
        Field::needed("password", Kind::NewPassword, "The password of the new account.").at_most(128),
    ])
}

pub(super) fn user() -> About {
    About::by_hand("Current User", "Tells of the account whose token comes along.").taking("GET")
}
