//! What was taken back, for verifiers elsewhere: asked for again and again, or as a stream of events.
//!
//! A server that is not up to date with its own log says nothing, so that nobody takes silence for news.

mod stream;

use std::time::Duration;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hallpass_core::{
    Code, Ctx, Error,
    feed::{self, Page},
};
use hallpass_token::Revocation;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use crate::{AppState, error::Problem, program::Program, query::Query, serve::Draining};

/// A part of what was taken back.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revocations {
    /// Where to go on: `since` of the next request.
    #[schema(max_length = 200)]
    cursor: String,
    /// Whether there is more: ask again at once.
    more: bool,
    /// Whether the lines begin a new history, because there was no cursor or it is not known: they are everything that
    /// is live, and what the reader holds besides stays until its `forget_at`.
    reset: bool,
    /// In no order, and some of them maybe for a second time: applying one twice is harmless.
    lines: Vec<Line>,
}

/// Something that was taken back: a session, or an account's tokens of an older version.
#[derive(Serialize, ToSchema)]
#[schema(as = Revocation)]
struct Line {
    /// Every token with this `sid` is dead (`session_ended`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Uuid)]
    session: Option<String>,
    /// Tokens of this `sub` with an `account_version` below `below_version` are out of date (`token_stale`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<i64>,
    /// Beside `account` and never without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    below_version: Option<i64>,
    /// When the line may be forgotten, in seconds since 1970 (UTC), and not before.
    forget_at: i64,
}

impl From<Revocation> for Line {
    fn from(line: Revocation) -> Self {
        match line {
            Revocation::Session { session, forget_at } => {
                Self { session: Some(session.to_string()), account: None, below_version: None, forget_at }
            }
            Revocation::Account { account, below_version, forget_at } => {
                Self { session: None, account: Some(account.0), below_version: Some(below_version), forget_at }
            }
        }
    }
}

impl From<Page> for Revocations {
    fn from(page: Page) -> Self {
        let lines = page.lines.into_iter().map(Line::from).collect();
        Self { cursor: page.cursor, more: page.more, reset: page.reset, lines }
    }
}

/// Where the reader is, and how long it waits for news.
pub(super) struct Position {
    since: Option<String>,
    wait: Duration,
}

/// Seconds of a long poll at most: fewer than an answer may take.
const LONGEST_WAIT: u64 = 25;

const NO_CURSOR: &str = "`since` and `Last-Event-ID` are the cursor of an earlier answer, unchanged";

fn cursor(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (text.len() <= 200 && text.bytes().all(plain)).then(|| text.to_owned())
}

impl FromRequestParts<AppState> for Position {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = Query::of(&parts.uri, &["since", "wait"])?;
        let seconds =
            |text: &str| text.parse().ok().filter(|wait: &u64| *wait <= LONGEST_WAIT && wait.to_string() == text);
        let wait = query.read("wait", "`wait` is a number from 0 to 25", seconds)?.unwrap_or(0);
        Ok(Self { since: query.read("since", NO_CURSOR, cursor)?, wait: Duration::from_secs(wait) })
    }
}

/// Follow what was taken back
///
/// For back ends that check access tokens themselves. Without `since` the answer is everything that is live; after that,
/// what is new. A reader that has heard nothing for some seconds, no 304 and no heartbeat either, does not know what
/// was taken back meanwhile.
///
/// With `Accept: text/event-stream` the answer goes on: events `lines`, whose `id` is the cursor and whose data is the
/// same document, and at least every two seconds an event if only `heartbeat`. `Last-Event-ID` counts before `since`.
/// It ends when the server stops or the client is removed.
#[utoipa::path(get, path = "/api/v1/revocations", operation_id = "readRevocations", tag = "Programs",
    params(
        ("since" = Option<String>, Query, max_length = 200, pattern = "^[A-Za-z0-9._-]*$",
            description = "The cursor of an earlier answer"),
        ("wait" = Option<u32>, Query, minimum = 0, maximum = 25,
            description = "How many seconds to wait for news if there is none; 0 if it is left out"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event of an earlier stream"),
    ),
    security(("client_credentials" = [])),
    responses(
        (status = 200, description = "What was taken back", headers(("ETag" = String, description = "The cursor")),
            content((Revocations = "application/json"), (String = "text/event-stream"))),
        (status = 304, description = "There is nothing new since the answer of `If-None-Match`"),
    ))]
pub(super) async fn read_revocations(
    State(app): State<AppState>,
    Position { since, wait }: Position,
    program: Program,
    draining: Draining,
    headers: HeaderMap,
) -> Answer<Response> {
    if accepts_events(&headers) {
        let last = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(cursor).ok_or_else(no_cursor));
        let since = last.transpose()?.or(since);
        return stream::open(app, program, since, draining).await;
    }
    let known = newest(&app, &headers);
    let page = poll(&app, program.ctx, since.as_deref(), known, wait, draining).await?;
    // Asked again: there may be news by now.
    match newest(&app, &headers) {
        Some(tag) => Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, quoted(tag)?)]).into_response()),
        None => Ok(([(header::ETAG, quoted(&page.cursor)?)], Json(Revocations::from(page))).into_response()),
    }
}

/// What is new, as soon as there is anything, or when nobody waits any longer.
async fn poll(
    app: &AppState,
    ctx: Ctx,
    since: Option<&str>,
    known: Option<&str>,
    wait: Duration,
    mut draining: Draining,
) -> Result<Page, Error> {
    let mut changes = feed::watch(app.hallpass());
    let page = feed::read(app.hallpass(), &ctx, since).await?;
    if known.is_none() && is_news(&page) {
        return Ok(page);
    }
    tokio::select! {
        _ = changes.changed() => {}
        () = tokio::time::sleep(wait) => {}
        () = draining.begins() => {}
    }
    feed::read(app.hallpass(), &Ctx { now: app.clock().now(), ..ctx }, since).await
}

/// Whether a page says anything: a newcomer has to hear also that there is nothing.
fn is_news(page: &Page) -> bool {
    page.reset || page.more || !page.lines.is_empty()
}

/// The newest cursor, if it is one of those that `If-None-Match` names (RFC 9110 section 13.1.2).
fn newest<'h>(app: &AppState, headers: &'h HeaderMap) -> Option<&'h str> {
    let tags = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    // What stands between quotes: cursors have none in them.
    tags.split('"').skip(1).step_by(2).find(|tag| feed::is_newest(app.hallpass(), tag))
}

fn quoted(cursor: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(format!("\"{cursor}\"")).map_err(Error::internal)
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.to_ascii_lowercase().contains("text/event-stream"))
}

fn no_cursor() -> Problem {
    Problem::new(Code::InvalidRequest, NO_CURSOR)
}
