//! The members of a JSON object, taken one by one with the type that each must have.
//!
//! It never converts: `"1"` is no number, `1` is no text, and `null` is a value of no type that we ask for.

use hallpass_core::{Error, FieldError, sessions::Remember};
use secrecy::SecretString;
use serde_json::{Map, Value};

/// The members of a body, and what was found wrong with them so far.
pub(crate) struct Members {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Members {
    pub(super) fn new(object: Map<String, Value>) -> Self {
        Self { object, errors: Vec::new() }
    }

    /// Ends the reading; each member that was missing or of another type makes it fail.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::validation(self.errors)) }
    }

    /// A text that may be absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.object.remove(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong_type(name, "a string"),
        }
    }

    /// A text that must be there.
    pub(crate) fn needed(&mut self, name: &'static str) -> String {
        if !self.object.contains_key(name) {
            self.errors.push(FieldError::new(name, "required", format!("`{name}` is missing")));
        }
        self.text(name).unwrap_or_default()
    }

    /// A secret that must be there.
    pub(crate) fn secret(&mut self, name: &'static str) -> SecretString {
        self.needed(name).into()
    }

    /// `true` or `false`, or absent.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.object.remove(name)? {
            Value::Bool(flag) => Some(flag),
            _ => self.wrong_type(name, "`true` or `false`"),
        }
    }

    /// An object that may be absent.
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.object.remove(name)? {
            Value::Object(object) => Some(object),
            _ => self.wrong_type(name, "an object"),
        }
    }

    /// A list of texts that may be absent.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let Value::Array(items) = self.object.remove(name)? else { return self.wrong_type(name, "a list of strings") };
        let text = |item| if let Value::String(text) = item { Some(text) } else { None };
        match items.into_iter().map(text).collect() {
            Some(texts) => Some(texts),
            None => self.wrong_type(name, "a list of strings"),
        }
    }

    /// Whether to stay signed in when the browser is closed: not unless it is said.
    pub(crate) fn remember(&mut self) -> Remember {
        if self.flag("remember") == Some(true) { Remember::Yes } else { Remember::No }
    }

    /// Notes it if neither of two members is there.
    pub(crate) fn one_of(&mut self, first: &'static str, second: &'static str) {
        if !self.object.contains_key(first) && !self.object.contains_key(second) {
            self.errors.push(FieldError::new(first, "required", format!("One of `{first}` and `{second}` is needed")));
        }
    }

    fn wrong_type<T>(&mut self, name: &'static str, wanted: &str) -> Option<T> {
        self.errors.push(FieldError::new(name, "wrong_type", format!("`{name}` must be {wanted}")));
        None
    }
}
