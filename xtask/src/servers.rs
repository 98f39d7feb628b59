//! Hallpass and the back ends of `examples/` as programs of their own, on free ports of the loopback.
//!
//! Each runs under the [`Guard`], and none sees a setting from the environment of whoever runs the tool.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::{
    guard::Guard,
    postgres::free_port,
    process::{built, command, output, root},
};

/// How long a program may take to start, and news to arrive, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A program that answers HTTP.
pub(crate) struct Server {
    pub(crate) url: String,
    log: PathBuf,
}

impl Server {
    /// Starts a program that reads its port from `PORT`; what it says goes into a file of `folder`.
    pub(crate) fn start(guard: &mut Guard, command: &mut Command, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        Self::start_at(guard, command.env("PORT", port.to_string()), port, folder)
    }

    /// The same with a program that is told its port in its own way.
    pub(crate) fn start_at(guard: &mut Guard, command: &mut Command, port: u16, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{port}.log"));
        let said = File::create(&log)?;
        guard.serve(command.stdout(said.try_clone()?).stderr(said), "TERM")?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), log })
    }

    /// Waits until it answers 200 at this path.
    pub(crate) async fn answers(&self, http: &Client, path: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let answer = http.get(format!("{}{path}", self.url)).send().await;
            if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("{}{path} does not answer 200 but {answer:?}. It says:\n{}", self.url, self.said());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// The program `hallpass` with its data in a folder.
pub(crate) struct Hallpass {
    program: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Hallpass {
    /// One of this build, for development; `settings` are variables without their beginning.
    pub(crate) fn new(build: &str, folder: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let all = [("DEV", "true")].iter().chain(settings);
        let settings = all.map(|(name, value)| (format!("HALLPASS_{name}"), (*value).to_owned())).collect();
        Ok(Self { program: built(build, "hallpass")?, folder: folder.to_owned(), settings })
    }

    /// Starts a server; `port` is free.
    pub(crate) fn serve(&self, guard: &mut Guard, port: u16) -> Result<Server> {
        let mut command = self.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
        Server::start_at(guard, &mut command, port, &self.folder)
    }

    /// Makes the tables.
    pub(crate) fn migrate(&self) -> Result<()> {
        output(&mut self.command(&["migrate"])).map(drop)
    }

    /// Puts it in front of a database that Django made.
    pub(crate) fn adopt_django(&self) -> Result<()> {
        output(&mut self.command(&["adopt-django", "--apply"])).map(drop)
    }

    /// Runs a command and returns what it prints, which is JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value> {
        Ok(serde_json::from_slice(&output(self.command(arguments).arg("--json"))?)?)
    }

    /// Makes a client and starts a back end as that. `issuer` is the `iss` of the tokens.
    pub(crate) fn followed_by(
        &self,
        guard: &mut Guard,
        back_end: &mut Command,
        issuer: &str,
        server: &Server,
    ) -> Result<Server> {
        let client = self.run(&["clients", "create", "orders"])?;
        let of_client = |member: &str| client.get(member).and_then(Value::as_str).context("no client was made");
        back_end
            .env("HALLPASS_ISSUER", issuer)
            .env("HALLPASS_BASE_URL", &server.url)
            .env("HALLPASS_CLIENT_ID", of_client("id")?)
            .env("HALLPASS_CLIENT_SECRET", of_client("secret")?);
        Server::start(guard, back_end, &self.folder)
    }

    /// The program with these arguments, in its folder and with its settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = of(&self.program, arguments);
        command.current_dir(&self.folder).envs(self.settings.clone());
        command
    }
}

/// The examples of back ends elsewhere, each as its README says.
pub(crate) fn back_ends(build: &str, python: &Path) -> Result<[(&'static str, Command); 3]> {
    let rust = of(&built(build, "resource-server")?, &[]);
    let fastapi = python_in("fastapi-orders", python, &["main.py"]);
    let mut express = of(Path::new("node"), &["orders.js"]);
    express.current_dir(root().join("examples/express-orders"));
    Ok([("resource-server", rust), ("fastapi-orders", fastapi), ("express-orders", express)])
}

/// A program of the example for Django, on this database.
pub(crate) fn django(python: &Path, database: &Path, arguments: &[&str]) -> Command {
    let mut command = python_in("django-backend", python, arguments);
    command.env("DATABASE_FILE", database);
    command
}

/// Python in the folder of an example, which finds our package.
fn python_in(example: &str, python: &Path, arguments: &[&str]) -> Command {
    let mut command = of(python, arguments);
    // The whole path of the package, which its README installs.
    command.env("PYTHONPATH", root().join("sdk/python/src")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.current_dir(root().join("examples").join(example));
    command
}

/// Installs what the example for Node needs, and builds our package for it, as its README says.
pub(crate) fn install_node(guard: &mut Guard) -> Result<()> {
    let (package, example) = (root().join("sdk/node"), root().join("examples/express-orders"));
    let install = ["ci", "--no-audit", "--no-fund"];
    guard.run(command("npm", install).current_dir(&package))?;
    guard.run(command("npm", ["run", "--silent", "build"]).current_dir(&package))?;
    guard.run(command("npm", install).current_dir(&example))
}

/// A client with time-outs, and connections that are used again.
pub(crate) fn http() -> Result<Client> {
    // Node and uvicorn close what was idle for five seconds, maybe just when a request is on its way.
    let idle = Duration::from_secs(2);
    Ok(Client::builder().timeout(PATIENCE).pool_idle_timeout(idle).no_proxy().build()?)
}

/// A program with these arguments and none of our variables.
fn of(program: &Path, arguments: &[&str]) -> Command {
    let mut command = command(program, []);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HALLPASS_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}
