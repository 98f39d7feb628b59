//! The devices on which the account is signed in.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use hallpass_core::{Code, SessionId, sessions};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, DONE, Done};
use crate::{AppState, ctx::SignedIn, error::Problem};

/// The account's sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Last used first.
    sessions: Vec<Session>,
}

/// A device on which the account is signed in. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// Names the session, and proves nothing.
    #[schema(format = Uuid)]
    id: String,
    /// Whether it is the one that asks.
    current: bool,
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

/// List the sessions
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "listSessions", tag = "Sessions",
    security(("access_token" = [])),
    responses((status = 200, description = "The account's sessions", body = SessionList)))]
pub(super) async fn list_sessions(State(app): State<AppState>, user: SignedIn) -> Answer<Json<SessionList>> {
    let sessions = sessions::list(app.hallpass(), &user.ctx, user.claims.sub).await?;
    if sessions.iter().all(|session| session.id != user.claims.sid) {
        // The token says otherwise, but the database knows better.
        return Err(Problem::new(Code::SessionEnded, "Sign in again: this session is over"));
    }
    let seen = |session: sessions::Session| Session {
        current: session.id == user.claims.sid,
        id: session.id.to_string(),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        idle_end: session.idle_end,
        absolute_end: session.absolute_end,
        ip: session.ip,
        user_agent: session.user_agent,
    };
    Ok(Json(SessionList { sessions: sessions.into_iter().map(seen).collect() }))
}

/// End all other sessions
#[utoipa::path(delete, path = "/api/v1/sessions", operation_id = "endOtherSessions", tag = "Sessions",
    security(("access_token" = [])),
    responses((status = 204, description = "Only the session that asked goes on")))]
pub(super) async fn end_other_sessions(State(app): State<AppState>, user: SignedIn) -> Done {
    sessions::end_others(app.hallpass(), &user.ctx, user.claims.sub, user.claims.sid).await?;
    DONE
}

/// End one session
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "endSession", tag = "Sessions",
    params(("id" = uuid::Uuid, Path, description = "The session's id")), security(("access_token" = [])),
    responses((status = 204, description = "The session is over")))]
pub(super) async fn end_session(
    State(app): State<AppState>,
    user: SignedIn,
    id: Result<Path<String>, PathRejection>,
) -> Done {
    // What is no id is the id of no session.
    let id: SessionId = id.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(no_such_session)?;
    sessions::end(app.hallpass(), &user.ctx, user.claims.sub, id).await?;
    DONE
}

fn no_such_session() -> Problem {
    Problem::new(Code::NotFound, "The account has no session of this id")
}
