//! Creating an account over the network.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hallpass_core::{accounts::NewAccount, login, sessions::Remember};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Answer, issued};
use crate::{
    AppState,
    client::Client,
    ctx::Anybody,
    json::{FromMembers, Json, Members},
};

/// A new account. Which of user name and e-mail are needed is the operator's choice.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct SignUp {
    /// Letters, digits and `_.-`, no `@`; the same name in other letter cases is taken as well.
    #[schema(min_length = 1, max_length = 150, nullable = false)]
    username: Option<String>,
    #[schema(max_length = 254, format = "email", nullable = false)]
    email: Option<String>,
    /// Any characters; must be hard to guess.
    #[schema(min_length = 8, max_length = 256, format = Password)]
    password: String,
    #[schema(max_length = 150, nullable = false)]
    first_name: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    last_name: Option<String>,
    /// The custom fields that the operator has set up.
    #[schema(additional_properties = true, value_type = Object, required = false)]
    profile: Map<String, Value>,
    /// The language of the account's mails, a tag such as `en` or `de-AT` (BCP 47); without it, what `Accept-Language`
    /// prefers.
    #[schema(max_length = 35, nullable = false)]
    locale: Option<String>,
    /// Whether to stay signed in when the browser is closed; not by default.
    #[schema(default = false, nullable = false)]
    remember: Option<bool>,
}

/// What is read of it.
pub(crate) struct Body(NewAccount, Remember);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        let account = NewAccount {
            insecure_any_password: false,
            list_address: false,
            username: members.text("username"),
            email: members.text("email"),
            password: Some(members.secret("password")),
            first_name: members.text("first_name").unwrap_or_default(),
            last_name: members.text("last_name").unwrap_or_default(),
            profile: members.object("profile").unwrap_or_default(),
            locale: members.text("locale"),
        };
        Self(account, members.remember())
    }
}

/// Create an account and sign in
///
/// A browser gets the refresh secret in the cookie `__Host-refresh`, any other client in the body.
///
/// Where the operator demands verified addresses, nobody is signed in before following the link in a mail, and the
/// answer does not tell whether the address already has an account: its owner gets a mail in either case.
#[utoipa::path(post, path = "/api/v1/signup", operation_id = "signUp", tag = "Sign in", request_body = SignUp,
    responses(
        (status = 201, description = "The account is made and signed in", body = issued::Issued),
        (status = 202, description = "A mail went to the address: follow its link first, then sign in"),
    ))]
pub(super) async fn sign_up(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    client: Client,
    Json(Body(account, remember)): Json<Body>,
) -> Answer<Response> {
    match login::sign_up(app.hallpass(), &ctx, account, remember).await? {
        Some(issued) => Ok((StatusCode::CREATED, issued::answer(&app, client, issued)?).into_response()),
        None => Ok(StatusCode::ACCEPTED.into_response()),
    }
}
