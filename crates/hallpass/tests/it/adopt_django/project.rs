//! A Django project (`tests/django`) on a database of its own, driven by Django's commands, and Hallpass beside it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use hallpass_core::{Db, testing::TestDb};
use serde_json::Value;

use crate::program::{Ended, Home, Server, finish};

const SECRET_KEY: &str = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz-of-a-test";

/// Django starts, migrates or hashes some passwords within this time on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Project {
    python: OsString,
    home: Home,
    database: String,
    user_model: String,
    /// What stands behind the database's address for Hallpass alone.
    parameters: String,
}

impl Project {
    /// Empties the database and lets Django make its tables. There is none without a Python that has Django.
    pub(super) async fn new(db: &TestDb, user_model: &str) -> Option<Self> {
        let Some(python) = std::env::var_os("HALLPASS_TEST_PYTHON") else {
            println!("skipped: HALLPASS_TEST_PYTHON is not set; `cargo xtask test` sets it");
            return None;
        };
        let tried = Command::new(&python).args(["-c", "import dj_rest_auth, allauth, psycopg"]).output().unwrap();
        if !tried.status.success() {
            println!("skipped: HALLPASS_TEST_PYTHON has not what the Django project needs: {tried:?}");
            return None;
        }
        empty(db).await;
        let home = Home::new();
        home.write("secret_key", SECRET_KEY);
        home.write("hallpass.toml", &settings(user_model == "people.EmailUser"));
        let (database, user_model) = (db.url.clone(), user_model.to_owned());
        let project = Self { python, home, database, user_model, parameters: String::new() };
        project.manage(&["migrate", "-v", "0"]);
        Some(project)
    }

    /// Runs Python in the project, with what `tests/django/project/tell.py` has, and returns what that said.
    pub(super) fn shell(&self, code: &str) -> Value {
        let printed = self.manage(&["shell", "-v", "0", "-c", &format!("from project.tell import *\n{code}")]);
        let said = printed.lines().last().unwrap_or("null");
        serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The whole database: the schema, and the rows of all tables.
    pub(super) fn dump(&self) -> Value {
        self.shell("say(database())")
    }

    fn manage(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.python);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django"));
        command.arg("manage.py").args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("DATABASE", &self.database).env("USER_MODEL", &self.user_model);
        command.env("SECRET_KEY_FILE", self.home.file("secret_key"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = finish(command, "", PATIENCE);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// Runs a command of Hallpass on this database.
    pub(super) fn hallpass(&self, arguments: &[&str]) -> Ended {
        finish(self.command(arguments), "", PATIENCE)
    }

    /// Starts Hallpass on this database, with the dialects that its front ends speak.
    pub(super) fn serve(&self) -> Server {
        Server::start_with(self.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]))
    }

    /// Where Hallpass finds the database from now on.
    pub(super) fn at(mut self, parameters: &str) -> Self {
        self.parameters = parameters.to_owned();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command.env("HALLPASS_DATABASE", format!("{}{}", self.database, self.parameters));
        command
    }
}

/// The dialects that the front ends of the project speak.
fn settings(named_by_address: bool) -> String {
    let (accounts, fields) = if named_by_address {
        let fields = r#"login_methods = ["email"]
sign_up_fields = ["email*", "password1*", "password2*"]"#;
        ("username = \"off\"\nemail = \"required\"", fields)
    } else {
        ("", "")
    };
    format!(
        r#"
[accounts]
names = "django"
{accounts}

[passwords]
encoding = "django"

[[dialects]]
kind = "simplejwt"
path = "/api/"
signing_key_file = "secret_key"
user = "me/"

[[dialects]]
kind = "dj-rest-auth"
path = "/auth/"
secret_key_file = "secret_key"
{fields}
"#
    )
}

/// Takes everything out of a database, so that it is one that Hallpass was never in.
async fn empty(db: &TestDb) {
    match &db.db {
        Db::Postgres { pool, .. } => {
            sqlx::raw_sql("drop schema public cascade; create schema public").execute(pool).await.unwrap();
            db.db.close().await;
        }
        Db::Sqlite { .. } => {
            db.db.close().await;
            std::fs::remove_file(db.url.trim_start_matches("sqlite:")).unwrap();
        }
    }
}

/// What is different in the rows, as `table key: columns`; a row that is only in one of the two is `new` or `gone`.
pub(super) fn changes(before: &Value, after: &Value) -> BTreeSet<String> {
    let tables = |dump: &Value| dump["rows"].as_object().unwrap().clone();
    let (before, after) = (tables(before), tables(after));
    assert!(before.keys().eq(after.keys()), "the tables are others");
    let mut changes = BTreeSet::new();
    for (table, rows) in &before {
        let now = &after[table];
        for (key, row) in rows.as_object().unwrap() {
            match now.get(key) {
                None => drop(changes.insert(format!("{table} {key}: gone"))),
                Some(other) if other != row => {
                    let columns = row.as_object().unwrap().iter().filter(|(name, value)| &&other[*name] != value);
                    let names: Vec<&str> = columns.map(|(name, _)| name.as_str()).collect();
                    changes.insert(format!("{table} {key}: {}", names.join(", ")));
                }
                Some(_) => {}
            }
        }
        let fresh = now.as_object().unwrap().keys().filter(|key| rows.get(*key).is_none());
        changes.extend(fresh.map(|key| format!("{table} {key}: new")));
    }
    changes
}
