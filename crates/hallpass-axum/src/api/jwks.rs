//! The public signing keys, for whoever verifies tokens.

use aws_lc_rs::digest;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_core::Error;
use utoipa::ToSchema;

use super::Answer;
use crate::AppState;

/// Public keys (RFC 7517 section 5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the document, which the core makes")]
struct KeySet {
    /// Each with at least `kty`, `kid`, `alg` and `use`.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// Read the public keys
///
/// A JWK Set (RFC 7517 section 5): what verifies access tokens now, and what soon will. Ask again when a token names a
/// `kid` that is not in it.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "readKeys", tag = "Server", security(()),
    responses(
        (status = 200, description = "The keys", body = KeySet),
        (status = 304, description = "The keys of `If-None-Match` are still the ones"),
    ))]
pub(super) async fn read_jwks(State(app): State<AppState>, headers: HeaderMap) -> Answer<Response> {
    let keys = app.hallpass().jwks();
    let tag = format!("\"{}\"", BASE64URL.encode(digest::digest(&digest::SHA256, keys.as_bytes())));
    // Weak or strong, alone or in a list: the tag has its quotes in it, so nothing else contains it (RFC 9110 section
    // 13.1.2).
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let known = asked.contains(&tag);
    let public = [
        (header::ETAG, HeaderValue::try_from(tag).map_err(Error::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=900")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, public).into_response());
    }
    Ok((public, keys.to_string()).into_response())
}
