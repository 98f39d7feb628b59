//! Whether the process lives, and whether it can serve.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use crate::{AppState, ctx::Anybody};

/// A server that is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

const WELL: Json<Health> = Json(Health { status: "ok" });

/// Check that the process lives
///
/// Asks nothing and nobody: an orchestrator that gets no answer restarts the process.
#[utoipa::path(get, path = "/healthz", operation_id = "isAlive", tag = "Server", security(()),
    responses((status = 200, description = "The process lives", body = Health)))]
pub(super) async fn is_alive() -> Json<Health> {
    WELL
}

/// Check that requests can be served
///
/// The database answers and the revocation log is being followed: an orchestrator that gets 503 sends no requests here.
#[utoipa::path(get, path = "/readyz", operation_id = "isReady", tag = "Server", security(()),
    responses((status = 200, description = "Requests can be served", body = Health)))]
pub(super) async fn is_ready(State(app): State<AppState>, Anybody(ctx): Anybody) -> Answer<Json<Health>> {
    app.hallpass().ready(&ctx).await?;
    Ok(WELL)
}
