//! What is built and tested with Node: the packages for browsers and apps in `sdk/client` and `sdk/react`, the pages in
//! `web`, the examples on them, and the tests in a browser in `e2e`.
//!
//! They are workspaces of one npm project in the root, so that one `npm ci` brings what they need.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::SystemTime,
};

use anyhow::{Result, bail, ensure};

use crate::{
    guard::Guard,
    packages::{self, Install, Need},
    process::{self, built, cargo, command, root, shown},
    sdk,
};

/// The browser that the tests drive.
pub(crate) const CHROMIUM: Need = Need {
    name: "Chromium",
    present: || process::succeeds(&mut command("chromium", ["--version"])),
    packages: &["chromium"],
};

/// What the pages are built from.
const SOURCES: [&str; 5] = ["package-lock.json", "openapi.json", "sdk/client", "sdk/react", "web"];
/// What they are built to.
const BUILT: &str = "crates/hallpass-axum/dist/index.html";

/// Builds everything and runs the tests that need no browser; returns how many passed.
pub(crate) fn test(guard: &mut Guard) -> Result<u64> {
    install(guard)?;
    guard.run(&mut npm(&["run", "build"]))?;
    counted(&mut npm(&["test"]))
}

/// `cargo xtask e2e`: the tests in a browser, against the program as it is released.
pub(crate) fn end_to_end(install_missing: Install) -> Result<()> {
    let mut guard = Guard::start()?;
    packages::provide(&[sdk::NODE, CHROMIUM], install_missing)?;
    install(&mut guard)?;
    guard.run(&mut npm(&["run", "build"]))?;
    guard.run(&mut cargo(["build", "--release", "--locked", "--package", "hallpass"]))?;
    let passed = drive("release")?;
    println!("{passed} passed in Chromium; screenshots of every page are in `e2e/screenshots`");
    Ok(())
}

/// Runs the tests in a browser against a program that was built; returns how many passed.
pub(crate) fn drive(build: &str) -> Result<u64> {
    counted(npm(&["test", "--workspace", "e2e"]).env("HALLPASS_E2E_SERVER", built(build, "hallpass")?))
}

/// Builds the pages if they are older than what they are built from, and says so where Node is not there.
pub(crate) fn pages() -> Result<()> {
    if up_to_date() {
        return Ok(());
    }
    if !(sdk::NODE.present)() {
        eprintln!("without {} the server runs without its pages for people", sdk::NODE.name);
        return Ok(());
    }
    if !installed() {
        process::run(&mut npm_ci())?;
    }
    process::run(&mut npm(&["run", "build:pages"]))
}

fn install(guard: &mut Guard) -> Result<()> {
    if installed() { Ok(()) } else { guard.run(&mut npm_ci()) }
}

/// Whether what is installed is what the lock file says; npm notes in a file of its own what it has installed.
fn installed() -> bool {
    let noted = newest(&root().join("node_modules/.package-lock.json"));
    noted.is_some() && noted >= newest(&root().join("package-lock.json"))
}

fn up_to_date() -> bool {
    let sources = SOURCES.iter().filter_map(|source| newest(&root().join(source))).max();
    fs::metadata(root().join(BUILT)).and_then(|file| file.modified()).is_ok_and(|built| Some(built) > sources)
}

/// When a file, or one in a folder, was last changed; what was built or installed there does not count.
fn newest(path: &Path) -> Option<SystemTime> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_dir() {
        return about.modified().ok();
    }
    let name = path.file_name()?;
    if name == "node_modules" || name == "dist" {
        return None;
    }
    fs::read_dir(path).ok()?.filter_map(|entry| newest(&entry.ok()?.path())).max()
}

fn npm_ci() -> Command {
    npm(&["ci", "--no-audit", "--no-fund"])
}

fn npm(words: &[&str]) -> Command {
    let mut npm = command("npm", []);
    // Where the count of tests is read, no colours are between the words.
    npm.args(words).env("NO_COLOR", "1");
    npm
}

/// Runs tests, shows what they print, and returns how many passed.
fn counted(npm: &mut Command) -> Result<u64> {
    eprintln!("$ {}", shown(npm));
    let output = npm.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    eprint!("{printed}");
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(npm), output.status);
    }
    let passed = passed(&printed);
    ensure!(passed > 0, "`{}` does not say how many tests ran", shown(npm));
    Ok(passed)
}

/// The counts in the lines that vitest closes with, one for each package.
fn passed(printed: &str) -> u64 {
    let count = |line: &str| {
        let counts = line.trim().strip_prefix("Tests ")?;
        counts.split('|').find_map(|part| part.trim().split_once(" passed")?.0.parse::<u64>().ok())
    };
    printed.lines().filter_map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_all_packages_are_added() {
        let printed = " Test Files  2 passed (2)\n      Tests  12 passed (12)\n\n   Tests  3 passed | 1 skipped (4)\n";
        assert_eq!(passed(printed), 15);
        assert_eq!(passed("no tests"), 0);
    }
}
