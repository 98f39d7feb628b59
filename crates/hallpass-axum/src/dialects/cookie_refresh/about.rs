//! What the endpoints of a back end with a refresh token in a cookie are called, do and take.

use super::super::describe::{About, Field};

pub(super) fn login() -> About {
    let what = "Signs an account in. The answer has an access token, and a cookie keeps the refresh token.";
    About::by_hand("Login View", what).with([Field::USERNAME, Field::PASSWORD])
}

pub(super) fn token() -> About {
    let what = "Exchanges the refresh token in the cookie for an access token, as long as the session lasts.";
    About::by_hand("Refresh Token View", what)
}

pub(super) fn user() -> About {
    About::by_hand("User", "Tells of the account whose access token comes along.").taking("GET")
}

pub(super) fn echo() -> About {
    About::by_hand("Echo", "Tells of the account whose access token comes along, and asks for the CSRF token.")
}

pub(super) fn logout() -> About {
    About::by_hand("Logout View", "Ends the session of the refresh token in the cookie.")
}
