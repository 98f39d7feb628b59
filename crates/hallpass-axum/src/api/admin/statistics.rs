//! How much happened, as numbers over time.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{admin, statistics};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Answer;
use crate::{AppState, administrator::Administrator, error::Problem, query::Query};

/// How much there is now, and how much happened in which stretch of time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// How many accounts there are.
    accounts: i64,
    /// How many sessions can be refreshed.
    sessions: i64,
    /// How long a stretch is, in seconds: an hour or a day.
    step: i64,
    /// The oldest first, without a gap; the last one is not over yet.
    buckets: Vec<Bucket>,
}

/// How much happened in one stretch of time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Bucket {
    /// When it begins, in seconds since 1970 (UTC).
    at: i64,
    /// How many signed up.
    signed_up: i64,
    /// How often somebody signed in.
    signed_in: i64,
    /// How often somebody failed to.
    sign_in_failed: i64,
    /// How many sessions were refreshed.
    refreshed: i64,
    /// How many sessions were ended.
    revoked: i64,
}

impl From<statistics::Statistics> for Statistics {
    fn from(all: statistics::Statistics) -> Self {
        let bucket = |bucket: statistics::Bucket| Bucket {
            at: bucket.at,
            signed_up: bucket.signed_up,
            signed_in: bucket.signed_in,
            sign_in_failed: bucket.sign_in_failed,
            refreshed: bucket.refreshed,
            revoked: bucket.revoked,
        };
        let buckets = all.buckets.into_iter().map(bucket).collect();
        Self { accounts: all.accounts, sessions: all.sessions, step: all.step, buckets }
    }
}

/// How many days are asked for.
pub(in crate::api) struct Days(u32);

impl FromRequestParts<AppState> for Days {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let days = Query::of(&parts.uri, &["days"])?.number("days", "`days` is a number from 1 to 90", 1..=90)?;
        Ok(Self(days.and_then(|days| days.try_into().ok()).unwrap_or(7)))
    }
}

/// Read how much happened
#[utoipa::path(get, path = "/api/v1/admin/statistics", operation_id = "readStatistics", tag = "Admin",
    params(("days" = Option<u32>, Query, minimum = 1, maximum = 90,
        description = "In so many days until now; 7 if it is left out")),
    security(("access_token" = [])),
    responses((status = 200, description = "How much there is, and how much happened", body = Statistics)))]
pub(in crate::api) async fn read_statistics(
    State(app): State<AppState>,
    who: Administrator,
    Days(days): Days,
) -> Answer<Json<Statistics>> {
    Ok(Json(admin::statistics(app.hallpass(), &who.ctx, &who.admin, days).await?.into()))
}
