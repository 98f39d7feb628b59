//! Who is signed in, and ending that.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{
    AccountId, SessionId,
    admin::{self, LiveSession},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{Answer, DONE, Done},
    Id, Part, about,
};
use crate::{AppState, administrator::Administrator, error::Problem, query::Query};

/// A part of the live sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminSessionList)]
pub(crate) struct SessionList {
    /// The newest sign-in first.
    sessions: Vec<Session>,
    /// The `cursor` of the next part; `null` if this is the last one.
    #[schema(required = true)]
    next: Option<String>,
}

/// A device on which somebody is signed in. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
#[schema(as = AdminSession)]
pub(crate) struct Session {
    /// Names the session, and proves nothing.
    #[schema(format = Uuid)]
    id: String,
    /// Whose it is.
    account_id: i64,
    /// The owner's user name.
    #[schema(required = true)]
    username: Option<String>,
    /// The owner's address.
    #[schema(required = true)]
    email: Option<String>,
    /// When its owner signed in.
    created_at: i64,
    /// When it was last refreshed.
    last_used_at: i64,
    /// When it ends if it is not refreshed.
    idle_end: i64,
    /// When it ends in any case.
    absolute_end: i64,
    /// From which address its owner signed in.
    #[schema(required = true)]
    ip: Option<String>,
    /// What the device called itself.
    #[schema(required = true)]
    user_agent: Option<String>,
}

impl From<LiveSession> for Session {
    fn from(LiveSession { session, account, username, email }: LiveSession) -> Self {
        Self {
            id: session.id.to_string(),
            account_id: account.0,
            username,
            email,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            idle_end: session.idle_end,
            absolute_end: session.absolute_end,
            ip: session.ip,
            user_agent: session.user_agent,
        }
    }
}

/// Whose sessions are asked for.
pub(in crate::api) struct Wanted(Option<AccountId>, Part);

impl FromRequestParts<AppState> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = Query::of(&parts.uri, &["account", "cursor", "limit"])?;
        Ok(Self(about(&query)?, Part::of(&query)?))
    }
}

/// List live sessions
#[utoipa::path(get, path = "/api/v1/admin/sessions", operation_id = "listAllSessions", tag = "Admin",
    params(
        ("account" = Option<i64>, Query, minimum = 1, description = "Only those of the account of this id"),
        ("cursor" = Option<String>, Query, description = "The `next` of an earlier answer"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "At most so many; 50 if it is left out"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the live sessions", body = SessionList)))]
pub(in crate::api) async fn list_sessions(
    State(app): State<AppState>,
    who: Administrator,
    Wanted(account, part): Wanted,
) -> Answer<Json<SessionList>> {
    let page = admin::sessions(app.hallpass(), &who.ctx, &who.admin, account, part.cursor(), part.limit).await?;
    Ok(Json(SessionList { sessions: page.items.into_iter().map(Session::from).collect(), next: page.next }))
}

/// End a session
#[utoipa::path(delete, path = "/api/v1/admin/sessions/{id}", operation_id = "endSessionOfAnybody", tag = "Admin",
    params(("id" = uuid::Uuid, Path, description = "The session's id")), security(("access_token" = [])),
    responses((status = 204, description = "The session is over")))]
pub(in crate::api) async fn end_session(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<SessionId>,
) -> Done {
    admin::end_session(app.hallpass(), &who.ctx, &who.admin, id).await?;
    DONE
}

/// End all sessions of an account
#[utoipa::path(delete, path = "/api/v1/admin/accounts/{id}/sessions", operation_id = "endSessionsOfAccount",
    tag = "Admin", params(("id" = i64, Path, description = "The account's id")), security(("access_token" = [])),
    responses((status = 204, description = "Its owner is signed in nowhere")))]
pub(in crate::api) async fn end_sessions_of_account(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
) -> Done {
    admin::end_sessions(app.hallpass(), &who.ctx, &who.admin, id).await?;
    DONE
}
