//! The `hallpass` program: settings, a command line, and the server behind `hallpass serve`.
//!
//! Holds no rule of accounts or sessions: every command reads its arguments, calls `hallpass-core` and prints the
//! answer.

use std::process::ExitCode;

mod cli;
mod settings;
mod store;
mod telemetry;
mod text;
mod tls;

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &std::env::vars_os().collect::<Vec<_>>())
}
