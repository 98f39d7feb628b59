//! A new password for somebody who forgot the old one.

use axum::extract::State;
use hallpass_core::recovery;
use secrecy::SecretString;
use utoipa::ToSchema;

use super::{
    ACCEPTED, DONE, Done,
    mailed::{Address, RequestMail},
};
use crate::{
    AppState,
    ctx::Anybody,
    json::{FromMembers, Json, Members},
};

/// What the mail brought, and the password that the account is to have.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct ResetPassword {
    /// What stands behind `#token=` in the link.
    token: String,
    /// Any characters; must be hard to guess.
    #[schema(min_length = 8, max_length = 256, format = Password)]
    new_password: String,
}

/// What is read of it.
pub(crate) struct Body(String, SecretString);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        Self(members.needed("token"), members.secret("new_password"))
    }
}

/// Ask for a link that sets a new password
///
/// The answer is the same whether or not there is an account of this address. A newer link replaces the older one; it
/// is good for 30 minutes.
#[utoipa::path(post, path = "/api/v1/password-reset/request", operation_id = "requestPasswordReset", tag = "Account",
    request_body = RequestMail,
    responses((status = 202, description = "If there is such an account, its owner gets a mail")))]
pub(super) async fn request_password_reset(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Address(email)): Json<Address>,
) -> Done {
    recovery::request(app.hallpass(), &ctx, &email).await?;
    ACCEPTED
}

/// Set a new password
///
/// Needs no sign-in: whoever has the link has received the mail. It ends every session of the account and begins none;
/// sign in with the new password. A password that is refused does not use the link up.
#[utoipa::path(post, path = "/api/v1/password-reset", operation_id = "resetPassword", tag = "Account",
    request_body = ResetPassword, responses((status = 204, description = "The account has the new password")))]
pub(super) async fn reset_password(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Body(token, new)): Json<Body>,
) -> Done {
    recovery::reset(app.hallpass(), &ctx, &token, new).await?;
    DONE
}
