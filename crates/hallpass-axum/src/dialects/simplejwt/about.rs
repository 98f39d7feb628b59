//! What the endpoints of `rest_framework_simplejwt` are called, do and take.

use super::super::describe::{About, Field, Kind};

const REFRESH: Field = Field::needed("refresh", Kind::Token, "A refresh token.");
const TOKEN: Field = Field::needed("token", Kind::Token, "A token that is still good.");

pub(super) fn obtain() -> About {
    let what = "Signs an account in. The answer has an access token, which opens everything else for a few minutes, \
        and a refresh token, which is exchanged for the next one.";
    About::view("Token Obtain Pair", what)
        .described(
            "Takes a set of user credentials and returns an access and refresh JSON web\ntoken pair to prove the \
             authentication of those credentials.",
        )
        .with([Field::USERNAME, Field::PASSWORD])
}

pub(super) fn refresh() -> About {
    About::view("Token Refresh", "Exchanges a refresh token for an access token, as long as its session lasts.")
        .described(
            "Takes a refresh type JSON web token and returns an access type JSON web\ntoken if the refresh token is \
             valid.",
        )
        .with([REFRESH, Field::answered("access", Kind::Token, "The next access token.")])
}

pub(in super::super) fn verify() -> About {
    About::view("Token Verify", "Tells whether a token, of whatever kind, is good at this moment.")
        .described(
            "Takes a token and indicates if it is valid.  This view provides no\ninformation about a token's fitness \
             for a particular use.",
        )
        .with([TOKEN])
}

pub(super) fn blacklist() -> About {
    let what = "Ends the session of a refresh token, and every token of that session with it.";
    About::view("Token Blacklist", what)
        .described(
            "Takes a token and blacklists it. Must be used with the\n`rest_framework_simplejwt.token_blacklist` app \
             installed.",
        )
        .with([REFRESH])
}

pub(super) fn sliding() -> About {
    let what = "Signs an account in. The answer has one token, which opens everything else and is exchanged for the \
        next one while it is good.";
    About::view("Token Obtain Sliding", what)
        .described(
            "Takes a set of user credentials and returns a sliding JSON web token to\nprove the authentication of \
             those credentials.",
        )
        .with([Field::USERNAME, Field::PASSWORD])
}

pub(super) fn sliding_refresh() -> About {
    About::view("Token Refresh Sliding", "Exchanges a token for the next one, as long as its session lasts.")
        .described(
            "Takes a sliding JSON web token and returns a new, refreshed version if the\ntoken's refresh period has \
             not expired.",
        )
        .with([TOKEN])
}

pub(super) fn user() -> About {
    About::by_hand("Current User", "Tells of the account whose access token comes along.").taking("GET")
}
