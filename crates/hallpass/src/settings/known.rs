//! Which settings there are, read off their types: name, kind, default, environment variable and description.
//!
//! Never lists a setting by hand: a field with its comment is a setting with its documentation.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Settings;

/// The start of every environment variable that is a setting.
pub(crate) const PREFIX: &str = "HALLPASS_";

/// What values a setting takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Switch,
    /// A list of texts; comma separated in the environment.
    List,
    /// One of these words.
    Choice(Vec<String>),
    /// Sections in a list, in the file only.
    Sections,
    /// A section whose names are free, each with a value of this kind.
    Names(Box<Kind>),
}

impl Kind {
    /// The kind in words, to be read after "must be".
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Whole => "a whole number".into(),
            Self::Switch => "`true` or `false`".into(),
            Self::List => "a list of texts".into(),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Sections => "a list of sections in the file".into(),
            Self::Names(kind) => format!("a section of names, each {}", kind.words()),
        }
    }
}

/// One setting.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The sections that lead to it and its own name, outermost first.
    pub(crate) path: Vec<String>,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// What it is when nobody says anything.
    pub(crate) default: Value,
    /// What it does, in words.
    pub(crate) description: String,
}

impl Key {
    /// The name in the file, with dots between levels.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// The name in the environment.
    pub(crate) fn variable(&self) -> String {
        let variable = format!("{PREFIX}{}", self.path.join("__").to_uppercase());
        if matches!(self.kind, Kind::Names(_)) { variable + "__NAME" } else { variable }
    }

    /// Whether `path` names this setting, or a name in this section of free names.
    pub(crate) fn covers(&self, path: &[String]) -> bool {
        match self.kind {
            Kind::Names(_) => path.len() == self.path.len() + 1 && path.starts_with(&self.path),
            _ => self.path == path,
        }
    }

    /// The kind of one value: of the names inside, where this is a section of free names.
    pub(crate) fn value_kind(&self) -> &Kind {
        match &self.kind {
            Kind::Names(kind) => kind,
            kind => kind,
        }
    }
}

/// Every setting, by name; what is in no section comes first.
pub(crate) fn keys() -> Vec<Key> {
    let schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Settings>();
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut keys = Vec::new();
    collect(schema.as_value(), &defaults, &mut Vec::new(), &mut keys);
    keys
}

fn collect(schema: &Value, default: &Value, path: &mut Vec<String>, keys: &mut Vec<Key>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in in_order(properties) {
            path.push(name.clone());
            collect(property, default.get(name).unwrap_or(&Value::Null), path, keys);
            path.pop();
        }
        return;
    }
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    keys.push(Key {
        path: path.clone(),
        kind: kind(schema),
        default: default.clone(),
        description: description.split_whitespace().collect::<Vec<_>>().join(" "),
    });
}

/// Single settings before sections, as TOML wants them.
fn in_order(properties: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let is_section = |schema: &Value| schema.get("type").is_some_and(|of| of == "object");
    let (sections, singles): (Vec<_>, Vec<_>) = properties.iter().partition(|(_, schema)| is_section(schema));
    singles.into_iter().chain(sections)
}

fn kind(schema: &Value) -> Kind {
    let words = |list: &Value, member: Option<&str>| -> Vec<String> {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .filter_map(|entry| member.map_or(Some(entry), |member| entry.get(member)))
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    if let Some(list) = schema.get("enum") {
        return Kind::Choice(words(list, None));
    }
    if let Some(list) = schema.get("oneOf") {
        return Kind::Choice(words(list, Some("const")));
    }
    if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
        return Kind::Names(Box::new(kind(inner)));
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Kind::Whole,
        Some("boolean") => Kind::Switch,
        Some("array") if schema.get("items").is_some_and(|items| items.get("type") != Some(&"string".into())) => {
            Kind::Sections
        }
        Some("array") => Kind::List,
        _ => Kind::Text,
    }
}
