//! For programs that cannot check a token themselves: what one stands for at this moment, and the end of its session.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hallpass_core::introspection::{self, Active, Grant};
use hallpass_token::Claims;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Done};
use crate::{AppState, form::Form, program::Program};

/// The form (RFC 7662 section 2.1, RFC 7009 section 2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read parameter by parameter")]
pub(super) struct TokenForm {
    /// An access token or a refresh secret.
    token: String,
    /// Has no effect: what the token is shows.
    #[schema(nullable = false)]
    token_type_hint: Option<String>,
}

/// What a token stands for (RFC 7662 section 2.2). Of one that is not good there is `active` and nothing else. Times are
/// seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
pub(crate) struct Introspection {
    /// Whether it is good now.
    active: bool,
    /// `Bearer` for an access token; `refresh_token` for a refresh secret, which lets nobody in.
    #[schema(required = false)]
    token_type: &'static str,
    /// The account's id.
    #[schema(required = false)]
    sub: String,
    /// The session's id.
    #[schema(required = false, format = Uuid)]
    sid: String,
    /// Who issued it.
    #[schema(required = false)]
    iss: String,
    /// For whom an access token is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aud: Option<Vec<String>>,
    /// The application that it was issued to.
    #[schema(required = false)]
    client_id: String,
    /// When it is over; for a refresh secret: if it is not used.
    #[schema(required = false)]
    exp: i64,
    /// When it was issued; for a refresh secret: when the session was last refreshed.
    #[schema(required = false)]
    iat: i64,
    /// When the owner signed in.
    #[schema(required = false)]
    auth_time: i64,
    /// How the owner signed in (RFC 8176).
    #[schema(required = false)]
    amr: Vec<String>,
    /// What the account may do, by an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    roles: Option<Vec<String>>,
}

impl Introspection {
    fn of_access(claims: &Claims) -> Self {
        Self {
            active: true,
            token_type: "Bearer",
            sub: claims.sub.to_string(),
            sid: claims.sid.to_string(),
            iss: claims.iss.clone(),
            aud: Some(claims.aud.clone()),
            client_id: claims.client_id.clone(),
            exp: claims.exp,
            iat: claims.iat,
            auth_time: claims.auth_time,
            amr: claims.amr.clone(),
            roles: Some(claims.roles.clone()),
        }
    }

    /// Without an audience and without roles: whoever takes it for an access token finds nothing to go by.
    fn of_refresh(app: &AppState, grant: Grant) -> Self {
        let rules = &app.hallpass().config().tokens;
        Self {
            active: true,
            token_type: "refresh_token",
            sub: grant.account.to_string(),
            sid: grant.session.to_string(),
            iss: rules.issuer.clone(),
            aud: None,
            client_id: rules.client_id.clone(),
            exp: grant.expires_at,
            iat: grant.issued_at,
            auth_time: grant.auth_time,
            amr: vec![grant.amr],
            roles: None,
        }
    }
}

/// Everything that is said of a token that is not good.
#[derive(Serialize)]
struct Inactive {
    active: bool,
}

/// Ask what a token stands for
///
/// OAuth 2.0 Token Introspection (RFC 7662). The database is asked each time, so a session that has just ended is over
/// here at once, whichever server ended it; a back end that has many requests checks tokens itself and follows
/// `GET /api/v1/revocations`. Asking about a refresh secret does not use it up.
#[utoipa::path(post, path = "/api/v1/introspect", operation_id = "introspectToken", tag = "Programs",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    security(("client_credentials" = [])),
    responses((status = 200, description = "What it stands for, or that it is not good", body = Introspection)))]
pub(super) async fn introspect_token(State(app): State<AppState>, program: Program, form: Form) -> Answer<Response> {
    let found = introspection::introspect(app.hallpass(), &program.ctx, &form.needed("token")?).await?;
    Ok(match found {
        Some(Active::Access(claims)) => Json(Introspection::of_access(&claims)).into_response(),
        Some(Active::Refresh(grant)) => Json(Introspection::of_refresh(&app, grant)).into_response(),
        None => Json(Inactive { active: false }).into_response(),
    })
}

/// End the session of a token
///
/// OAuth 2.0 Token Revocation (RFC 7009). Any token of ours will do, also one that is over. The answer is the same
/// whatever the token was.
#[utoipa::path(post, path = "/api/v1/revoke", operation_id = "revokeToken", tag = "Programs",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    security(("client_credentials" = [])),
    responses((status = 200, description = "The token is worth nothing now")))]
pub(super) async fn revoke_token(State(app): State<AppState>, program: Program, form: Form) -> Done {
    introspection::revoke(app.hallpass(), &program.ctx, &form.needed("token")?).await?;
    Ok(StatusCode::OK)
}
