//! `cargo xtask run`: builds the pages and the server, and becomes it.
//!
//! It never stands between the server and the terminal: Ctrl-C reaches the server, which drains and stops.

use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result};

use crate::{front_end, process::cargo};

/// Replaces this process by `cargo run`, which builds and in turn becomes `hallpass serve --dev`.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    front_end::pages()?;
    let mut command = cargo(["run", "--package", "hallpass", "--", "serve", "--dev"]);
    Err(command.args(arguments).exec()).context("`cargo run` cannot be started")
}
