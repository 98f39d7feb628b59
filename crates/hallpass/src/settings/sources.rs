//! Where settings come from: defaults, then the file, then the environment, then flags; the later wins.
//!
//! A name that nobody knows is an error and never passed over. No message repeats a value, which could be a secret.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
};

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Problems, Settings,
    known::{Key, Kind, PREFIX, keys},
};
use crate::cli::Flags;

/// The file that is read where `--config` names none.
const FILE: &str = "hallpass.toml";
/// Holds the master key itself; never a setting, so that no listing of settings can show it.
pub(crate) const MASTER_KEY_VARIABLE: &str = "HALLPASS_MASTER_KEY";
/// Variables that begin like settings and belong to the project's own tests.
const OF_TESTS: [&str; 2] = ["HALLPASS_TEST_", "HALLPASS_SHARED"];

/// Settings as they were found, by path, each with where it was found.
#[derive(Default)]
struct Found {
    values: BTreeMap<Vec<String>, (Value, String)>,
    problems: Vec<String>,
}

/// Reads every source.
///
/// # Errors
/// Each unknown name and each value of a wrong kind, all at once.
pub(crate) fn load(flags: &Flags, environment: &[(OsString, OsString)]) -> Result<Settings, Problems> {
    let keys = keys();
    let mut found = Found::default();
    match &flags.config {
        Some(path) => found.file(&keys, path),
        None if Path::new(FILE).exists() => found.file(&keys, Path::new(FILE)),
        None => {}
    }
    found.environment(&keys, environment);
    found.flags(flags);
    found.settings(&keys)
}

impl Found {
    fn file(&mut self, keys: &[Key], path: &Path) {
        let name = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problems.push(format!("the settings file `{name}` cannot be read: {error}")),
        };
        match text.parse::<Table>() {
            Ok(table) => self.table(keys, &table, &mut Vec::new(), &format!("`{name}`")),
            Err(error) => {
                // The parser's own display repeats the line, and a line may hold a password.
                let line = error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.lines().count().max(1));
                self.problems
                    .push(format!("`{name}` is not TOML at line {line}: {}", error.message().replace('\n', ", ")));
            }
        }
    }

    fn table(&mut self, keys: &[Key], table: &Table, path: &mut Vec<String>, origin: &str) {
        for (name, value) in table {
            path.push(name.clone());
            if keys.iter().any(|key| key.covers(path)) {
                self.values.insert(path.clone(), (value.clone(), origin.to_owned()));
            } else if keys.iter().any(|key| is_section(key, path)) {
                match value.as_table() {
                    Some(section) => self.table(keys, section, path, origin),
                    None => {
                        self.problems.push(format!("`{0}` in {origin} is a section: write `[{0}]`", path.join(".")))
                    }
                }
            } else {
                let known = keys.iter().map(Key::name);
                self.problems.push(unknown("setting", &path.join("."), known, &format!(" in {origin}")));
            }
            path.pop();
        }
    }

    fn environment(&mut self, keys: &[Key], environment: &[(OsString, OsString)]) {
        for (name, value) in environment {
            let Some((name, rest)) = name.to_str().and_then(|name| Some((name, name.strip_prefix(PREFIX)?))) else {
                continue;
            };
            let of_tests = OF_TESTS.iter().any(|test| name.starts_with(test));
            if name == MASTER_KEY_VARIABLE || of_tests || is_of_kubernetes(rest, value) {
                continue;
            }
            let path: Vec<_> = rest.to_lowercase().split("__").map(str::to_owned).collect();
            let upper_case = name.to_uppercase() == *name;
            let Some(key) = keys.iter().find(|key| upper_case && key.covers(&path)) else {
                let known = keys.iter().map(Key::variable);
                self.problems.push(unknown("environment variable", name, known, ""));
                continue;
            };
            match value.to_str().and_then(|text| parse(key.value_kind(), text)) {
                Some(value) => {
                    self.values.insert(path, (value, format!("environment variable `{name}`")));
                }
                None => {
                    self.problems.push(format!("environment variable `{name}` must be {}", key.value_kind().words()))
                }
            }
        }
    }

    fn flags(&mut self, flags: &Flags) {
        let mut set = |name: &str, value: Value| {
            let flag = format!("flag `--{}`", name.replace('_', "-"));
            self.values.insert(vec![name.to_owned()], (value, flag));
        };
        if flags.dev {
            set("dev", Value::Boolean(true));
        }
        if flags.dev_tls {
            set("dev_tls", Value::Boolean(true));
        }
        if let Some(listen) = flags.listen {
            set("listen", Value::String(listen.to_string()));
        }
        if let Some(database) = &flags.database {
            set("database", Value::String(database.clone()));
        }
        if let Some(folder) = &flags.data_dir {
            set("data_dir", Value::String(folder.clone()));
        }
        if let Some(domain) = &flags.domain {
            let value = (Value::String(domain.clone()), "flag `--domain`".to_owned());
            self.values.insert(vec!["dev_domain".to_owned()], value);
        }
    }

    fn settings(mut self, keys: &[Key]) -> Result<Settings, Problems> {
        let mut all = Table::new();
        for (path, (value, origin)) in &self.values {
            // Each setting is tried alone first, so that every one that does not fit is named, and named by its path.
            let mut alone = Table::new();
            insert(&mut alone, path, value);
            if let Err(error) = Settings::deserialize(Value::Table(alone)) {
                let of_sections = keys.iter().any(|key| key.kind == Kind::Sections && key.covers(path));
                self.problems.push(match value {
                    // No secret stands in such a section, only names of files.
                    Value::Array(_) if of_sections => {
                        format!("`{}` in {origin}: {}", path.join("."), error.message().replace('\n', ", "))
                    }
                    _ => does_not_fit(keys, path, value, origin),
                });
            }
            insert(&mut all, path, value);
        }
        if !self.problems.is_empty() {
            return Err(Problems(self.problems));
        }
        let mut settings =
            Settings::deserialize(Value::Table(all)).map_err(|error| Problems(vec![error.message().to_owned()]))?;
        settings.dev |= settings.dev_tls;
        Ok(settings)
    }
}

