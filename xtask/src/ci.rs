//! `cargo xtask ci`: every check that a change has to pass, cheapest first.
//!
//! It never goes on after a failure, and says how to repeat what failed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::{deny, generated, guard::Guard, packages::Install, process::cargo, test, walls};

struct Step {
    name: &'static str,
    repeat: &'static str,
    /// Returns how many tests passed: none, where the step is no test.
    run: fn(&mut Guard) -> Result<u64>,
}

/// Clippy, the build and the tests share one set of flags: what they depend on is compiled once for each.
const STEPS: [Step; 8] = [
    Step {
        name: "format",
        repeat: "cargo fmt --all --check",
        run: |guard| guard.run(&mut cargo(["fmt", "--all", "--check"])).map(no_tests),
    },
    Step { name: "walls", repeat: "cargo xtask walls", run: |_| walls::check().map(no_tests) },
    Step {
        name: "lints",
        repeat: "cargo clippy --workspace --all-features --all-targets --locked -- -D warnings",
        run: |guard| {
            let mut clippy = cargo(["clippy", "--workspace", "--all-features", "--all-targets", "--locked"]);
            guard.run(clippy.args(["--", "-D", "warnings"])).map(no_tests)
        },
    },
    Step {
        // As others use it: without the features that the rest of the workspace turns on.
        name: "token alone",
        repeat: "cargo check --package hallpass-token --locked",
        run: |guard| guard.run(&mut cargo(["check", "--package", "hallpass-token", "--locked"])).map(no_tests),
    },
    Step {
        name: "build",
        repeat: "cargo build --workspace --all-features --all-targets --locked",
        run: |guard| guard.run(&mut generated::build()).map(no_tests),
    },
    Step {
        name: "generated files",
        repeat: "cargo xtask generated --check",
        run: |_| generated::check().map(no_tests),
    },
    Step { name: "dependencies", repeat: "cargo xtask deny", run: |_| deny::check().map(no_tests) },
    Step {
        name: "tests",
        repeat: "cargo xtask test",
        run: |guard| test::run_under(guard, "ci", &[], Install::Allowed),
    },
];

/// Runs the steps and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let mut guard = Guard::start()?;
    let mut passed = 0;
    let mut times = Vec::new();
    for Step { name, repeat, run } in STEPS {
        eprintln!("\n== {name}");
        let started = Instant::now();
        passed += run(&mut guard).with_context(|| format!("`{name}` failed; repeat it by `{repeat}`"))?;
        times.push((name, started.elapsed()));
    }
    eprintln!();
    for (name, time) in &times {
        eprintln!("{name:<16} {:>7.1} s", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| time).sum();
    eprintln!("{:<16} {:>7.1} s", "all", total.as_secs_f64());
    // Whatever failed has ended the run already.
    println!("{passed} passed, 0 failed");
    Ok(())
}

fn no_tests((): ()) -> u64 {
    0
}
