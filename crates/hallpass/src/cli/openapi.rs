//! `hallpass openapi`: the description of the HTTP interface that a running server gives at `/openapi.json`.
//!
//! Never depends on the settings of a deployment: the same version prints the same document everywhere.

use anyhow::Result;

use super::print;

pub(crate) fn run() -> Result<()> {
    print(hallpass_axum::openapi_json().trim_end())
}
