//! `cargo xtask test`: brings what the tests need, runs them all, and takes it away again.
//!
//! It never leaves a service behind: each runs under the [`Guard`].

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    examples, front_end, golden,
    guard::Guard,
    packages::{self, Install},
    postgres,
    process::{cargo, root, shown},
    proxies, python, redis, sdk,
    tools::{self, Tool},
};

/// What is promised of accounts holds where `accounts` is a view over Django's user table as well: but for spellings of
/// names that Django takes for different ones, and for tests that change the table itself.
const ON_DJANGOS_TABLE: &str = "binary(it) \
    & test(/^(accounts|addresses|admin|admin_lists|concurrency|deletion|email|login|recovery|tickets)::/) \
    - test(in_their_canonical_form) - test(sign_ups_with_one_name) - test(does_not_even_look) \
    - test(a_further_address_gets_no_reset)";

const NEXTEST: Tool = Tool { name: "cargo-nextest", version: "0.9.143", default_features: true };

/// Runs the tests, or those that match one of the filters.
pub(crate) fn run(filters: &[String], install: Install) -> Result<()> {
    let mut guard = Guard::start()?;
    let passed = run_under(&mut guard, "default", filters, install)?;
    let what = if filters.is_empty() { "all tests and examples" } else { "the tests that match" };
    println!("{what} ran, on SQLite and on a private PostgreSQL: {passed} passed");
    Ok(())
}

/// Runs the tests with a profile of nextest, and unless a filter is given those of the packages for other languages and
/// the documentation's examples; returns how many passed, and fails if one did not.
pub(crate) fn run_under(guard: &mut Guard, profile: &str, filters: &[String], install: Install) -> Result<u64> {
    packages::provide(&[postgres::NEED, redis::NEED, python::NEED, sdk::NODE, front_end::CHROMIUM], install)?;
    let proxies = proxies::provide(install)?;
    let python = python::environment()?;
    let postgres = postgres::start(guard, &[])?;
    let redis = redis::start(guard)?;

    // Before the tests of the server, which then find the pages that it shows.
    let mut passed = if filters.is_empty() { front_end::test(guard)? } else { 0 };

    let shared = Some(root().with_file_name("shared")).filter(|shared| shared.is_dir());
    let mut run = |what: &[&str], environment: &[(&str, &str)]| {
        let mut nextest = tools::provide(&NEXTEST, install)?;
        nextest.args(["nextest", "run", "--all-features", "--locked", "--profile", profile]).args(what);
        nextest.env("HALLPASS_TEST_POSTGRES", &postgres).env("HALLPASS_TEST_REDIS", &redis);
        nextest.env("HALLPASS_TEST_PYTHON", &python).env("PATH", &proxies);
        nextest.envs(shared.iter().map(|shared| ("HALLPASS_SHARED", shared))).envs(environment.iter().copied());
        guard.run(&mut nextest)?;
        tests_reported(profile)
    };
    let given = filters.iter().map(String::as_str);
    passed += run(&["--workspace"].into_iter().chain(given).collect::<Vec<_>>(), &[])?;
    if filters.is_empty() {
        let again = ["--package", "hallpass-core", "-E", ON_DJANGOS_TABLE];
        passed += run(&again, &[("HALLPASS_TEST_ADOPTED", "1")])?;
        passed += front_end::drive("debug")?;
        passed += sdk::run(guard, &python, shared.as_deref())?;
        passed += examples::run(guard, &python)?;
        if golden::recorded().is_some() {
            passed += golden::play(guard, &python, None, &[])?;
        }
        passed += run_examples(&mut cargo(["test", "--doc", "--workspace", "--all-features", "--locked"]))?;
    }
    Ok(passed)
}

/// Runs the documentation's examples; what they print is shown only if one fails.
fn run_examples(cargo: &mut Command) -> Result<u64> {
    eprintln!("$ {}", shown(cargo));
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("`{}` failed ({}):\n{printed}", shown(cargo), output.status);
    }
    Ok(printed.lines().filter_map(examples_passed).sum())
}

/// The count in the line that `cargo test` closes a crate with.
fn examples_passed(line: &str) -> Option<u64> {
    line.strip_prefix("test result: ")?.split_once(" passed")?.0.rsplit(' ').next()?.parse().ok()
}

/// How many tests ran, from the report that nextest leaves (`.config/nextest.toml`).
fn tests_reported(profile: &str) -> Result<u64> {
    let path = root().join("target/nextest").join(profile).join("junit.xml");
    let report = fs::read_to_string(&path).with_context(|| format!("nextest left no `{}`", path.display()))?;
    tests_in(&report).with_context(|| format!("`{}` does not say how many tests ran", path.display()))
}

fn tests_in(report: &str) -> Option<u64> {
    let head = report.lines().find(|line| line.trim_start().starts_with("<testsuites "))?;
    head.split_once(" tests=\"")?.1.split_once('"')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_report_of_nextest() {
        let report =
            "<?xml version=\"1.0\"?>\n<testsuites name=\"nextest-run\" tests=\"7\" failures=\"0\" errors=\"0\">";
        assert_eq!(tests_in(report), Some(7));
        assert_eq!(tests_in("<testsuites>"), None);
    }

    #[test]
    fn the_count_is_read_from_the_closing_line_of_cargo() {
        let line = "test result: ok. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(examples_passed(line), Some(12));
        assert_eq!(examples_passed("running 12 tests"), None);
    }
}
