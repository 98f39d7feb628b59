//! Cargo subcommands that are programs of their own: found on the machine, else installed under `target/xtask`.
//!
//! It never replaces one that is installed, nor installs outside `target/`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    packages::Install,
    process::{command, kept, run, succeeds},
};

/// A program from the registry.
pub(crate) struct Tool {
    /// Its package and its program.
    pub(crate) name: &'static str,
    /// The version that is installed where none is.
    pub(crate) version: &'static str,
    /// Whether it is built with its default features.
    pub(crate) default_features: bool,
}

/// The command that runs the tool, installed first if it is missing.
pub(crate) fn provide(tool: &Tool, install: Install) -> Result<Command> {
    let kept_program = kept("bin").join(tool.name);
    for program in [tool.name.into(), kept_program.clone()] {
        if succeeds(&mut command(&program, ["--version"])) {
            return Ok(command(program, []));
        }
    }
    let mut cargo = command("cargo", ["install", "--locked", tool.name, "--version", tool.version]);
    if !tool.default_features {
        cargo.arg("--no-default-features");
    }
    if install == Install::Refused {
        bail!("missing: {}. Install it by `{}`", tool.name, crate::process::shown(&cargo));
    }
    run(cargo.arg("--root").arg(kept("")))?;
    Ok(command(kept_program, []))
}
