//! The keys that sign tokens, by name and state: never a half of one.

use axum::{Json, extract::State};
use hallpass_core::{admin, keys::KeyInfo};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Answer;
use crate::{AppState, administrator::Administrator};

/// The signing keys.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminKeyList)]
pub(crate) struct KeyList {
    keys: Vec<Key>,
}

/// A signing key. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
#[schema(as = AdminKey)]
pub(crate) struct Key {
    /// Its name in the heads of tokens and in the JWK Set.
    kid: String,
    /// What it signs with (RFC 7518 section 3.1).
    algorithm: &'static str,
    /// Whether it will sign (`next`), signs (`current`), only verifies any more (`retired`), or is dead (`revoked`).
    state: &'static str,
    created_at: i64,
    /// Since when it signs, or signed.
    #[schema(required = true)]
    current_since: Option<i64>,
    /// When it stopped signing.
    #[schema(required = true)]
    retired_at: Option<i64>,
}

impl From<Vec<KeyInfo>> for KeyList {
    fn from(keys: Vec<KeyInfo>) -> Self {
        let key = |key: KeyInfo| Key {
            kid: key.kid,
            algorithm: key.algorithm.as_str(),
            state: key.state.as_str(),
            created_at: key.created_at,
            current_since: key.current_since,
            retired_at: key.retired_at,
        };
        Self { keys: keys.into_iter().map(key).collect() }
    }
}

/// List the signing keys
#[utoipa::path(get, path = "/api/v1/admin/keys", operation_id = "listKeys", tag = "Admin",
    security(("access_token" = [])), responses((status = 200, description = "The signing keys", body = KeyList)))]
pub(in crate::api) async fn list_keys(State(app): State<AppState>, who: Administrator) -> Answer<Json<KeyList>> {
    Ok(Json(admin::keys(app.hallpass(), &who.admin).await?.into()))
}

/// Let another key sign from now on
///
/// For superusers. The key that signed so far goes on to verify: nobody is signed out.
#[utoipa::path(post, path = "/api/v1/admin/keys/rotate", operation_id = "rotateKeys", tag = "Admin",
    security(("access_token" = [])),
    responses((status = 200, description = "The signing keys as they are now", body = KeyList)))]
pub(in crate::api) async fn rotate_keys(State(app): State<AppState>, who: Administrator) -> Answer<Json<KeyList>> {
    Ok(Json(admin::rotate_key(app.hallpass(), &who.ctx, &who.admin).await?.into()))
}
