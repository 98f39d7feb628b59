//! What stands behind the `?` of the few addresses that take anything there.
//!
//! It is as strict as the rest: a parameter that is not known, not readable or there twice is refused, and none is ever
//! a credential. Values are numbers and ids, so nothing in them is percent-encoded (RFC 3986 section 2.1).

use axum::http::Uri;
use hallpass_core::Code;

use crate::error::Problem;

/// The parameters of an address, each taken by its name.
pub(crate) struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    /// Reads a query in which each of the `known` names stands once at most, and no other.
    pub(crate) fn of(uri: &'a Uri, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        for part in uri.query().filter(|query| !query.is_empty()).into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if !known.contains(&name) || parameters.iter().any(|(other, _)| *other == name) {
                let detail = "A parameter after `?` is unknown here, or is there twice: see `/openapi.json`";
                return Err(Problem::new(Code::InvalidRequest, detail));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter if it is there; `read` gives `None` for one that it cannot be, for which the failure
    /// says `detail`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        detail: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let value = self.0.iter().find(|(given, _)| *given == name);
        let read = value.map(|(_, value)| read(value).ok_or_else(|| Problem::new(Code::InvalidRequest, detail)));
        read.transpose()
    }
}
