//! What happened to the account, as its owner may see it.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{
    AccountId, accounts,
    audit::{self, Cursor, Entry},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, account_gone};
use crate::{AppState, ctx::SignedIn, error::Problem, query::Query};

/// A part of what happened to the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Activity {
    /// Newest first. If there are as many as were asked for, there may be more: `before` with the last one's id.
    events: Vec<Event>,
}

/// Something that happened to the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    /// Names the event.
    #[schema(format = Uuid)]
    id: String,
    /// When, in seconds since 1970 (UTC).
    at: i64,
    /// What: `signed_in`, say; there will be more of them in later versions.
    event: String,
    /// Who did it: `owner`, `anonymous` (somebody who had not signed in), or `operator`, by hand or by a program.
    by: &'static str,
    /// On which device.
    #[schema(required = true, format = Uuid)]
    session: Option<String>,
    /// From which address.
    #[schema(required = true)]
    ip: Option<String>,
    /// What the device called itself; `null`, like `ip`, if it was the operator's.
    #[schema(required = true)]
    user_agent: Option<String>,
    /// Why, in one word; or which role.
    #[schema(required = true)]
    cause: Option<String>,
}

impl Event {
    pub(super) fn seen_by(owner: AccountId, entry: Entry) -> Self {
        let by = match entry.actor.as_str() {
            "anonymous" => "anonymous",
            actor if actor.strip_prefix("account ").is_some_and(|id| id.parse() == Ok(owner)) => "owner",
            // Which of the operator's people or programs it was, and from where, is none of the owner's business.
            _ => "operator",
        };
        let shown = |told: Option<String>| told.filter(|_| by != "operator");
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            event: entry.event,
            by,
            session: entry.session.map(|id| id.to_string()),
            ip: shown(entry.ip),
            user_agent: shown(entry.user_agent),
            cause: entry.cause,
        }
    }
}

/// Which part is asked for: `before` and `limit` of the query.
pub(super) struct Page(Cursor);

impl FromRequestParts<AppState> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = Query::of(&parts.uri, &["before", "limit"])?;
        let id = |text: &str| text.parse().ok().filter(|id: &Uuid| id.to_string() == text);
        let before = query.read("before", "`before` is the id of an event", id)?;
        Ok(Self(Cursor { before, limit: query.limit()? }))
    }
}

/// Read what happened to the account
#[utoipa::path(get, path = "/api/v1/activity", operation_id = "readActivity", tag = "Account",
    params(
        ("before" = Option<Uuid>, Query, description = "Only what happened before the event of this id"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "At most so many; 50 if it is left out"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "What happened to the account in the last 180 days", body = Activity)))]
pub(super) async fn read_activity(
    State(app): State<AppState>,
    Page(page): Page,
    user: SignedIn,
) -> Answer<Json<Activity>> {
    let owner = accounts::get(app.hallpass(), user.claims.sub).await.map_err(account_gone)?.id;
    let entries = audit::of_account(app.hallpass(), owner, page).await?;
    let events = entries.into_iter().map(|entry| Event::seen_by(owner, entry)).collect();
    Ok(Json(Activity { events }))
}
