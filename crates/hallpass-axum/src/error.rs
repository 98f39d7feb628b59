//! Failures on the wire: a status and an `application/problem+json` document (RFC 9457) for each code of the core.
//!
//! A document never holds what only the operator may know: faults of ours are logged once, where the request id is put
//! in.

use std::{error::Error as StdError, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hallpass_core::{Code, Error};
use hallpass_token::TokenError;
use serde::Serialize;
use utoipa::ToSchema;

/// A failure that a handler can return; it turns into a status and a document by itself.
#[derive(Debug, Clone)]
pub struct Problem {
    error: Arc<Error>,
    status: StatusCode,
}

impl Problem {
    /// A failure with its code and a sentence that says what to do.
    pub(crate) fn new(code: Code, detail: &'static str) -> Self {
        Error::new(code, detail).into()
    }

    /// The same failure under another status than its code's own, where HTTP has a more exact one.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.error.code
    }

    /// The answer with the request id in it; a fault of ours goes to the log, with all that led to it.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Response {
        let error = &*self.error;
        let document = Document {
            kind: "about:blank",
            title: error.code.title(),
            status: self.status.as_u16(),
            detail: &error.detail,
            code: error.code.as_str(),
            errors: error
                .fields
                .iter()
                .map(|field| Field { field: &field.field, code: field.code, detail: &field.detail })
                .collect(),
            cause: error.cause.map(|cause| cause.as_str()),
            retry_after: error.retry_after,
            request_id,
        };
        // Strings and numbers always serialise; were that ever to change, the status still says what happened.
        let mut response = Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = error.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(error.code));
        }
        response
    }

    /// Writes a fault of ours, or of the database, to the log with its sources.
    pub(crate) fn log(&self) {
        if !matches!(self.code(), Code::Internal | Code::Unavailable) {
            return;
        }
        let mut sources = Vec::new();
        let mut source = self.error.source();
        while let Some(error) = source {
            sources.push(error.to_string());
            source = error.source();
        }
        tracing::error!(code = self.code().as_str(), detail = %self.error.detail, source = sources.join(": "));
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = status(error.code);
        Self { error: Arc::new(error), status }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Missing => Self::new(Code::TokenMissing, "Send `Authorization: Bearer` and an access token"),
            TokenError::Invalid(_) => Self::new(Code::TokenInvalid, "The access token was not made for this server"),
            TokenError::Expired => Self::new(Code::TokenExpired, "Refresh, and repeat the request with the new token"),
            TokenError::Stale => {
                Self::new(Code::TokenStale, "The account has changed: refresh, and repeat the request")
            }
            TokenError::Ended => Self::new(Code::SessionEnded, "This session is over: sign in again"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts the request id into a failure on its way out and logs it if it is a fault of ours; leaves any other answer
/// alone.
pub(crate) fn complete(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    problem.log();
    let rendered = problem.render(Some(request_id));
    // Headers that a layer has added meanwhile, such as `Allow`, stay.
    *response.body_mut() = rendered.into_body();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// The status of each code: the only place where a code meets HTTP.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidRequest | Code::ValidationFailed | Code::LinkInvalid => StatusCode::BAD_REQUEST,
        Code::InvalidCredentials
        | Code::ClientInvalid
        | Code::TokenMissing
        | Code::TokenInvalid
        | Code::TokenExpired
        | Code::TokenStale
        | Code::SessionEnded
        | Code::RefreshMissing
        | Code::RefreshInvalid => StatusCode::UNAUTHORIZED,
        Code::PasswordIncorrect
        | Code::EmailNotVerified
        | Code::SignUpClosed
        | Code::MailOff
        | Code::SignInLinksOff
        | Code::OriginNotAllowed
        | Code::CsrfFailed
        | Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::UsernameTaken | Code::EmailTaken | Code::LastSuperuser => StatusCode::CONFLICT,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Busy | Code::Unavailable | Code::RevocationUnknown | Code::DeadlineExceeded => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// What a 401 asks for (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 7617 section 2.1); a request without a token gets no `error`.
fn challenge(code: Code) -> HeaderValue {
    HeaderValue::from_static(match code {
        Code::TokenInvalid => r#"Bearer error="invalid_token", error_description="The access token is not valid""#,
        Code::TokenExpired => r#"Bearer error="invalid_token", error_description="The access token has expired""#,
        Code::TokenStale => r#"Bearer error="invalid_token", error_description="The access token is out of date""#,
        Code::ClientInvalid => r#"Basic realm="hallpass", charset="UTF-8""#,
        Code::SessionEnded => r#"Bearer error="invalid_token", error_description="The session has ended""#,
        _ => "Bearer",
    })
}

/// What went wrong (RFC 9457): programs go by `code`, people read `detail`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// Always `about:blank`: the kind of failure is in `code`.
    #[serde(rename = "type")]
    kind: &'a str,
    /// A short summary that is the same for every occurrence of the code.
    title: &'a str,
    /// The HTTP status again.
    status: u16,
    /// What to do next, for a person.
    detail: &'a str,
    /// The stable name of this kind of failure.
    code: &'a str,
    /// Each value that is not allowed, if the code is `validation_failed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Field<'a>>,
    /// Why the session is over, if that is known and the code is `session_ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cause: Option<&'a str>,
    /// Seconds after which to try again, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
    /// Finds everything that belongs to this request in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<&'a str>,
}

/// One value that is not allowed.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemField)]
pub(crate) struct Field<'a> {
    /// The member of the request; one of `profile` as `profile.NAME`.
    field: &'a str,
    /// The stable name of what is wrong with it.
    code: &'a str,
    /// What to do about it, for a person.
    detail: &'a str,
}
