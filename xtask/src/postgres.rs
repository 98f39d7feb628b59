//! A private PostgreSQL for one run of the tests, in a temporary folder and on a free port of the loopback.
//!
//! It never touches a PostgreSQL that already runs on the machine, and nothing of it outlives the run.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    guard::Guard,
    packages::Need,
    process::{self, command, output},
};

/// The server's programs, and what brings them.
pub(crate) const NEED: Need =
    Need { name: "the PostgreSQL server", present: || programs().is_some(), packages: &["postgresql"] };

/// How long the server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the tests do not need is off: nothing here has to survive the machine, only a killed client.
const SETTINGS: [&str; 11] = [
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=32MB",
    "fsync=off",
    "synchronous_commit=on",
    "full_page_writes=off",
    "autovacuum_naptime=10min",
    "max_wal_size=256MB",
    "log_min_messages=fatal",
    "log_min_error_statement=panic",
    "jit=off",
];

/// Starts a server under the guard and returns its address as a `postgres://` URL. Settings that are given count before
/// our own.
pub(crate) fn start(guard: &mut Guard, settings: &[&str]) -> Result<String> {
    let programs = programs().context("the PostgreSQL server is not installed")?;
    let folder = tempfile::Builder::new().prefix("hallpass-postgres-").tempdir()?.keep();
    guard.remove_at_the_end(&folder)?;
    let user = unprivileged()?;
    if let Some((user, group)) = user {
        chown(&folder, Some(user), Some(group))?;
    }
    // PostgreSQL refuses to run as root.
    let program = |name: &str| {
        let mut program = Command::new(programs.join(name));
        program.current_dir(&folder);
        if let Some((user, group)) = user {
            program.uid(user).gid(group);
        }
        program
    };
    let data = folder.join("data");
    let options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
    output(program("initdb").args(options).arg("--pgdata").arg(&data))?;

    let port = free_port()?.to_string();
    let log = folder.join("log");
    let written = File::create(&log)?;
    let mut server = program("postgres");
    server.arg("-D").arg(&data).args(["-p", &port, "-k"]).arg(&folder);
    // Of two that set the same the later counts.
    server.args(SETTINGS.iter().chain(settings).flat_map(|setting| ["-c", setting]));
    // SIGQUIT: PostgreSQL's immediate shutdown, which waits for no client.
    guard.serve(server.stdout(written.try_clone()?).stderr(written), "QUIT")?;
    wait_until_ready(&programs, &port, &log)?;
    Ok(format!("postgres://postgres@127.0.0.1:{port}/postgres"))
}

fn wait_until_ready(programs: &Path, port: &str, log: &Path) -> Result<()> {
    let started = Instant::now();
    let mut ready = Command::new(programs.join("pg_isready"));
    ready.args(["--quiet", "--host=127.0.0.1", "--port", port]);
    while !process::succeeds(&mut ready) {
        if started.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("PostgreSQL does not answer after {} s. Its log:\n{log}", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The folder of the server's programs: from `PATH`, else the newest that Debian installed.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| is_complete(folder));
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let version = |entry: &std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
        let mut installed: Vec<_> =
            versions.filter_map(|entry| Some((version(&entry)?, entry.path().join("bin")))).collect();
        installed.sort();
        installed.into_iter().rev().map(|(_, folder)| folder).find(|folder| is_complete(folder))
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file())
}

/// The user and group to run as: those of `postgres` when we are root, else our own (`None`).
fn unprivileged() -> Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let printed = output(command("id", []).args(arguments))
            .context("PostgreSQL refuses root and needs the user `postgres`")?;
        Ok(String::from_utf8(printed)?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}

/// A port of the loopback that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
