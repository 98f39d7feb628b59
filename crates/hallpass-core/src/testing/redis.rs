//! A Redis of one test, that it can stop and start again: a process of its own on a port of its own.
//!
//! It keeps nothing on disk, and goes with the test.

use std::{io::ErrorKind, net::TcpListener, process::Stdio, time::Duration};

use tokio::process::{Child, Command};

/// How long a test waits for the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis server that only one test knows of.
pub struct TestRedis {
    /// Where it listens, and again after [`TestRedis::start_again`].
    pub port: u16,
    settings: Vec<String>,
    process: Option<Child>,
}

impl TestRedis {
    /// Starts a server, or says that the test is skipped: `HALLPASS_TEST_REDIS` tells that there is one to start. Settings
    /// are those of its command line, such as `--requirepass`.
    pub async fn start(settings: &[&str]) -> Option<Self> {
        if std::env::var_os("HALLPASS_TEST_REDIS").is_none() {
            println!("skipped: HALLPASS_TEST_REDIS is not set; `cargo xtask test` sets it");
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("the listener has an address").port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut redis = Self { port, settings, process: None };
        drop(free);
        redis.start_again().await;
        Some(redis)
    }

    /// The server's address for somebody who signs in with `password`, if it is not empty.
    pub fn url(&self, password: &str) -> String {
        let who = if password.is_empty() { String::new() } else { format!(":{password}@") };
        format!("redis://{who}127.0.0.1:{}", self.port)
    }

    /// Ends the server at once.
    pub async fn stop(&mut self) {
        self.process.take().expect("the server runs").kill().await.expect("the server can be stopped");
    }

    /// Starts it on the same port, and returns when it takes connections.
    pub async fn start_again(&mut self) {
        let spawn = |program: &str| {
            let mut server = Command::new(program);
            server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"]);
            server.args(&self.settings).current_dir(std::env::temp_dir());
            server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()
        };
        let process = match spawn("redis-server") {
            Err(error) if error.kind() == ErrorKind::NotFound => spawn("valkey-server"),
            process => process,
        };
        self.process = Some(process.expect("`redis-server` or `valkey-server` can be started"));
        let ready = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("the server takes connections");
    }
}
