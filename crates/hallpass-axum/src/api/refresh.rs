//! Exchanging a refresh secret for new tokens.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use hallpass_core::{Code, sessions};
use utoipa::ToSchema;

use super::{Answer, issued};
use crate::{
    AppState,
    client::Client,
    ctx::Anybody,
    error::Problem,
    json::{FromMembers, Members, OptionalJson},
};

/// The refresh secret of a client that is no browser.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
pub(super) struct Refresh {
    /// As the last answer had it. Leave it out in browsers, which send their cookie.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

/// What is read of it.
pub(crate) struct Body(pub(super) Option<String>);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        Self(members.text("refresh_token"))
    }
}

/// Get a new access token
///
/// A secret may be used again for some seconds, by another tab or after a lost answer, and then brings the same
/// successor. One that is used later was stolen or copied, and ends the session.
///
/// A refresh that fails leaves the cookies alone: its answer may arrive after that of a newer sign-in, and would then
/// sign that one out.
#[utoipa::path(post, path = "/api/v1/refresh", operation_id = "refresh", tag = "Sign in",
    request_body = Option<Refresh>,
    security(("refresh_cookie" = []), ("refresh_cookie" = [], "csrf_token" = []), ()),
    responses((status = 200, description = "The session goes on", body = issued::Issued)))]
pub(super) async fn refresh(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    client: Client,
    headers: HeaderMap,
    OptionalJson(Body(secret)): OptionalJson<Body>,
) -> Answer<Response> {
    let secret = match &secret {
        Some(secret) => secret,
        None if headers.contains_key(header::AUTHORIZATION) => return Err(judged_by_header()),
        None => client.cookie(&app, &headers)?.ok_or_else(missing)?,
    };
    let issued = sessions::refresh(app.hallpass(), &ctx, secret).await?;
    issued::answer(&app, client, issued)
}

fn judged_by_header() -> Problem {
    let detail =
        "A request with `Authorization` is judged by that alone, and its cookies are not read: refresh without it";
    Problem::new(Code::RefreshMissing, detail)
}

fn missing() -> Problem {
    Problem::new(Code::RefreshMissing, "Sign in first; a browser must send its cookies (`credentials: \"include\"`)")
}
