//! Puts load on a login server from outside and measures it, and makes what its figures are compared with.
//!
//! It starts no server and judges no figure: `cargo xtask bench` does.

mod answer;
mod argon2;
mod client;
mod connection;
mod limit;
mod load;
mod memory;
mod processes;
mod report;
mod scenario;
mod seed;
mod storm;
mod target;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures a login server; each command prints JSON.
#[derive(Parser)]
#[command(name = "hallpass-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Put load on a server: one line for each scenario.
    Load(load::Arguments),
    /// Ask steadily with tokens, first alone, then while many sign in: a line for each.
    Storm(storm::Arguments),
    /// Open connections and sessions, and say how much memory the server takes then.
    Memory(memory::Arguments),
    /// Sign somebody up and print what a server answers to a request with a token.
    Answer(answer::Arguments),
    /// Answer every request with the bytes that `answer` printed: what the machine and the framework allow.
    Limit(limit::Arguments),
    /// Hash passwords and do nothing else: what the machine allows.
    Argon2(argon2::Arguments),
    /// Fill the database of a Hallpass that does not run.
    Seed(seed::Arguments),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Load(arguments) => load::run(arguments).await,
        Command::Storm(arguments) => storm::run(arguments).await,
        Command::Memory(arguments) => memory::run(arguments).await,
        Command::Answer(arguments) => answer::run(arguments).await,
        Command::Limit(arguments) => limit::run(arguments).await,
        Command::Argon2(arguments) => argon2::run(&arguments),
        Command::Seed(arguments) => seed::run(arguments).await,
    }
}
