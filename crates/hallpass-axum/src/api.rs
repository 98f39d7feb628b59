//! The native API: one file for each noun, one short handler for each operation.
//!
//! A handler parses, calls one function of the core, and puts the answer into body and cookies; it decides nothing
//! about security, which is all in the layers and the extractors.

mod activity;
mod csrf;
mod health;
mod issued;
mod jwks;
mod login;
mod logout;
mod me;
mod password;
mod refresh;
mod session;
mod sessions;
mod signup;

use axum::{
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    middleware::from_fn,
};
use hallpass_core::{Code, Error};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, cookies, error::Problem, security};

pub(crate) use issued::User;

/// What most handlers answer.
type Answer<T> = Result<T, Problem>;

/// A success that says nothing but that it is one.
type Done = Result<StatusCode, Problem>;

const DONE: Done = Ok(StatusCode::NO_CONTENT);

/// Every operation with its documentation; none can be here without.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(signup::sign_up))
        .routes(routes!(login::log_in))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::log_out))
        .routes(routes!(logout::log_out_everywhere))
        .routes(routes!(session::read_session))
        .routes(routes!(me::read_me, me::change_me))
        .routes(routes!(password::change_password))
        .routes(routes!(sessions::list_sessions, sessions::end_other_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(csrf::read_csrf))
        .routes(routes!(jwks::read_jwks))
        .routes(routes!(health::is_alive))
        .routes(routes!(health::is_ready))
        .layer(from_fn(security::refuse_query))
        // What comes after that layer reads its query by itself, and as strictly.
        .routes(routes!(activity::read_activity))
}

/// The headers that make a browser forget its session; that it is a known device outlives the session.
fn forget_cookies() -> Answer<HeaderMap> {
    let mut headers = HeaderMap::new();
    for cookie in [cookies::REFRESH, cookies::CSRF] {
        headers.append(SET_COOKIE, cookie.forget()?);
    }
    Ok(headers)
}

/// An account that is gone takes its sessions with it, whatever a token still says.
fn account_gone(error: Error) -> Problem {
    match error.code {
        Code::NotFound => Problem::new(Code::SessionEnded, "This account is gone"),
        _ => error.into(),
    }
}
