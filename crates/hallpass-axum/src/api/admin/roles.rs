//! Granting roles and taking them away.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
};
use hallpass_core::{AccountId, admin};

use super::{super::Answer, accounts::Account, is_plain, no_such_id};
use crate::{AppState, administrator::Administrator, error::Problem};

/// An account and a role, from a path.
pub(in crate::api) struct Held(AccountId, String);

impl FromRequestParts<AppState> for Held {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        // Only a role may need it.
        let plain = parts.uri.path().rsplit_once('/').is_some_and(|(before, _)| is_plain(before));
        let held = Path::<(String, String)>::from_request_parts(parts, app).await;
        held.ok()
            .filter(|_| plain)
            .and_then(|Path((id, role))| Some(Self(id.parse().ok()?, role)))
            .ok_or_else(no_such_id)
    }
}

/// Grant a role
///
/// For superusers. Tokens that do not state it are refused from now on, until they are refreshed.
#[utoipa::path(put, path = "/api/v1/admin/accounts/{id}/roles/{role}", operation_id = "grantRole", tag = "Admin",
    params(
        ("id" = i64, Path, description = "The account's id"),
        ("role" = String, Path, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._:/-]+$",
            description = "The role, percent-encoded"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = Account)))]
pub(in crate::api) async fn grant_role(
    State(app): State<AppState>,
    who: Administrator,
    Held(id, role): Held,
) -> Answer<Json<Account>> {
    Ok(Json(admin::grant_role(app.hallpass(), &who.ctx, &who.admin, id, &role).await?.into()))
}

/// Revoke a role
///
/// For superusers. Tokens that still state it are refused from now on, until they are refreshed.
#[utoipa::path(delete, path = "/api/v1/admin/accounts/{id}/roles/{role}", operation_id = "revokeRole", tag = "Admin",
    params(
        ("id" = i64, Path, description = "The account's id"),
        ("role" = String, Path, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._:/-]+$",
            description = "The role, percent-encoded"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = Account)))]
pub(in crate::api) async fn revoke_role(
    State(app): State<AppState>,
    who: Administrator,
    Held(id, role): Held,
) -> Answer<Json<Account>> {
    Ok(Json(admin::revoke_role(app.hallpass(), &who.ctx, &who.admin, id, &role).await?.into()))
}
