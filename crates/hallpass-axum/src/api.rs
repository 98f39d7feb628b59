//! The native API: one file for each noun, one short handler for each operation.
//!
//! A handler parses, calls one function of the core, and puts the answer into body and cookies; it decides nothing
//! about security, which is all in the layers and the extractors.

mod account_deletion;
mod activity;
mod admin;
mod configuration;
mod csrf;
mod email_change;
mod export;
mod forward_auth;
mod health;
mod introspection;
mod issued;
mod jwks;
mod login;
mod logout;
mod mailed;
mod me;
mod password;
mod password_reset;
mod refresh;
mod revocations;
mod session;
mod sessions;
mod sign_in_link;
mod signup;
mod status_lists;
mod verify_email;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
};
use hallpass_core::{Code, Error};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, cookies, error::Problem};

pub(crate) use issued::User;

/// What most handlers answer.
type Answer<T> = Result<T, Problem>;

/// A success that says nothing but that it is one.
type Done = Result<StatusCode, Problem>;

const DONE: Done = Ok(StatusCode::NO_CONTENT);

/// What was asked for will happen, or nothing will, and nobody is told which.
const ACCEPTED: Done = Ok(StatusCode::ACCEPTED);

/// Every operation, and what documents them all; none can be here without.
pub(crate) struct Routes {
    /// Those that refuse a query: hardly an operation takes one.
    pub(crate) without_query: Router<AppState>,
    /// Those that are given the query of their address.
    pub(crate) with_query: Router<AppState>,
    pub(crate) document: OpenApi,
}

pub(crate) fn routes() -> Routes {
    let (without_query, mut document) = without_query().split_for_parts();
    let (with_query, others) = with_query().split_for_parts();
    document.merge(others);
    Routes { without_query, with_query, document }
}

fn without_query() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(signup::sign_up))
        .routes(routes!(login::log_in))
        .routes(routes!(sign_in_link::request_sign_in_link))
        .routes(routes!(sign_in_link::sign_in_by_link))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::log_out))
        .routes(routes!(logout::log_out_everywhere))
        .routes(routes!(session::read_session))
        .routes(routes!(me::read_me, me::change_me))
        .routes(routes!(export::export_account))
        .routes(routes!(password::change_password))
        .routes(routes!(password_reset::request_password_reset))
        .routes(routes!(password_reset::reset_password))
        .routes(routes!(verify_email::request_verification))
        .routes(routes!(verify_email::verify_email))
        .routes(routes!(email_change::request_email_change))
        .routes(routes!(email_change::change_email))
        .routes(routes!(account_deletion::schedule_deletion))
        .routes(routes!(sessions::list_sessions, sessions::end_other_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(csrf::read_csrf))
        .routes(routes!(admin::access::read_access))
        .routes(routes!(admin::changes::create_account))
        .routes(routes!(admin::accounts::read_account, admin::changes::change_account))
        .routes(routes!(admin::changes::deactivate_account))
        .routes(routes!(admin::changes::activate_account))
        .routes(routes!(admin::changes::send_password_reset))
        .routes(routes!(admin::roles::grant_role, admin::roles::revoke_role))
        .routes(routes!(admin::sessions::end_sessions_of_account))
        .routes(routes!(admin::sessions::end_session))
        .routes(routes!(admin::keys::list_keys))
        .routes(routes!(admin::keys::rotate_keys))
        .routes(routes!(admin::outbox::retry_mails))
        .routes(routes!(introspection::introspect_token))
        .routes(routes!(introspection::revoke_token))
        .routes(routes!(status_lists::read_status_list))
        .routes(routes!(jwks::read_jwks))
        .routes(routes!(configuration::read_configuration))
        .routes(routes!(health::is_alive))
        .routes(routes!(health::is_ready))
}

fn with_query() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(activity::read_activity))
        .routes(routes!(revocations::read_revocations))
        .routes(routes!(admin::accounts::list_accounts))
        .routes(routes!(admin::sessions::list_sessions))
        .routes(routes!(admin::events::list_events))
        .routes(routes!(admin::outbox::list_mails))
        .routes(routes!(admin::statistics::read_statistics))
        // It does not read it: proxies send along that of the request about which they ask.
        .routes(routes!(forward_auth::forward_auth))
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
