//! What stands behind the `?` of the few addresses that take anything there.
//!
//! It is as strict as the rest: a parameter that is not known, not readable or there twice is refused, and none is ever
//! a credential. Names, numbers, words and ids have nothing that is percent-encoded (RFC 3986 section 2.1); what people
//! type is read as browsers write it (URL Standard, `application/x-www-form-urlencoded`).

use std::ops::RangeInclusive;

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

    /// A number of these if it is there, in its only spelling.
    pub(crate) fn number(
        &self,
        name: &str,
        detail: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Problem> {
        let number =
            |text: &str| text.parse().ok().filter(|number| range.contains(number) && number.to_string() == text);
        self.read(name, detail, number)
    }

    /// How many of a list are asked for: 1 to 100, and 50 if nothing is said.
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        let limit = self.number("limit", "`limit` is a number from 1 to 100", 1..=100)?;
        Ok(limit.and_then(|limit| limit.try_into().ok()).unwrap_or(50))
    }

    /// What somebody typed, if it is there: 1 to `most` characters, none of which is a control character.
    pub(crate) fn text(&self, name: &str, detail: &'static str, most: usize) -> Result<Option<String>, Problem> {
        let fits = |text: &String| (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        self.read(name, detail, |value| decoded(value).filter(fits))
    }
}

/// The text behind a value: `+` is a space, and each `%` stands before two digits of a byte of UTF-8.
fn decoded(value: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = value.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => u8::try_from(digit(bytes.next()?)? * 16 + digit(bytes.next()?)?).ok()?,
            plain => plain,
        });
    }
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_browsers_write_it() {
        for (written, meant) in [
            ("ada", "ada"),
            ("Ada+Lovelace", "Ada Lovelace"),
            ("a%2Bb%20c", "a+b c"),
            ("%C3%A9%c3%a9", "éé"),
            ("%26%3D%25+%23", "&=% #"),
            ("a=b", "a=b"),
            ("%2541", "%41"),
        ] {
            assert_eq!(decoded(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn a_text_that_could_be_read_differently_is_refused() {
        for written in ["%", "%4", "%zz", "%+1", "%-1", "a%", "%ff", "%C3", "%C3%28", "%ED%A0%80", "%u0041", "%%41"] {
            assert_eq!(decoded(written), None, "{written}");
        }
    }
}
