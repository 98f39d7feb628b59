//! What the caller may do here: which parts of the pages to show.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Answer;
use crate::administrator::Administrator;

/// What somebody may do here. It can change with every request.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminAccess)]
pub(crate) struct Access {
    /// A superuser does everything. The helpdesk sees everything, and helps people who have no standing of their own.
    level: &'static str,
}

/// Read what the caller may do here
#[utoipa::path(get, path = "/api/v1/admin/access", operation_id = "readAdminAccess", tag = "Admin",
    security(("access_token" = [])),
    responses((status = 200, description = "What the caller may do", body = Access)))]
pub(in crate::api) async fn read_access(who: Administrator) -> Answer<Json<Access>> {
    Ok(Json(Access { level: who.admin.level().as_str() }))
}
