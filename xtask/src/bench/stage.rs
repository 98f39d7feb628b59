//! The programs that measure and are measured, and what runs at the moment.
//!
//! A server that is measured runs alone: each ends with its [`Running`], before the next one starts.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::mebibytes;
use crate::{
    guard::Guard,
    postgres::{self, free_port},
    process::{built, command, output},
    servers::{self, PATIENCE, Server},
};

/// A commit is on the disk before it is answered, as PostgreSQL is shipped; and the memory of a small server.
const DURABLE: [&str; 6] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=512MB",
    "max_wal_size=2GB",
    "autovacuum_naptime=1min",
];

/// Connections where no password is hashed.
pub(super) const MANY: &str = "16";

/// Connections where passwords are: more would only wait in the server, which sends away whom it lets wait too long.
const FEW: &str = "8";

pub(super) struct Stage {
    pub(super) quick: bool,
    program: PathBuf,
    runtime: Runtime,
    http: Client,
}

impl Stage {
    pub(super) fn new(quick: bool) -> Result<Self> {
        let program = built("release", "hallpass-bench")?;
        Ok(Self { quick, program, runtime: Runtime::new()?, http: servers::http()? })
    }

    pub(super) fn size_of_the_program(&self) -> Result<f64> {
        mebibytes(&built("release", "hallpass")?)
    }

    /// A command of the bench program.
    pub(super) fn bench(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.program, []);
        command.args(arguments);
        command
    }

    /// How long the rounds are, for commands that have some.
    pub(super) fn rounds(&self) -> [&'static str; 6] {
        if self.quick {
            ["--warm-up", "0.5", "--seconds", "1", "--rounds", "3"]
        } else {
            // Node takes some seconds to be as fast as it gets.
            ["--warm-up", "5", "--seconds", "3", "--rounds", "3"]
        }
    }

    /// The same where passwords are hashed, of which some products manage a few a second.
    fn long_rounds(&self) -> [&'static str; 6] {
        if self.quick {
            ["--warm-up", "1", "--seconds", "3", "--rounds", "2"]
        } else {
            ["--warm-up", "2", "--seconds", "5", "--rounds", "3"]
        }
    }

    /// Waits until a server answers at all, and says how long that took.
    pub(super) fn is_up(&self, server: &Server, path: &str, began: Instant) -> Result<Duration> {
        let url = format!("{}{path}", server.url);
        self.runtime.block_on(async {
            loop {
                let answer = self.http.get(&url).send().await;
                let took = began.elapsed();
                if answer.is_ok_and(|answer| !answer.status().is_server_error()) {
                    return Ok(took);
                }
                if took > PATIENCE {
                    bail!("{url} does not answer. The server says:\n{}", server.said());
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    }
}

/// What one turn needs for as long as it takes: a folder, and PostgreSQL for those that want it.
pub(super) struct Place {
    // Dropped before `guard`, which removes what is in it.
    pub(super) folder: PathBuf,
    /// `postgres://…`.
    pub(super) postgres: Option<String>,
    guard: Guard,
}

impl Place {
    pub(super) fn new(with_postgres: bool) -> Result<Self> {
        let mut guard = Guard::start()?;
        let folder = tempfile::Builder::new().prefix("hallpass-bench-").tempdir()?.keep();
        guard.remove_at_the_end(&folder)?;
        let postgres = if with_postgres { Some(postgres::start(&mut guard, &DURABLE)?) } else { None };
        Ok(Self { folder, postgres, guard })
    }
}

/// Servers that run and can be measured.
pub(super) struct Running {
    /// What the bench program calls it.
    target: &'static str,
    addresses: Vec<String>,
    server: Vec<u32>,
    database: Vec<u32>,
    /// Ends them.
    _guard: Guard,
}

impl Running {
    /// Starts one server for each command that `of` makes for a port.
    pub(super) fn start(
        stage: &Stage,
        place: &Place,
        target: &'static str,
        ready: &str,
        commands: &[&dyn Fn(u16) -> Command],
    ) -> Result<(Self, Duration)> {
        let mut guard = Guard::start()?;
        let (mut addresses, mut took) = (Vec::new(), Duration::ZERO);
        for of in commands {
            let port = free_port()?;
            let began = Instant::now();
            let server = Server::start_at(&mut guard, &mut of(port), port, &place.folder)?;
            took = stage.is_up(&server, ready, began)?;
            addresses.push(format!("127.0.0.1:{port}"));
        }
        let (server, database) = (guard.processes(), place.guard.processes());
        Ok((Self { target, addresses, server, database, _guard: guard }, took))
    }

    /// Runs a command of the bench program on them and returns the lines that it prints.
    pub(super) fn measure(&self, stage: &Stage, name: &str, arguments: &[&str]) -> Result<Vec<Value>> {
        let mut command = stage.bench(&[name, "--target", self.target]);
        for address in &self.addresses {
            command.args(["--address", address]);
        }
        if name != "answer" {
            for (flag, processes) in [("--server-process", &self.server), ("--database-process", &self.database)] {
                command.args(processes.iter().flat_map(|process| [flag.to_owned(), process.to_string()]));
            }
        }
        printed(command.args(arguments))
    }

    /// Puts load on them with scenarios in which no password is hashed.
    pub(super) fn load(&self, stage: &Stage, scenarios: &[&str]) -> Result<Vec<Value>> {
        self.load_with(stage, MANY, stage.rounds(), scenarios)
    }

    /// Puts load on them with scenarios in which passwords are hashed.
    pub(super) fn load_hashing(&self, stage: &Stage, scenarios: &[&str]) -> Result<Vec<Value>> {
        self.load_with(stage, FEW, stage.long_rounds(), scenarios)
    }

    fn load_with(&self, stage: &Stage, connections: &str, rounds: [&str; 6], scenarios: &[&str]) -> Result<Vec<Value>> {
        let scenarios = scenarios.iter().flat_map(|scenario| ["--scenario", *scenario]);
        let arguments = ["--connections", connections].into_iter().chain(rounds).chain(scenarios);
        self.measure(stage, "load", &arguments.collect::<Vec<_>>())
    }
}

/// The lines of JSON that a command prints.
pub(super) fn printed(command: &mut Command) -> Result<Vec<Value>> {
    let printed = String::from_utf8(output(command)?)?;
    printed.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// A path as an argument.
pub(super) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