/// Whether Kubernetes set `HALLPASS_{name}`: it does for every container beside a Service that is called `hallpass`.
fn is_of_kubernetes(name: &str, value: &OsStr) -> bool {
    let address = || value.to_str().is_some_and(|value| value.contains("://"));
    name.starts_with("SERVICE_") || name.starts_with("PORT_") || (name == "PORT" && address())
}

/// Whether `path` leads to `key` and is not yet it.
fn is_section(key: &Key, path: &[String]) -> bool {
    let free_names = matches!(key.kind, Kind::Names(_)) && key.path == path;
    free_names || (key.path.len() > path.len() && key.path.starts_with(path))
}

fn insert(table: &mut Table, path: &[String], value: &Value) {
    match path {
        [] => {}
        [name] => {
            table.insert(name.clone(), value.clone());
        }
        [section, rest @ ..] => {
            let section = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                insert(section, rest, value);
            }
        }
    }
}

/// A value from the environment; `None` if it is not of this kind.
fn parse(kind: &Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Whole => Value::Integer(text.trim().parse().ok()?),
        Kind::Switch => Value::Boolean(text.trim().parse().ok()?),
        Kind::List => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect())
        }
        Kind::Sections => return None,
        Kind::Text | Kind::Choice(_) | Kind::Names(_) => Value::String(text.to_owned()),
    })
}

fn does_not_fit(keys: &[Key], path: &[String], value: &Value, origin: &str) -> String {
    let name = path.join(".");
    let Some(key) = keys.iter().find(|key| key.covers(path)) else {
        return format!("`{name}` in {origin} does not fit");
    };
    match (key.value_kind(), value) {
        (Kind::Text, Value::String(_)) => {
            let example = key.default.as_str().map(|text| format!("; write it like `{text}`")).unwrap_or_default();
            format!("`{name}` in {origin} cannot be understood{example} ({})", key.description)
        }
        (Kind::List, Value::Array(_)) => {
            format!("`{name}` in {origin} has an entry that cannot be understood ({})", key.description)
        }
        (kind, Value::Integer(_)) if *kind == Kind::Whole => {
            format!("`{name}` in {origin} is out of range ({})", key.description)
        }
        (kind, _) => format!("`{name}` in {origin} must be {}", kind.words()),
    }
}

fn unknown(what: &str, name: &str, known: impl Iterator<Item = String>, place: &str) -> String {
    let likeness = |known: &String| strsim::normalized_damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
    let nearest = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default();
    format!("unknown {what} `{name}`{place}; the nearest known one is `{nearest}`, `hallpass config show` lists all")
}
