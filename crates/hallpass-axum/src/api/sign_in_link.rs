//! Signing in by mail, where the operator wants it.

use axum::{extract::State, response::Response};
use hallpass_core::{
    sessions::Remember,
    sign_in_links::{self, Proof},
};
use utoipa::ToSchema;

use super::{
    ACCEPTED, Answer, Done, issued,
    mailed::{Address, RequestMail},
};
use crate::{
    AppState,
    client::Client,
    ctx::Anybody,
    json::{FromMembers, Json, Members},
};

/// What the mail brought: `token`, or `code` together with `email`. Beside `token` the other two do nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct SignInByLink {
    /// What stands behind `#token=` in the link.
    #[schema(nullable = false)]
    token: Option<String>,
    /// To which the code was mailed.
    #[schema(max_length = 254, format = "email", nullable = false)]
    email: Option<String>,
    /// Eight digits and letters in either case; blanks and dashes between them do not matter.
    #[schema(nullable = false)]
    code: Option<String>,
    /// Whether to stay signed in when the browser is closed; not by default.
    #[schema(default = false, nullable = false)]
    remember: Option<bool>,
}

/// What is read of it.
pub(crate) struct Body(Proof, Remember);

impl FromMembers for Body {
    fn from_members(members: &mut Members) -> Self {
        members.one_of("token", "code");
        let (token, code) = (members.text("token"), members.text("code"));
        let email = if code.is_some() { members.needed("email") } else { members.text("email").unwrap_or_default() };
        let proof = match token {
            Some(token) => Proof::Link(token),
            None => Proof::Code { email, code: code.unwrap_or_default() },
        };
        Self(proof, members.remember())
    }
}

/// Ask for a link that signs in
///
/// The mail has a link and a code; either is good for ten minutes. The answer is the same whether or not there is an
/// account of this address. A newer mail replaces the older one.
#[utoipa::path(post, path = "/api/v1/sign-in-link/request", operation_id = "requestSignInLink", tag = "Sign in",
    request_body = RequestMail,
    responses((status = 202, description = "If there is such an account, its owner gets a mail")))]
pub(super) async fn request_sign_in_link(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    Json(Address(email)): Json<Address>,
) -> Done {
    sign_in_links::request(app.hallpass(), &ctx, &email).await?;
    ACCEPTED
}

/// Sign in by mail
///
/// A browser gets the refresh secret in the cookie `__Host-refresh`, any other client in the body. A code can be tried
/// five times. Whatever is wrong, the answer is the same.
#[utoipa::path(post, path = "/api/v1/sign-in-link", operation_id = "signInByLink", tag = "Sign in",
    request_body = SignInByLink, responses((status = 200, description = "Signed in", body = issued::Issued)))]
pub(super) async fn sign_in_by_link(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    client: Client,
    Json(Body(proof, remember)): Json<Body>,
) -> Answer<Response> {
    let issued = sign_in_links::sign_in(app.hallpass(), &ctx, proof, remember).await?;
    issued::answer(&app, client, issued)
}
