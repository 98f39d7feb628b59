//! What the access token says of itself: the cheap way to ask whether one is signed in.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ctx::SignedIn;

/// A session, as the access token states it. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentSession {
    /// The session's id.
    #[schema(format = Uuid)]
    id: String,
    /// The account's id.
    account: i64,
    /// What the account may do.
    roles: Vec<String>,
    /// How its owner signed in (RFC 8176).
    amr: Vec<String>,
    /// When its owner signed in.
    auth_time: i64,
    /// When this access token was made.
    issued_at: i64,
    /// When this access token is over.
    expires_at: i64,
}

/// Check the access token
///
/// Answers from the token alone, without the database: use it as often as you like.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "readSession", tag = "Sessions",
    security(("access_token" = [])),
    responses((status = 200, description = "The token is good", body = CurrentSession)))]
pub(super) async fn read_session(SignedIn { claims, .. }: SignedIn) -> Json<CurrentSession> {
    Json(CurrentSession {
        id: claims.sid.to_string(),
        account: claims.sub.0,
        roles: claims.roles.clone(),
        amr: claims.amr.clone(),
        auth_time: claims.auth_time,
        issued_at: claims.iat,
        expires_at: claims.exp,
    })
}
