//! Signing in by name and password.

use axum::{extract::State, http::HeaderMap, response::Response};
use hallpass_core::{
    login::{self, Identifier},
    sessions::Remember,
};
use secrecy::SecretString;
use utoipa::ToSchema;

use super::{Answer, issued};
use crate::{
    AppState,
    client::{Client, device},
    ctx::Anybody,
    json::{FromMembers, Json, Members},
};

/// Who signs in. One of `username` and `email` is enough; where both are given, both must belong to the account.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct LogIn {
    /// The user name; the e-mail address is taken here as well.
    #[schema(nullable = false)]
    username: Option<String>,
    #[schema(nullable = false)]
    email: Option<String>,
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
    /// Whether to stay signed in when the browser is closed; not by default.
    #[schema(default = false, nullable = false)]
    remember: Option<bool>,
    /// As an earlier sign-in on this device had it. Leave it out in browsers, which send their cookie.
    #[schema(nullable = false)]
    device_token: Option<String>,
}

/// What is read of it.
pub(crate) struct Body(Identifier, SecretString, Remember, Option<String>);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        members.one_of("username", "email");
        let who = Identifier { username: members.text("username"), email: members.text("email"), exact: false };
        Self(who, members.secret("password"), members.remember(), members.text("device_token"))
    }
}

/// Sign in
///
/// A browser gets the refresh secret in the cookie `__Host-refresh`, any other client in the body. Whatever is wrong
/// with the name or the password, the answer is the same. Where the operator demands verified addresses, the right
/// password of an account that has not verified its own is answered with `email_not_verified`.
///
/// After five failures for one name each further attempt has to wait, up to 900 seconds. A device that has signed in
/// before has ten of its own: browsers show it with the cookie `__Host-device`, other clients with `device_token`.
#[utoipa::path(post, path = "/api/v1/login", operation_id = "logIn", tag = "Sign in", request_body = LogIn,
    responses((status = 200, description = "Signed in", body = issued::Issued)))]
pub(super) async fn log_in(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    client: Client,
    headers: HeaderMap,
    Json(Body(who, password, remember, device_token)): Json<Body>,
) -> Answer<Response> {
    let device = device(device_token.as_deref(), &headers);
    let issued = login::sign_in(app.hallpass(), &ctx, who, password, remember, device).await?;
    issued::answer(&app, client, issued)
}
