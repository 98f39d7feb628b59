//! Changing the password.

use axum::{extract::State, http::HeaderMap};
use hallpass_core::{Claims, login};
use secrecy::SecretString;
use utoipa::ToSchema;

use super::{DONE, Done, account_gone};
use crate::{
    AppState,
    client::device,
    ctx::SignedIn,
    json::{FromMembers, Json, Members},
};

/// The password that the account has, and the one that it is to have.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct ChangePassword {
    #[schema(min_length = 1, max_length = 256, format = Password)]
    current_password: String,
    /// Any characters; must be hard to guess.
    #[schema(min_length = 8, max_length = 256, format = Password)]
    new_password: String,
    /// As the sign-in on this device had it. Leave it out in browsers, which send their cookie.
    #[schema(nullable = false)]
    device_token: Option<String>,
}

/// What is read of it.
pub(crate) struct Body {
    current: SecretString,
    new: SecretString,
    device_token: Option<String>,
}

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        Self {
            current: members.secret("current_password"),
            new: members.secret("new_password"),
            device_token: members.text("device_token"),
        }
    }
}

/// Change the password
///
/// Ends every other session of the account; this one goes on.
#[utoipa::path(post, path = "/api/v1/password", operation_id = "changePassword", tag = "Account",
    request_body = ChangePassword, security(("access_token" = [])),
    responses((status = 204, description = "The password is changed")))]
pub(super) async fn change_password(
    State(app): State<AppState>,
    user: SignedIn,
    headers: HeaderMap,
    Json(Body { current, new, device_token }): Json<Body>,
) -> Done {
    let SignedIn { ctx, claims } = user;
    let Claims { sub, sid, .. } = *claims;
    let device = device(device_token.as_deref(), &headers);
    login::change_password(app.hallpass(), &ctx, sub, sid, current, new, device).await.map_err(account_gone)?;
    DONE
}
