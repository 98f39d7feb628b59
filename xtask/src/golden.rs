//! `cargo xtask golden`: plays what was recorded of real Django projects against a server with the dialects that they
//! need (`xtask/golden/`), and compares status, body, cookies, headers and claims.
//!
//! A case that is answered otherwise on purpose is named in `docs/reference/dialects.md`; one that is named there and
//! answered as recorded is an error as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    generated,
    guard::Guard,
    packages::{self, Install},
    postgres::free_port,
    process::{command, output, root, shown},
    python,
    servers::{self, Hallpass},
};

/// What cannot be played here, by tag.
const LEFT_OUT: [&str; 8] = ["html", "500", "throttle", "mfa", "social", "quirk", "parse", "limits"];

/// Beside what the sections of `xtask/golden/` set: the front end of the recorded projects, names and passwords as
/// Django has them, and as many attempts as there are cases.
const SETTINGS: [(&str, &str); 7] = [
    ("DATA_DIR", "."),
    ("FRONTEND_ORIGINS", "http://localhost:3000"),
    ("ACCOUNTS__NAMES", "django"),
    ("PASSWORDS__ENCODING", "django"),
    ("PASSWORDS__MIN_LENGTH", "8"),
    ("PASSWORDS__MIN_SCORE", "0"),
    ("THROTTLE__ENABLED", "false"),
];

/// What cannot be played either: it reads the mailed key as Django writes it, and the player stops at another.
const UNREADABLE: &str = "s003.verify_email.minted_ok";

/// The profiles whose front end is `https://example.com`, and what is otherwise for them.
const ON_EXAMPLE: [&str; 2] = ["s003", "s003_csrf"];
const EXAMPLE: [(&str, &str); 3] =
    [("DEV", "false"), ("PUBLIC_URL", "https://api.example.com"), ("FRONTEND_ORIGINS", "https://example.com")];

/// How many cases came out which way.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    on_purpose: u64,
}

/// Plays a file of recorded cases, all profiles or these.
pub(crate) fn run(golden: Option<PathBuf>, profiles: &[String]) -> Result<()> {
    let mut guard = Guard::start()?;
    packages::provide(&[python::NEED], Install::Allowed)?;
    guard.run(&mut generated::build())?;
    play(&mut guard, &python::environment()?, golden, profiles).map(drop)
}

/// The folder with what was recorded, if it is there.
pub(crate) fn recorded() -> Option<PathBuf> {
    Some(root().with_file_name("shared").join("contract")).filter(|folder| folder.join("replay.py").is_file())
}

/// Plays with the program as it is built; returns how many cases passed, and fails if one did not.
pub(crate) fn play(guard: &mut Guard, python: &Path, golden: Option<PathBuf>, only: &[String]) -> Result<u64> {
    let contract = recorded().context("`../shared/contract` is not there, with what was recorded and what plays it")?;
    let golden = golden.unwrap_or_else(|| contract.join("golden.jsonl"));
    let recorded = profiles_in(python, &golden)?;
    let on_purpose = named_on_purpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tally = Tally::default();
    for profile in recorded.iter().filter(|profile| only.is_empty() || only.contains(profile)) {
        let sections = root().join("xtask/golden").join(profile).with_extension("toml");
        if !sections.is_file() {
            println!("{profile}: not played, no dialect here speaks it yet");
            continue;
        }
        let folder = tempfile::Builder::new().prefix("hallpass-golden-").tempdir()?.keep();
        guard.remove_at_the_end(&folder)?;
        fs::copy(&sections, folder.join("hallpass.toml"))?;
        let otherwise = if ON_EXAMPLE.contains(&profile.as_str()) { EXAMPLE.as_slice() } else { &[] };
        let hallpass = Hallpass::new("debug", &folder, &[SETTINGS.as_slice(), otherwise].concat())?;
        hallpass.migrate()?;
        let mut prepare = command(python, []);
        prepare.arg(root().join("xtask/golden/prepare.py")).arg(contract.join("fixtures.json")).arg(&folder);
        guard.run(&mut prepare)?;
        let server = hallpass.serve(guard, free_port()?)?;
        runtime.block_on(async { server.answers(&servers::http()?, "/readyz").await })?;
        let results = replay(python, &contract, &golden, profile, &server.url, &folder)?;
        let before = tally.passed + tally.failed + tally.on_purpose;
        results.iter().for_each(|(case, result)| tally.count(case, result, on_purpose.contains(case)));
        println!("{profile}: {} cases", tally.passed + tally.failed + tally.on_purpose - before);
    }
    println!("{} answered otherwise on purpose: docs/reference/dialects.md", tally.on_purpose);
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} recorded cases are answered otherwise", tally.failed);
    }
    Ok(tally.passed)
}

