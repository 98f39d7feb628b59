//! The developer's tool, `cargo xtask`: runs the server, runs every test with what it needs, and is what CI runs.
//!
//! It never touches a service that it did not start, and leaves none behind, however it ends.

mod bench;
mod ci;
mod deny;
mod examples;
mod front_end;
mod generated;
mod golden;
mod guard;
mod latency;
mod packages;
mod postgres;
mod process;
mod proxies;
mod python;
mod redis;
mod run;
mod sdk;
mod servers;
mod test;
mod tools;
mod walls;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Runs, tests and checks Hallpass.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the server and run it for development, with its data in `./data`; Ctrl-C stops it.
    Run {
        /// Passed on to `hallpass serve --dev`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the tests, with a private PostgreSQL and what else they need; installs what is missing.
    Test {
        /// Run only tests whose names contain one of these.
        filters: Vec<String>,
        /// Install nothing: say what is missing and stop.
        #[arg(long)]
        no_install: bool,
    },
    /// Run the tests in a browser against the program as it is released; installs what is missing.
    E2e {
        /// Install nothing: say what is missing and stop.
        #[arg(long)]
        no_install: bool,
    },
    /// Run everything that CI runs, cheapest first.
    Ci,
    /// Measure how soon a sign-out counts at back ends elsewhere, for some minutes; builds for release.
    RevocationLatency {
        /// How many sessions end, for each way in which servers tell each other.
        #[arg(long, default_value_t = 2_000)]
        sessions: usize,
    },
    /// Measure Hallpass and others under load, one after the other, and write `bench/results.json`; builds for release.
    Bench {
        /// Some minutes instead of half an hour, with what is installed already; writes nothing.
        #[arg(long)]
        quick: bool,
        /// Only this one; can be given several times, and writes nothing.
        #[arg(long)]
        only: Vec<bench::Turn>,
    },
    /// Play what was recorded of real Django projects against the dialects, and compare the answers.
    Golden {
        /// The file of cases; `../shared/contract/golden.jsonl` unless it is given.
        #[arg(long)]
        golden: Option<PathBuf>,
        /// Only the cases of this profile; can be given several times.
        #[arg(long)]
        profile: Vec<String>,
    },
    /// Write the committed files that are generated from the program: interface, settings, commands, errors.
    Generated {
        /// Write nothing: fail where a committed file differs.
        #[arg(long)]
        check: bool,
    },
    /// Check which crate may depend on what.
    Walls,
    /// Check licences, bans, sources and advisories of all dependencies.
    Deny,
    /// Stop what was started for tests, once standard input closes (started by `test` itself).
    #[command(hide = true)]
    Guard,
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { arguments } => run::serve(&arguments),
        Command::Test { filters, no_install } => test::run(&filters, packages::Install::unless(no_install)),
        Command::E2e { no_install } => front_end::end_to_end(packages::Install::unless(no_install)),
        Command::Ci => ci::run(),
        Command::RevocationLatency { sessions } => latency::run(sessions),
        Command::Bench { quick, only } => bench::run(quick, only),
        Command::Golden { golden, profile } => golden::run(golden, &profile),
        Command::Generated { check: true } => generated::check(),
        Command::Generated { check: false } => generated::write(),
        Command::Walls => walls::check(),
        Command::Deny => deny::check(),
        Command::Guard => guard::wait_and_stop(),
    }
}
