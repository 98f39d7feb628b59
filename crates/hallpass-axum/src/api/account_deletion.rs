//! Deleting the account.

use axum::{
    Json as Answered,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use hallpass_core::{Claims, deletion};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, account_gone, forget_cookies};
use crate::{
    AppState,
    client::device,
    ctx::SignedIn,
    json::{FromMembers, Json, Members},
};

/// The password that the account has.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct ScheduleDeletion {
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
    /// As the sign-in on this device had it. Leave it out in browsers, which send their cookie.
    #[schema(nullable = false)]
    device_token: Option<String>,
}

/// What is read of it.
pub(crate) struct Body(SecretString, Option<String>);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        Self(members.secret("password"), members.text("device_token"))
    }
}

/// An account whose days are counted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deletion {
    /// When the account goes, in seconds since 1970 (UTC).
    delete_at: i64,
}

/// Delete the account
///
/// Ends every session at once. The account itself goes after the days of grace that the operator has set; signing in
/// before calls it off.
#[utoipa::path(post, path = "/api/v1/account-deletion", operation_id = "scheduleDeletion", tag = "Account",
    request_body = ScheduleDeletion, security(("access_token" = [])),
    responses((status = 202, description = "Every session is over, and the account will go", body = Deletion)))]
pub(super) async fn schedule_deletion(
    State(app): State<AppState>,
    user: SignedIn,
    headers: HeaderMap,
    Json(Body(password, device_token)): Json<Body>,
) -> Answer<(StatusCode, HeaderMap, Answered<Deletion>)> {
    let SignedIn { ctx, claims } = user;
    let Claims { sub, sid, .. } = *claims;
    let device = device(device_token.as_deref(), &headers);
    let schedule = deletion::schedule(app.hallpass(), &ctx, sub, sid, password, device);
    let delete_at = schedule.await.map_err(account_gone)?;
    Ok((StatusCode::ACCEPTED, forget_cookies()?, Answered(Deletion { delete_at })))
}
