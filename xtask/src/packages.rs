//! What has to be on the machine for the tests, and how it gets there: Debian's packages, by `apt-get`.
//!
//! It never installs where it has not the right to, and then says exactly what is missing.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, command, shown, succeeds};

/// Whether missing things may be installed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Install {
    /// Install them.
    Allowed,
    /// Only say what is missing.
    Refused,
}

impl Install {
    /// The meaning of a `--no-install` flag.
    pub(crate) fn unless(refused: bool) -> Self {
        if refused { Self::Refused } else { Self::Allowed }
    }
}

/// One thing that has to be there.
pub(crate) struct Need {
    /// What it is, for a person.
    pub(crate) name: &'static str,
    /// Whether it is there.
    pub(crate) present: fn() -> bool,
    /// Debian's packages that bring it.
    pub(crate) packages: &'static [&'static str],
}

/// Sees to it that every need is met.
pub(crate) fn provide(needs: &[Need], install: Install) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|need| need.name).collect::<Vec<_>>().join(" and ");
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    let by_hand = format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" "));
    if install == Install::Refused {
        bail!("missing: {names}. Install it, on Debian by `{by_hand}`");
    }
    if !succeeds(&mut command("apt-get", ["--version"])) {
        bail!(
            "missing: {names}. This system has no `apt-get`: install the like of {} by its own means",
            packages.join(", ")
        );
    }
    let Some(mut install) = as_root(["apt-get", "install", "-y", "--no-install-recommends"]) else {
        bail!("missing: {names}. This needs root: run `{by_hand}`");
    };
    eprintln!("missing: {names}");
    install.args(&packages);
    // A fresh machine has no package lists, or old ones that name files which are gone.
    if process::run(&mut install).is_err()
        && let Some(mut update) = as_root(["apt-get", "update"])
    {
        process::run(&mut update)?;
        process::run(&mut install)?;
    }
    for need in missing {
        if !(need.present)() {
            bail!("`{}` ran, and {} is still missing", shown(&install), need.name);
        }
    }
    Ok(())
}

/// The command with the rights of root, if they can be had without a question.
pub(crate) fn as_root<const N: usize>(words: [&str; N]) -> Option<Command> {
    let mut as_root = if process::output(&mut command("id", ["-u"])).is_ok_and(|id| id.trim_ascii() == b"0") {
        command("env", ["DEBIAN_FRONTEND=noninteractive"])
    } else if succeeds(&mut command("sudo", ["-n", "true"])) {
        command("sudo", ["-n", "DEBIAN_FRONTEND=noninteractive"])
    } else {
        return None;
    };
    as_root.args(words);
    Some(as_root)
}
