//! Runs other programs in the workspace root and says plainly which one failed.
//!
//! It never goes through a shell, so no argument is ever read as anything else.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// What this tool installs and keeps for the next time; git ignores it.
pub(crate) fn kept(name: &str) -> PathBuf {
    root().join("target/xtask").join(name)
}

/// A program of the workspace as it was built with a profile's folder, `debug` or `release`.
pub(crate) fn built(folder: &str, name: &str) -> Result<PathBuf> {
    let metadata: Value =
        serde_json::from_slice(&output(&mut cargo(["metadata", "--no-deps", "--format-version=1", "--locked"]))?)?;
    let target = metadata
        .get("target_directory")
        .and_then(Value::as_str)
        .context("`cargo metadata` names no target directory")?;
    Ok([target, folder, name].iter().collect())
}

/// `cargo` with these arguments, in the workspace root.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    command("cargo", arguments)
}

/// A program with these arguments, in the workspace root.
pub(crate) fn command<const N: usize>(program: impl AsRef<OsStr>, arguments: [&str; N]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Shows the command, runs it with our own output, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("`{}` cannot be started", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs the command quietly and returns what it printed; fails with its errors if it fails.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("`{}` cannot be started", shown(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}):\n{}", shown(command), output.status, errors.trim_end());
    }
    Ok(output.stdout)
}

/// Whether the command can be started and ends well; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// The command as somebody would type it in the workspace root.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
