//! Licences, bans, sources and advisories of all dependencies, by cargo-deny and `deny.toml`.
//!
//! It never lets a known advisory pass; only a database of advisories that cannot be fetched is forgiven, and said.

use std::process::Stdio;

use anyhow::{Result, bail};

use crate::{
    packages::Install,
    process::run,
    tools::{self, Tool},
};

const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", default_features: true };

/// Runs the four checks.
pub(crate) fn check() -> Result<()> {
    let cargo_deny = || tools::provide(&CARGO_DENY, Install::Allowed);
    run(cargo_deny()?.args(["--workspace", "--all-features", "--locked", "check", "bans", "licenses", "sources"]))?;

    let mut advisories = cargo_deny()?;
    advisories.args(["--workspace", "--all-features", "--locked", "check", "advisories"]);
    let output = advisories.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        eprintln!("advisories ok");
    } else if said.contains("failed to fetch advisory database") {
        eprintln!("advisories not checked: database unreachable");
    } else {
        bail!("cargo-deny found advisories:\n{said}");
    }
    Ok(())
}
