//! Giving the account another address.

use axum::{extract::State, http::HeaderMap};
use hallpass_core::{Claims, email};
use secrecy::SecretString;
use utoipa::ToSchema;

use super::{
    ACCEPTED, DONE, Done, account_gone,
    mailed::{Link, RedeemLink},
};
use crate::{
    AppState,
    client::device,
    ctx::{Anybody, SignedIn},
    json::{FromMembers, Json, Members},
};

/// The address that the account is to have, and the password that it has.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct RequestEmailChange {
    #[schema(max_length = 254, format = "email")]
    email: String,
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
    /// As the sign-in on this device had it. Leave it out in browsers, which send their cookie.
    #[schema(nullable = false)]
    device_token: Option<String>,
}

/// What is read of it.
pub(crate) struct Body {
    email: String,
    password: SecretString,
    device_token: Option<String>,
}

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        Self {
            email: members.needed("email"),
            password: members.secret("password"),
            device_token: members.text("device_token"),
        }
    }
}

/// Ask for a link that changes the address
///
/// The mail goes to the new address, and nothing changes before its link was used. If the address is somebody else's,
/// they are told, and the answer is the same. A newer link replaces the older one; it is good for 24 hours.
#[utoipa::path(post, path = "/api/v1/email-change/request", operation_id = "requestEmailChange", tag = "Account",
    request_body = RequestEmailChange, security(("access_token" = [])),
    responses((status = 202, description = "A mail goes to the new address")))]
pub(super) async fn request_email_change(
    State(app): State<AppState>,
    user: SignedIn,
    headers: HeaderMap,
    Json(Body { email, password, device_token }): Json<Body>,
) -> Done {
    let SignedIn { ctx, claims } = user;
    let Claims { sub, sid, .. } = *claims;
    let device = device(device_token.as_deref(), &headers);
    let request = email::request_change(app.hallpass(), &ctx, sub, sid, password, &email, device);
    request.await.map_err(account_gone)?;
    ACCEPTED
}

/// Change the address
///
/// Needs no sign-in: whoever has the link has received the mail. The old address is told, and every session but the one
/// that asked for the change is over.
#[utoipa::path(post, path = "/api/v1/email-change", operation_id = "changeEmail", tag = "Account",
    request_body = RedeemLink, responses((status = 204, description = "The account has the new address")))]
pub(super) async fn change_email(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Link(token)): Json<Link>,
) -> Done {
    email::change(app.hallpass(), &ctx, &token).await?;
    DONE
}
