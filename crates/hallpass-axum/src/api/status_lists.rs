//! What was taken back as signed lists (draft-ietf-oauth-status-list), for verifiers that know this standard.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderName, header},
    response::IntoResponse,
};
use hallpass_core::status_lists;

use super::Answer;
use crate::{AppState, ctx::Anybody};

/// Read a status list
///
/// A signed list (draft-ietf-oauth-status-list section 5.1) that says of many access tokens whether they were taken
/// back; `status.status_list` of a token names the list and the token's place in it. Two bits for each: 0 is good, 1 is
/// of a session that has ended, 3 is out of date and good again after a refresh. Ask again after `ttl` seconds.
#[utoipa::path(get, path = "/api/v1/status-lists/{name}", operation_id = "readStatusList", tag = "Programs",
    params(("name" = String, Path, description = "The list's name, from the `uri` of a token")), security(()),
    responses((status = 200, description = "The list", content_type = "application/statuslist+jwt", body = String)))]
pub(super) async fn read_status_list(
    State(app): State<AppState>,
    // Whoever holds a token may ask, and pages of any origin may read the answer: it says nothing to anybody else.
    Anybody(ctx): Anybody,
    name: Result<Path<String>, PathRejection>,
) -> Answer<impl IntoResponse> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let list = status_lists::read(app.hallpass(), &ctx, &name).await?;
    let public = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::CONTENT_TYPE, "application/statuslist+jwt"),
    ];
    Ok((public, list.to_string()))
}
