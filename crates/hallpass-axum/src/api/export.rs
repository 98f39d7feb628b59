//! All that is kept about the account, for its owner to take away.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header::CONTENT_DISPOSITION},
    response::AppendHeaders,
};
use hallpass_core::export::{self, Past};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, User, account_gone, activity::Event};
use crate::{AppState, ctx::SignedIn};

/// What is kept about the account. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct Export {
    user: User,
    /// All addresses of an account that can have several.
    addresses: Vec<Address>,
    /// Last used first, also those that ended within the last month.
    sessions: Vec<PastSession>,
    /// What happened within the last 180 days, newest first.
    events: Vec<Event>,
}

/// One of the account's addresses.
#[derive(Serialize, ToSchema)]
pub(crate) struct Address {
    email: String,
    /// Whether its owner has shown to receive mail there.
    verified: bool,
}

/// A device on which the account is or was signed in. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct PastSession {
    /// Names the session, and proves nothing.
    #[schema(format = Uuid)]
    id: String,
    /// When its owner signed in.
    created_at: i64,
    /// When it was last refreshed.
    last_used_at: i64,
    /// When it ends if it is not refreshed.
    idle_end: i64,
    /// When it ends in any case.
    absolute_end: i64,
    /// When it ended before its time.
    #[schema(required = true)]
    ended_at: Option<i64>,
    /// Why it did, in one word.
    #[schema(required = true)]
    cause: Option<&'static str>,
    /// From which address its owner signed in.
    #[schema(required = true)]
    ip: Option<String>,
    /// What the device called itself.
    #[schema(required = true)]
    user_agent: Option<String>,
}

impl From<Past> for PastSession {
    fn from(Past { session, ended_at, cause }: Past) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            idle_end: session.idle_end,
            absolute_end: session.absolute_end,
            ended_at,
            cause: cause.map(|cause| cause.as_str()),
            ip: session.ip,
            user_agent: session.user_agent,
        }
    }
}

/// The answer is a file to keep.
const AS_FILE: AppendHeaders<[(HeaderName, &str); 1]> =
    AppendHeaders([(CONTENT_DISPOSITION, r#"attachment; filename="account.json""#)]);

/// Export the account
///
/// The account, its sessions and what happened to it, as a file to keep. No secret is part of it.
#[utoipa::path(get, path = "/api/v1/me/export", operation_id = "exportAccount", tag = "Account",
    security(("access_token" = [])),
    responses((status = 200, description = "All that is kept about the account", body = Export)))]
pub(super) async fn export_account(
    State(app): State<AppState>,
    user: SignedIn,
) -> Answer<(AppendHeaders<[(HeaderName, &'static str); 1]>, Json<Export>)> {
    let kept = export::of_account(app.hallpass(), user.claims.sub).await.map_err(account_gone)?;
    let owner = kept.account.id;
    let export = Export {
        user: kept.account.into(),
        addresses: kept
            .addresses
            .into_iter()
            .map(|kept| Address { email: kept.email, verified: kept.verified })
            .collect(),
        sessions: kept.sessions.into_iter().map(PastSession::from).collect(),
        events: kept.events.into_iter().map(|entry| Event::seen_by(owner, entry)).collect(),
    };
    Ok((AS_FILE, Json(export)))
}
