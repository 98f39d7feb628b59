//! The built program in a folder of its own, as a user runs it. Knows nothing of how the program is made.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;

/// Meets every rule about passwords.
pub(crate) const PASSWORD: &str = "seven otters juggle brass lanterns";

/// Longer than anything here takes on a busy machine, so that only what hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder to run the program in, gone with the test.
pub(crate) struct Home(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.file(name), content).unwrap();
    }

    /// The program with these arguments and no setting from the environment of the test.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HALLPASS_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(self.command(arguments), "", PATIENCE)
    }

    /// Runs with `input` on stdin.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        finish(self.command(arguments), input, PATIENCE)
    }

    /// The JSON that a command prints when all goes well.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(arguments).json()
    }

    /// Creates an account with [`PASSWORD`], and the database if there is none.
    pub(crate) fn create_superuser(&self, username: &str) -> Value {
        let arguments = ["createsuperuser", "--username", username, "--password-stdin", "--json"];
        self.run_with_input(&arguments, PASSWORD).json()
    }
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the command ended with `code`, said `message` on stderr, and printed no data.
    pub(crate) fn failed(&self, code: i32, message: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(message), "no {message:?} in {self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }
}

/// Runs `command` to its end, which has to come within `patience`.
pub(crate) fn finish(mut command: Command, input: &str, patience: Duration) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that ends without reading its input breaks the pipe, and may.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let id = child.id();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(patience) {
        Ok(output) => output.unwrap().into(),
        Err(_) => {
            send_signal(id, "KILL");
            panic!("{command:?} did not end within {patience:?}");
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A running server, killed with the test if it still runs then.
pub(crate) struct Server {
    child: Option<Child>,
    id: u32,
    said: Arc<Mutex<String>>,
    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

impl Server {
    /// Starts `hallpass serve --dev` on a free port.
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]))
    }

    /// Starts `command` and waits until it says where it listens.
    pub(crate) fn start_with(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = said.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = listening_address(&line) {
                    let _ = found.send(address.to_owned());
                }
                *heard.lock().unwrap() += &(line + "\n");
            }
        });
        match address.recv_timeout(PATIENCE) {
            Ok(address) => Self { id: child.id(), child: Some(child), said, url: format!("http://{address}") },
            Err(_) => {
                let _ = child.kill();
                panic!("the server did not start: {}", said.lock().unwrap());
            }
        }
    }

    /// Everything that it has written to stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        send_signal(self.id, name);
    }

    /// Waits until it ends and returns the exit code.
    pub(crate) fn wait(mut self) -> i32 {
        let (ended, end) = mpsc::channel();
        let mut child = self.child.take().unwrap();
        thread::spawn(move || ended.send(child.wait()));
        match end.recv_timeout(PATIENCE) {
            Ok(status) => status.unwrap().code().unwrap_or(-1),
            Err(_) => {
                self.signal("KILL");
                panic!("the server did not stop: {}", self.said());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The address in the line that says that a server listens, in either form of the log.
fn listening_address(line: &str) -> Option<&str> {
    let (_, text) = line.split_once(" address=").or_else(|| line.split_once("\"address\":\""))?;
    text.split([' ', '"']).next()
}

fn send_signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), id.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until `reached` holds, for five seconds at most: the time in which a change must have reached a server.
pub(crate) async fn within_five_seconds(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let poll = async {
        let mut again = tokio::time::interval(Duration::from_millis(50));
        while !reached().await {
            again.tick().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), poll).await.is_ok(), "{what} took longer than 5 s");
}
