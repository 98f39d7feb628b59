//! Showing that one receives mail at the account's address.

use axum::extract::State;
use hallpass_core::email;

use super::{
    ACCEPTED, DONE, Done,
    mailed::{Address, Link, RedeemLink, RequestMail},
};
use crate::{AppState, ctx::Anybody, json::Json};

/// Ask for a link that verifies the address
///
/// The answer is the same whether or not there is an account of this address, and whether or not it is verified
/// already. A newer link replaces the older one; it is good for 24 hours.
#[utoipa::path(post, path = "/api/v1/verify-email/request", operation_id = "requestVerification", tag = "Account",
    request_body = RequestMail,
    responses((status = 202, description = "If there is such an account, its owner gets a mail")))]
pub(super) async fn request_verification(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Address(email)): Json<Address>,
) -> Done {
    email::request_verification(app.hallpass(), &ctx, &email).await?;
    ACCEPTED
}

/// Verify the address
///
/// Needs no sign-in: whoever has the link has received the mail.
#[utoipa::path(post, path = "/api/v1/verify-email", operation_id = "verifyEmail", tag = "Account",
    request_body = RedeemLink, responses((status = 204, description = "The address is verified")))]
pub(super) async fn verify_email(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Link(token)): Json<Link>,
) -> Done {
    email::verify(app.hallpass(), &ctx, &token).await?;
    DONE
}
