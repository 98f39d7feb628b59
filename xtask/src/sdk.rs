//! The tests of the packages for back ends in other languages: `sdk/python` and `sdk/node`.
//!
//! They need no server: each plays one. Nothing that they install is part of what is built here.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    guard::Guard,
    packages::Need,
    process::{self, command, kept, root, shown},
};

/// Node, and what brings it.
pub(crate) const NODE: Need = Need {
    name: "Node.js 20 or newer with npm",
    present: || {
        let node = process::output(&mut command("node", ["--version"]));
        node.is_ok_and(|version| is_new_enough(&version)) && process::succeeds(&mut command("npm", ["--version"]))
    },
    packages: &["nodejs", "npm"],
};

/// Runs both and returns how many tests passed.
pub(crate) fn run(guard: &mut Guard, python: &Path, shared: Option<&Path>) -> Result<u64> {
    Ok(run_python(guard, python, shared)? + run_node(guard, shared)?)
}

fn run_python(guard: &mut Guard, python: &Path, shared: Option<&Path>) -> Result<u64> {
    let report = kept("sdk-python.xml");
    let mut pytest = command(python, ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml"]);
    let package = root().join("sdk/python");
    // The whole path: tests start programs in other folders.
    pytest.arg(&report).current_dir(&package).env("PYTHONPATH", package.join("src"));
    guard.run(told(&mut pytest, shared))?;
    let report = fs::read_to_string(&report).with_context(|| format!("pytest left no `{}`", report.display()))?;
    passed_in_python(&report).context("the report of pytest does not say how many tests ran")
}

fn run_node(guard: &mut Guard, shared: Option<&Path>) -> Result<u64> {
    let folder = root().join("sdk/node");
    guard.run(command("npm", ["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let mut npm = command("npm", ["test"]);
    npm.current_dir(&folder);
    eprintln!("$ {}", shown(&npm));
    let output = told(&mut npm, shared).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("`{}` in `sdk/node` failed ({}):\n{printed}", shown(&npm), output.status);
    }
    passed_in_node(&printed).context("`npm test` does not say how many tests ran")
}

/// Tells the tests where the standards' data is, if it is there.
fn told<'a>(command: &'a mut Command, shared: Option<&Path>) -> &'a mut Command {
    if let Some(shared) = shared {
        command.env("HALLPASS_SHARED", shared);
    }
    command
}

fn is_new_enough(version: &[u8]) -> bool {
    let version = String::from_utf8_lossy(version);
    let major = version.trim().strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= 20)
}

/// All tests of the report but those that were skipped; had one failed there would be no report to read.
fn passed_in_python(report: &str) -> Option<u64> {
    let suite = report.split_once("<testsuite ")?.1;
    let number = |name: &str| suite.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.parse::<u64>().ok();
    number("tests")?.checked_sub(number("skipped")?)
}

/// The count in one of the lines that `node --test` closes with.
fn passed_in_node(printed: &str) -> Option<u64> {
    let count = |line: &str| line.trim_start_matches(['#', 'ℹ', ' ']).strip_prefix("pass ")?.trim().parse().ok();
    printed.lines().rev().find_map(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_read_from_what_each_prints() {
        let report = "<testsuites name=\"pytest tests\"><testsuite name=\"pytest\" errors=\"0\" failures=\"0\" \
            skipped=\"2\" tests=\"9\">";
        assert_eq!(passed_in_python(report), Some(7));
        assert_eq!(passed_in_node("# tests 9\n# pass 8\n# fail 0\n"), Some(8));
        assert_eq!(passed_in_node("ℹ pass 8\nℹ skipped 1\n"), Some(8));
        assert_eq!(passed_in_node("nothing ran"), None);
    }

    #[test]
    fn an_old_node_is_as_good_as_none() {
        assert!(is_new_enough(b"v20.20.2\n") && is_new_enough(b"v24.0.0"));
        assert!(!is_new_enough(b"v18.19.1\n") && !is_new_enough(b""));
    }
}
