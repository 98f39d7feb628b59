//! The other products: how each is installed, made ready and started. Why so is in the READMEs of `bench/peers`.
//!
//! Nothing of them is written into the repository but `node_modules`, which git ignores.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{
    Turn,
    figures::Figures,
    hallpass::take_memory,
    stage::{Place, Running, Stage, path},
};
use crate::{
    process::{command, kept, output, root, run},
    python,
};

/// Of nobody, and nothing is kept: any would do.
const SECRET: &str = "a secret of the benchmark, which nobody has to keep to themselves";

/// One product.
struct Peer {
    /// What the bench program calls it, and its folder in `bench/peers`.
    target: &'static str,
    /// Its scenarios without passwords.
    scenarios: &'static [&'static str],
    /// What it answers as soon as it is up.
    ready: &'static str,
    postgres: bool,
}

fn peer(turn: Turn) -> Option<Peer> {
    let all = &["checked", "me", "refresh"];
    Some(match turn {
        Turn::DjangoSqlite => Peer { target: "django", scenarios: all, ready: "/checked/", postgres: false },
        Turn::DjangoPostgres => Peer { target: "django", scenarios: all, ready: "/checked/", postgres: true },
        Turn::Pocketbase => Peer { target: "pocketbase", scenarios: all, ready: "/api/health", postgres: false },
        // Its sessions are rows, and there is nothing to refresh.
        Turn::BetterAuth => {
            let scenarios = &["checked", "me"];
            Peer { target: "better-auth", scenarios, ready: "/api/auth/ok", postgres: true }
        }
        _ => return None,
    })
}

/// Whether it can be started without an installation.
pub(super) fn is_installed(turn: Turn) -> bool {
    peer(turn).is_some_and(|peer| match turn {
        Turn::BetterAuth => folder(&peer).join("node_modules").is_dir(),
        _ => kept(&kept_as(&peer)).join("made-from.txt").is_file(),
    })
}

/// Installs it if it is missing, and measures it.
pub(super) fn measure(stage: &Stage, figures: &mut Figures, turn: Turn) -> Result<()> {
    let peer = peer(turn).context("no such product")?;
    let place = Place::new(peer.postgres)?;
    let commands = Commands::new(turn, &peer, &place)?;
    for prepare in commands.prepare() {
        output(&mut { prepare })?;
    }
    let of = |port| commands.serve(port);
    let (running, start) = Running::start(stage, &place, peer.target, peer.ready, &[&of])?;
    let name = turn.name();
    figures.set(&name, "start", "milliseconds", start.as_secs_f64() * 1_000.0);
    take_memory(figures, &name, "idle", &running.measure(stage, "memory", &[])?)?;
    figures.take(&name, "", &running.load(stage, peer.scenarios)?)?;
    let mut few = vec!["sign-in", "sign-up"];
    few.extend(peer.scenarios.contains(&"refresh").then_some("mixed"));
    figures.take(&name, "", &running.load_hashing(stage, &few)?)
}

/// How a product is run.
struct Commands {
    turn: Turn,
    /// In `bench/peers`.
    folder: PathBuf,
    /// Where its programs are.
    programs: PathBuf,
    /// What it writes.
    work: PathBuf,
    /// `postgres://…`.
    postgres: Option<String>,
}

impl Commands {
    fn new(turn: Turn, peer: &Peer, place: &Place) -> Result<Self> {
        let folder = folder(peer);
        let programs = if turn == Turn::BetterAuth {
            if !folder.join("node_modules").is_dir() {
                let mut install = command("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
                run(install.current_dir(&folder))?;
            }
            folder.clone()
        } else {
            let python = python::environment_of(&folder.join("requirements.txt"), &kept_as(peer))?;
            python.parent().context("Python is in no folder")?.to_owned()
        };
        Ok(Self { turn, folder, programs, work: place.folder.clone(), postgres: place.postgres.clone() })
    }

    /// What has to run once on a new database.
    fn prepare(&self) -> Vec<Command> {
        match self.turn {
            Turn::Pocketbase => vec![
                self.pocketbase(&["migrate", "up"]),
                // Without one it shows a link to make one at every start.
                self.pocketbase(&["superuser", "upsert", "bench@example.com", "correct-horse-battery"]),
            ],
            Turn::BetterAuth => vec![self.node("migrate.js", 0)],
            _ => vec![self.django("python", &["-m", "django", "migrate", "--verbosity", "0"])],
        }
    }

    fn serve(&self, port: u16) -> Command {
        let address = format!("127.0.0.1:{port}");
        match self.turn {
            Turn::Pocketbase => self.pocketbase(&["serve", "--http", &address]),
            Turn::BetterAuth => self.node("server.js", port),
            _ => {
                let mut gunicorn = self.django("gunicorn", &["django.core.wsgi:get_wsgi_application()"]);
                gunicorn.args(["--bind", &address, "--worker-class", "gthread", "--workers", "2", "--threads", "4"]);
                gunicorn.args(["--keep-alive", "75", "--log-level", "warning", "--no-control-socket"]);
                gunicorn
            }
        }
    }

    fn django(&self, program: &str, arguments: &[&str]) -> Command {
        let mut django = self.in_work(&self.programs.join(program), arguments);
        django.env("PYTHONPATH", &self.folder).env("PYTHONDONTWRITEBYTECODE", "1");
        django.env("DJANGO_SETTINGS_MODULE", "settings").env("SECRET_KEY", SECRET);
        match &self.postgres {
            Some(postgres) => {
                let port = postgres.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
                django.env("ENGINE", "postgres").env("PGHOST", "127.0.0.1").env("PGPORT", port);
                django.env("PGDATABASE", "postgres").env("PGUSER", "postgres");
            }
            None => {
                django.env("ENGINE", "sqlite").env("DATABASE_FILE", self.work.join("django.sqlite3"));
            }
        }
        django
    }

    fn pocketbase(&self, arguments: &[&str]) -> Command {
        let mut pocketbase = self.in_work(&self.programs.join("pocketbase"), arguments);
        let (data, none) = (path(&self.work.join("data")), path(&self.work.join("none")));
        pocketbase.args(["--dir", &data, "--hooksDir", &none, "--publicDir", &none, "--automigrate=false"]);
        pocketbase.arg("--migrationsDir").arg(self.folder.join("pb_migrations"));
        pocketbase
    }

    fn node(&self, script: &str, port: u16) -> Command {
        let mut node = self.in_work(Path::new("node"), &[]);
        node.arg(self.folder.join(script)).env("NODE_ENV", "production").env("WORKERS", "2").env("SECRET", SECRET);
        node.env("DATABASE_URL", self.postgres.as_deref().unwrap_or_default());
        node.env("PORT", port.to_string()).env("BASE_URL", format!("http://127.0.0.1:{port}"));
        node
    }

    fn in_work(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = command(program, []);
        command.args(arguments).current_dir(&self.work);
        command
    }
}

fn folder(peer: &Peer) -> PathBuf {
    root().join("bench/peers").join(peer.target)
}

/// The name of its Python environment.
fn kept_as(peer: &Peer) -> String {
    format!("bench-{}", peer.target)
}
