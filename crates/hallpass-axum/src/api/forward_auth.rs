//! For proxies that ask before they let a request through: nginx `auth_request`, Caddy `forward_auth`, Traefik
//! `ForwardAuth`.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use hallpass_core::Error;

use super::Answer;
use crate::ctx::SignedIn;

const ACCOUNT: HeaderName = HeaderName::from_static("x-hallpass-account");
const SESSION: HeaderName = HeaderName::from_static("x-hallpass-session");
const ROLES: HeaderName = HeaderName::from_static("x-hallpass-roles");

/// Check the access token for a proxy
///
/// The proxy sends the request's `Authorization` header here and, if the answer is 200, lets the request through with
/// the headers of the answer. It answers from the token alone, without the database. What stands behind `?` is that of
/// the request in question and has no effect; nor has a cookie, or any header but `Authorization`.
#[utoipa::path(get, path = "/api/v1/forward-auth", operation_id = "forwardAuth", tag = "Programs",
    security(("access_token" = [])),
    responses((status = 200, description = "The token is good", headers(
        ("X-Hallpass-Account" = i64, description = "The account's id"),
        ("X-Hallpass-Session" = String, description = "The session's id"),
        ("X-Hallpass-Roles" = String, description = "The account's roles, separated by commas; empty if it has none"),
    ))))]
pub(super) async fn forward_auth(SignedIn { claims, .. }: SignedIn) -> Answer<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (ACCOUNT, claims.sub.to_string()),
        (SESSION, claims.sid.to_string()),
        // No role has a comma in it.
        (ROLES, claims.roles.join(",")),
    ] {
        headers.insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    Ok(headers)
}
