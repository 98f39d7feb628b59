//! What somebody who signed up, signed in or refreshed gets: the tokens, and who they are.
//!
//! A browser never gets the refresh secret in a body: it goes into a cookie that no script can read.

use axum::{
    Json,
    http::{HeaderMap, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use hallpass_core::{accounts::Account, sessions};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Answer;
use crate::{AppState, client::Client, cookies, csrf};

/// The tokens of a session that has begun or goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Issued {
    /// A JWT (RFC 9068): send it as `Authorization: Bearer`, keep it in memory only.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    #[schema(minimum = 1)]
    expires_in: i64,
    /// What `POST /api/v1/refresh` takes; only for clients that are no browsers, whose cookie has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// What `POST /api/v1/login` and `POST /api/v1/password` take as `device_token` from now on; only at sign-up and
    /// sign-in, and only for clients that are no browsers, whose cookie has it. Keep it over sign-outs: with it nobody
    /// who fails on purpose locks the owner out here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    device_token: Option<String>,
    user: User,
}

/// An account, as its owner sees it. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// Never given to another account.
    id: i64,
    /// As it was typed.
    #[schema(required = true)]
    username: Option<String>,
    /// As it was typed, with the domain in ASCII.
    #[schema(required = true)]
    email: Option<String>,
    /// Whether its owner has shown to receive mail there.
    email_verified: bool,
    first_name: String,
    last_name: String,
    /// Whether the person works for the operator.
    is_staff: bool,
    /// Whether the person may do everything.
    is_superuser: bool,
    /// Sorted.
    roles: Vec<String>,
    /// The custom fields that the operator has set up.
    #[schema(additional_properties = true, value_type = Object)]
    profile: Map<String, Value>,
    date_joined: i64,
    #[schema(required = true)]
    last_login: Option<i64>,
    /// The language of the account's mails (BCP 47).
    #[schema(required = true)]
    locale: Option<String>,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.0,
            username: account.username,
            email: account.email,
            email_verified: account.email_verified,
            first_name: account.first_name,
            last_name: account.last_name,
            is_staff: account.is_staff,
            is_superuser: account.is_superuser,
            roles: account.roles,
            profile: account.profile,
            date_joined: account.date_joined,
            last_login: account.last_login,
            locale: account.locale,
        }
    }
}

/// Puts what was issued where this client keeps it.
pub(super) fn answer(app: &AppState, client: Client, issued: sessions::Issued) -> Answer<Response> {
    let mut headers = HeaderMap::new();
    let (mut refresh_token, mut device_token) = (Some(issued.refresh_token), issued.device_token);
    if client.browser
        && let Some(secret) = refresh_token.take()
    {
        let token = csrf::issue(app.hallpass(), issued.session)?;
        headers.append(SET_COOKIE, cookies::REFRESH.keep(&secret, issued.refresh_lifetime)?);
        headers.append(SET_COOKIE, cookies::CSRF.keep(&token, issued.refresh_lifetime)?);
        if let Some(proof) = device_token.take() {
            headers.append(SET_COOKIE, cookies::DEVICE.keep(&proof, Some(cookies::DEVICE_LIFETIME))?);
        }
    }
    let body = Issued {
        access_token: issued.access_token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        refresh_token,
        device_token,
        user: issued.account.into(),
    };
    Ok((headers, Json(body)).into_response())
}
