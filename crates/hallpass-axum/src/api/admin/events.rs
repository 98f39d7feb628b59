//! What happened, to whom and by whom, in the last 180 days.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{
    admin::{self, Events},
    audit,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{super::Answer, Part, about};
use crate::{AppState, administrator::Administrator, error::Problem, query::Query};

/// A part of what happened.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminEventList)]
pub(crate) struct EventList {
    /// Newest first.
    events: Vec<Event>,
    /// The `cursor` of the next part; `null` if this is the last one.
    #[schema(required = true)]
    next: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminEvent)]
pub(crate) struct Event {
    /// Names the event.
    #[schema(format = Uuid)]
    id: String,
    /// When, in seconds since 1970 (UTC).
    at: i64,
    /// What: `signed_in`, say; there will be more of them in later versions.
    event: String,
    /// To whom; `null`: to the server.
    #[schema(required = true)]
    account_id: Option<i64>,
    /// On which device.
    #[schema(required = true, format = Uuid)]
    session: Option<String>,
    /// From which address.
    #[schema(required = true)]
    ip: Option<String>,
    /// What the client called itself.
    #[schema(required = true)]
    user_agent: Option<String>,
    /// Who did it: `anonymous` (somebody who had not signed in), `operator` (by hand, at the server), or `account` or
    /// `client` with a space and its id.
    actor: String,
    /// Why, in one word; or which role, or which key.
    #[schema(required = true)]
    cause: Option<String>,
    /// Finds what belongs to it in the server's log.
    request_id: String,
}

impl From<audit::Entry> for Event {
    fn from(entry: audit::Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            event: entry.event,
            account_id: entry.account.map(|id| id.0),
            session: entry.session.map(|id| id.to_string()),
            ip: entry.ip,
            user_agent: entry.user_agent,
            actor: entry.actor,
            cause: entry.cause,
            request_id: entry.request_id,
        }
    }
}

/// Which events are asked for.
pub(in crate::api) struct Wanted(Events, Part);

impl FromRequestParts<AppState> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = Query::of(&parts.uri, &["account", "event", "since", "until", "cursor", "limit"])?;
        let events = Events {
            account: about(&query)?,
            event: query.read("event", "`event` is the name of an event, such as `signed_in`", audit::Event::parse)?,
            since: query.number("since", "`since` is a time in seconds since 1970 (UTC)", TIMES)?,
            until: query.number("until", "`until` is a time in seconds since 1970 (UTC)", TIMES)?,
        };
        Ok(Self(events, Part::of(&query)?))
    }
}

/// The times that anybody asks about: those of this calendar's four-digit years.
const TIMES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;

/// Read what happened
#[utoipa::path(get, path = "/api/v1/admin/events", operation_id = "listEvents", tag = "Admin",
    params(
        ("account" = Option<i64>, Query, minimum = 1, description = "Only what happened to the account of this id"),
        ("event" = Option<String>, Query, description = "Only what is of this kind"),
        ("since" = Option<i64>, Query, minimum = 0, maximum = 253_402_300_799_i64,
            description = "Only what happened then or later, in seconds since 1970 (UTC)"),
        ("until" = Option<i64>, Query, minimum = 0, maximum = 253_402_300_799_i64,
            description = "Only what happened then or earlier, in seconds since 1970 (UTC)"),
        ("cursor" = Option<String>, Query, description = "The `next` of an earlier answer"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "At most so many; 50 if it is left out"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of what happened in the last 180 days", body = EventList)))]
pub(in crate::api) async fn list_events(
    State(app): State<AppState>,
    who: Administrator,
    Wanted(events, part): Wanted,
) -> Answer<Json<EventList>> {
    let page = admin::events(app.hallpass(), &who.admin, events, part.cursor(), part.limit).await?;
    Ok(Json(EventList { events: page.items.into_iter().map(Event::from).collect(), next: page.next }))
}
