//! The mails that have not gone out: which kind, since when and why. To whom and what is in them is not told.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{admin, mail::Waiting};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Answer;
use crate::{AppState, administrator::Administrator, error::Problem, query::Query};

/// The mails that have not gone out.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminMailList)]
pub(crate) struct MailList {
    mails: Vec<Mail>,
}

/// A mail that has not gone out. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
#[schema(as = AdminMail)]
pub(crate) struct Mail {
    /// Which mail it is.
    kind: String,
    created_at: i64,
    /// How often it was not taken; that the mail server was away does not count.
    attempts: i64,
    /// When it is tried again; `null`: it was given up.
    #[schema(required = true)]
    due_at: Option<i64>,
    /// What went wrong the last time.
    #[schema(required = true)]
    last_error: Option<String>,
}

impl From<Waiting> for Mail {
    fn from(mail: Waiting) -> Self {
        Self {
            kind: mail.kind,
            created_at: mail.created_at,
            attempts: mail.attempts,
            due_at: mail.due_at,
            last_error: mail.last_error,
        }
    }
}

/// How many mails are to be tried again.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminRetried)]
pub(crate) struct Retried {
    /// So many had been given up.
    retried: u64,
}

/// How many are asked for.
pub(in crate::api) struct Limit(u32);

impl FromRequestParts<AppState> for Limit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(Self(Query::of(&parts.uri, &["limit"])?.limit()?))
    }
}

/// List the mails that have not gone out
#[utoipa::path(get, path = "/api/v1/admin/outbox", operation_id = "listMails", tag = "Admin",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
        description = "At most so many; 50 if it is left out")),
    security(("access_token" = [])),
    responses((status = 200, description = "The mails that have not gone out", body = MailList)))]
pub(in crate::api) async fn list_mails(
    State(app): State<AppState>,
    who: Administrator,
    Limit(limit): Limit,
) -> Answer<Json<MailList>> {
    let waiting = admin::waiting(app.hallpass(), &who.admin, limit).await?;
    Ok(Json(MailList { mails: waiting.into_iter().map(Mail::from).collect() }))
}

/// Try again to send what was given up
///
/// For superusers.
#[utoipa::path(post, path = "/api/v1/admin/outbox/retry", operation_id = "retryMails", tag = "Admin",
    security(("access_token" = [])),
    responses((status = 200, description = "They are due at once", body = Retried)))]
pub(in crate::api) async fn retry_mails(State(app): State<AppState>, who: Administrator) -> Answer<Json<Retried>> {
    Ok(Json(Retried { retried: admin::retry(app.hallpass(), &who.ctx, &who.admin).await? }))
}
