//! Administration: what the operator's people see and change of everybody's accounts, and of the server.
//!
//! Who may do what is the core's to say, each time anew; nothing here hands out or takes a secret.

pub(super) mod access;
pub(super) mod accounts;
pub(super) mod changes;
pub(super) mod events;
pub(super) mod keys;
pub(super) mod outbox;
pub(super) mod roles;
pub(super) mod sessions;
pub(super) mod statistics;

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use hallpass_core::{AccountId, Code};

use super::Answer;
use crate::{AppState, error::Problem, query::Query};

/// The id in a path; what is no id is the id of nothing.
pub(crate) struct Id<T>(T);

impl<T: FromStr> FromRequestParts<AppState> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let plain = is_plain(parts.uri.path());
        let id = Path::<String>::from_request_parts(parts, app).await;
        id.ok().filter(|_| plain).and_then(|Path(id)| id.parse().ok()).map(Self).ok_or_else(no_such_id)
    }
}

/// Whether no character of a path is percent-encoded: ids have one spelling.
fn is_plain(path: &str) -> bool {
    !path.contains('%')
}

fn no_such_id() -> Problem {
    Problem::new(Code::NotFound, "There is nothing of this id")
}

/// Which part of a list is asked for.
pub(crate) struct Part {
    cursor: Option<String>,
    limit: u32,
}

impl Part {
    fn of(query: &Query<'_>) -> Result<Self, Problem> {
        let cursor = query.text("cursor", "`cursor` is the `next` of an earlier answer", 254)?;
        Ok(Self { cursor, limit: query.limit()? })
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// The account about which a list is asked.
fn about(query: &Query<'_>) -> Answer<Option<AccountId>> {
    Ok(query.number("account", "`account` is the id of an account", 1..=i64::MAX)?.map(AccountId))
}
