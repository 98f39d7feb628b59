//! Signing out: this device, or all of them.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use hallpass_core::{Actor, Ctx, SessionId, sessions};
use hallpass_token::bearer;

use super::{
    Answer, forget_cookies,
    refresh::{Body, Refresh},
};
use crate::{AppState, client::Client, ctx::Anybody, json::OptionalJson};

/// Sign out on this device
///
/// Takes an access token, even one that has expired, the cookie, or the refresh secret in the body. It always clears
/// the cookies, and is a success as well when nothing is left to end.
#[utoipa::path(post, path = "/api/v1/logout", operation_id = "logOut", tag = "Sign out", request_body = Option<Refresh>,
    security(("access_token" = []), ("refresh_cookie" = []), ("refresh_cookie" = [], "csrf_token" = []), ()),
    responses((status = 204, description = "Signed out")))]
pub(super) async fn log_out(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    client: Client,
    headers: HeaderMap,
    OptionalJson(Body(secret)): OptionalJson<Body>,
) -> Answer<(StatusCode, HeaderMap)> {
    if let Some(session) = session(&app, client, &headers, secret.as_deref())? {
        sessions::sign_out(app.hallpass(), &ctx, session).await?;
    }
    signed_out()
}

/// Sign out on all devices
#[utoipa::path(post, path = "/api/v1/logout-everywhere", operation_id = "logOutEverywhere", tag = "Sign out",
    security(("access_token" = [])),
    responses((status = 204, description = "Every session of the account is over")))]
pub(super) async fn log_out_everywhere(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    headers: HeaderMap,
) -> Answer<(StatusCode, HeaderMap)> {
    // Not `SignedIn`: that it is not known what ended lately is no reason not to end the rest.
    let claims = app.hallpass().verifier().verify(bearer(&headers)?, ctx.now)?;
    let ctx = Ctx { actor: Actor::Account(claims.sub, claims.sid), ..ctx };
    sessions::sign_out_everywhere(app.hallpass(), &ctx, claims.sub).await?;
    signed_out()
}

/// The session to end: the token's, whether or not it still lets anybody in; else that of the secret.
///
/// A token that names no session of ours does not stop a sign-out: then it is as if it had not been sent.
fn session(app: &AppState, client: Client, headers: &HeaderMap, secret: Option<&str>) -> Answer<Option<SessionId>> {
    let hallpass = app.hallpass();
    if let Some(claims) = bearer(headers).ok().and_then(|token| hallpass.verifier().identify(token).ok()) {
        return Ok(Some(claims.sid));
    }
    let secret = match secret {
        Some(secret) => Some(secret),
        None => client.cookie(app, headers)?,
    };
    Ok(secret.and_then(|secret| sessions::session_of(hallpass, secret)))
}

/// What makes the browser forget whatever it kept of the session.
fn signed_out() -> Answer<(StatusCode, HeaderMap)> {
    let mut headers = forget_cookies()?;
    headers
        .insert(header::HeaderName::from_static("clear-site-data"), HeaderValue::from_static(r#""cache", "storage""#));
    Ok((StatusCode::NO_CONTENT, headers))
}
