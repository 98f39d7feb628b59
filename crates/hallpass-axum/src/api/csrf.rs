//! Handing out CSRF tokens to front ends that cannot read our cookie.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse},
};
use hallpass_core::{Code, sessions};
use hallpass_token::bearer;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use crate::{AppState, cookies, csrf, ctx::Anybody, error::Problem};

/// The CSRF token of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct CsrfToken {
    /// Send it as `X-CSRF-Token`.
    csrf_token: String,
}

/// Get a CSRF token
///
/// For the session of the access token, or of the cookie. Browsers of today need none: they say themselves from which
/// page a request comes. The token is also in the cookie `__Host-csrf`, where pages of the API's own origin can read
/// it.
#[utoipa::path(get, path = "/api/v1/csrf", operation_id = "readCsrfToken", tag = "Sign in",
    security(("access_token" = []), ("refresh_cookie" = [])),
    responses((status = 200, description = "The token", body = CsrfToken)))]
pub(super) async fn read_csrf(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    headers: HeaderMap,
) -> Answer<impl IntoResponse> {
    let session = if headers.contains_key(header::AUTHORIZATION) {
        app.verify(bearer(&headers)?, ctx.now)?.sid
    } else {
        let secret = cookies::REFRESH.read(&headers)?.ok_or_else(missing)?;
        sessions::session_of(app.hallpass(), secret).ok_or_else(invalid)?
    };
    let token = csrf::issue(app.hallpass(), session)?;
    let cookie = cookies::CSRF.keep(&token, None)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(CsrfToken { csrf_token: token })))
}

fn missing() -> Problem {
    Problem::new(Code::RefreshMissing, "Sign in first: a CSRF token belongs to a session")
}

fn invalid() -> Problem {
    Problem::new(Code::RefreshInvalid, "Sign in first: this cookie belongs to no session")
}
