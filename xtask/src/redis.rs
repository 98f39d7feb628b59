//! A private Redis (or Valkey) for one run of the tests, in a temporary folder and on a free port of the loopback.
//!
//! It never touches a Redis that already runs on the machine, such as the service that Debian's package starts, and keeps
//! nothing on disk.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{guard::Guard, packages::Need, postgres::free_port};

/// The server's program, and what brings it.
pub(crate) const NEED: Need =
    Need { name: "the Redis server", present: || program().is_some(), packages: &["redis-server"] };

/// How long the server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a server under the guard and returns its address as a `redis://` URL.
pub(crate) fn start(guard: &mut Guard) -> Result<String> {
    let program = program().context("the Redis server is not installed")?;
    let folder = tempfile::Builder::new().prefix("hallpass-redis-").tempdir()?.keep();
    guard.remove_at_the_end(&folder)?;
    let port = free_port()?;
    let log = folder.join("log");
    let mut server = Command::new(program);
    server.current_dir(&folder).args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    server.args(["--save", "", "--appendonly", "no", "--logfile"]).arg(&log);
    guard.serve(&mut server, "TERM")?;

    let started = Instant::now();
    while !answers(port) {
        if started.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("Redis does not answer after {} s. Its log:\n{log}", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(format!("redis://127.0.0.1:{port}"))
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let mut connection = TcpStream::connect(("127.0.0.1", port))?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        connection.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        connection.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| answer == *b"+PONG")
}

/// The server's program on `PATH`: both speak the same protocol.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["redis-server", "valkey-server"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}
