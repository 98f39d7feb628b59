//! Reading the forms that two standards ask for (RFC 7662 section 2.1, RFC 7009 section 2.1): each parameter once, and
//! the text that was meant.
//!
//! Parameters that an operation does not know have no effect, and one without a value counts as one that is not there
//! (RFC 6749 section 3.2).

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use hallpass_core::{Code, Error, Result};
use url::form_urlencoded;

use crate::{error::Problem, json};

/// The parameters of a form, none of them twice.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// # Errors
    /// [`Code::InvalidRequest`] for what two readers could read differently.
    fn read(body: &[u8]) -> Result<Self> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        // A plain form is ASCII; the parser puts a replacement character where what is encoded is not UTF-8.
        let mut fine = body.is_ascii();
        for (name, value) in form_urlencoded::parse(body).into_owned() {
            fine &= ![&name, &value].iter().any(|text| text.contains(char::REPLACEMENT_CHARACTER));
            fine &= parameters.iter().all(|(other, _)| *other != name);
            parameters.push((name, value));
        }
        let detail = "The form has a parameter twice, or is not ASCII with percent-encoded UTF-8";
        if fine { Ok(Self(parameters)) } else { Err(Error::new(Code::InvalidRequest, detail)) }
    }

    /// Takes a parameter that must be there.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`].
    pub(crate) fn needed(self, name: &str) -> Result<String> {
        let value = self.0.into_iter().find(|(given, value)| given == name && !value.is_empty());
        let missing = || Error::new(Code::InvalidRequest, format!("The parameter `{name}` is missing"));
        value.map(|(_, value)| value).ok_or_else(missing)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !json::is_of_type(request.headers(), "application/x-www-form-urlencoded") {
            let detail = "Send the body with `Content-Type: application/x-www-form-urlencoded`, uncompressed";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let body: Bytes = json::body(request, state).await?;
        Ok(Self::read(&body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &[u8]) -> Result<String, Code> {
        Form::read(body).and_then(|form| form.needed("token")).map_err(|error| error.code)
    }

    #[test]
    fn a_parameter_is_read_as_it_was_meant() {
        for (body, meant) in [
            ("token=abc", "abc"),
            ("token_type_hint=refresh_token&token=abc", "abc"),
            ("x&token=a%2Bb+c&y=", "a+b c"),
            ("tok%65n=%C3%A9", "é"),
            ("token=a=b", "a=b"),
            ("token=%zz", "%zz"),
        ] {
            assert_eq!(token(body.as_bytes()).unwrap(), meant, "{body}");
        }
    }

    #[test]
    fn what_is_missing_or_could_be_read_differently_is_refused() {
        let bodies: [&[u8]; 9] = [
            b"",
            b"token",
            b"token=",
            b"Token=abc",
            b"token=a&token=a",
            b"token=a&tok%65n=b",
            b"token=a&x=1&x=2",
            b"token=%ff",
            "token=é".as_bytes(),
        ];
        for body in bodies {
            assert_eq!(token(body), Err(Code::InvalidRequest), "{}", String::from_utf8_lossy(body));
        }
    }
}