impl Tally {
    fn count(&mut self, case: &str, result: &Value, on_purpose: bool) {
        match (result, on_purpose) {
            (Value::String(passed), false) if passed == "pass" => self.passed += 1,
            (Value::String(passed), true) if passed == "pass" => {
                self.failed += 1;
                println!("{case}: answered as recorded, and `docs/reference/dialects.md` says otherwise");
            }
            (Value::String(_), _) => {}
            (_, true) => self.on_purpose += 1,
            (differences, false) => {
                self.failed += 1;
                println!("{case}:");
                let lines = differences.as_array().map(Vec::as_slice).unwrap_or_default();
                lines.iter().filter_map(Value::as_str).for_each(|line| println!("    {line}"));
            }
        }
    }
}

/// Plays the cases of one profile; each with `"pass"`, `"skip"` or what was different.
fn replay(
    python: &Path,
    contract: &Path,
    golden: &Path,
    profile: &str,
    url: &str,
    folder: &Path,
) -> Result<BTreeMap<String, Value>> {
    let (results, left_out) = (folder.join("results.json"), folder.join("left_out"));
    fs::write(&left_out, UNREADABLE)?;
    let mut replay = command(python, []);
    replay.arg(contract.join("replay.py")).args(["--only-mapped", "--quiet", "--level", "full"]);
    replay.args(["--map", &format!("{profile}={url}")]).arg("--golden").arg(golden);
    replay.arg("--outbox").arg(folder.join("mail")).arg("--not-ids").arg(left_out);
    replay.args(LEFT_OUT.iter().flat_map(|tag| ["--skip-tag", tag])).arg("--json-out").arg(&results);
    // It ends badly where a case differs; what it found is in the file.
    let output = replay.stdin(Stdio::null()).output()?;
    let written = fs::read_to_string(&results).with_context(|| {
        format!("`{}` left no results:\n{}", shown(&replay), String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(serde_json::from_str(&written)?)
}

/// The profiles of a file of cases. Python reads it: some texts in it have half a surrogate pair, which no text here can.
fn profiles_in(python: &Path, golden: &Path) -> Result<BTreeSet<String>> {
    const LIST: &str = "import json, sys; print(*{json.loads(line)['profile'] for line in open(sys.argv[1])})";
    let printed = output(command(python, ["-c", LIST]).arg(golden))?;
    Ok(String::from_utf8(printed)?.split_whitespace().map(str::to_owned).collect())
}

/// The cases that the reference page names, among everything else that stands between backticks there.
fn named_on_purpose() -> Result<BTreeSet<String>> {
    let page = root().join("docs/reference/dialects.md");
    let text = fs::read_to_string(&page).with_context(|| format!("`{}` cannot be read", page.display()))?;
    Ok(text.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_counts_unless_it_is_named_and_a_name_counts_unless_there_is_one() {
        let mut tally = Tally::default();
        tally.count("a", &json!("pass"), false);
        tally.count("b", &json!(["status: want 200, got 401"]), false);
        tally.count("c", &json!(["status: want 200, got 401"]), true);
        tally.count("d", &json!("pass"), true);
        tally.count("e", &json!("skip"), false);
        assert_eq!((tally.passed, tally.failed, tally.on_purpose), (1, 2, 1));
    }

    #[test]
    fn what_stands_between_backticks_on_the_page_is_named() {
        let named = named_on_purpose().unwrap();
        assert!(named.contains("s002.login.unknown_user"), "{named:?}");
    }
}
