//! [`CurrentUser`], an argument of axum handlers that lets a request in only with a good token. It reads the
//! `Authorization` header and nothing else: no cookie, no query, no body, and no database.
//!
//! ```
//! use axum::{Router, extract::FromRef, routing::get};
//! use hallpass_token::{Clock, CurrentUser, Gate, KeySet, Rejection, Verifier};
//!
//! async fn orders(user: CurrentUser) -> String {
//!     format!("orders of account {}", user.sub)
//! }
//!
//! async fn refund(user: CurrentUser) -> Result<&'static str, Rejection> {
//!     user.require_role("support")?;
//!     Ok("done")
//! }
//!
//! let verifier = Verifier::new("https://id.example", "https://api.example", 5, KeySet::default());
//! let gate = Gate::new(verifier, Clock::system());
//! let app: Router = Router::new().route("/orders", get(orders)).route("/refund", get(refund)).with_state(gate);
//! ```
//!
//! With the feature `remote` a [`Remote`] makes a [`Gate`] too, and can itself be the state.

use std::{fmt, ops::Deref, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{Claims, Clock, Reason, TokenError, Verifier};
#[cfg(feature = "remote")]
use crate::{Remote, RemoteError};

/// What [`CurrentUser`] needs; a part of the application's state (`FromRef`), or all of it.
#[derive(Debug, Clone)]
pub struct Gate(Keeper);

#[derive(Debug, Clone)]
enum Keeper {
    /// Whatever is taken back is applied here.
    Here { verifier: Verifier, clock: Clock, known: Known },
    /// A server elsewhere is followed.
    #[cfg(feature = "remote")]
    Remote(Remote),
}

/// Whether what was taken back is known at a time.
#[derive(Clone)]
struct Known(Arc<dyn Fn(i64) -> bool + Send + Sync>);

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl Gate {
    /// A gate where tokens are good that `verifier` says are good at the time of `clock`.
    pub fn new(verifier: Verifier, clock: Clock) -> Self {
        Self::knowing(verifier, clock, |_| true)
    }

    /// The same, for whoever applies what is taken back and may fall behind: `known` says whether all of it is known at a
    /// time (seconds since 1970, UTC). A good token is answered with [`Rejection::RevocationUnknown`] if not.
    pub fn knowing(verifier: Verifier, clock: Clock, known: impl Fn(i64) -> bool + Send + Sync + 'static) -> Self {
        Self(Keeper::Here { verifier, clock, known: Known(Arc::new(known)) })
    }

    pub(crate) async fn let_in(&self, token: &str) -> Result<Arc<Claims>, Rejection> {
        match &self.0 {
            Keeper::Here { verifier, clock, known } => {
                let now = clock.now();
                // First, so that what is heard in the middle cannot vouch for a set that was looked at before.
                let known = (known.0)(now);
                let claims = verifier.verify(token, now)?;
                if known { Ok(claims) } else { Err(Rejection::RevocationUnknown) }
            }
            #[cfg(feature = "remote")]
            Keeper::Remote(remote) => Ok(remote.authenticate(token).await?),
        }
    }
}

#[cfg(feature = "remote")]
impl From<Remote> for Gate {
    fn from(remote: Remote) -> Self {
        Self(Keeper::Remote(remote))
    }
}

#[cfg(feature = "remote")]
impl FromRef<Remote> for Gate {
    fn from_ref(remote: &Remote) -> Self {
        remote.clone().into()
    }
}

/// Who sent the request: the claims of a token that is good at this moment.
///
/// As an argument it refuses requests without a token; as an `Option` it is `None` for those, and still refuses a token
/// that is not good.
#[derive(Debug, Clone)]
pub struct CurrentUser(pub Arc<Claims>);

impl CurrentUser {
    /// Goes on if the account has this role.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`], which answers 403.
    pub fn require_role(&self, role: &str) -> Result<(), Rejection> {
        if self.has_role(role) { Ok(()) } else { Err(Rejection::Forbidden) }
    }
}

impl Deref for CurrentUser {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser
where
    Gate: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let token = bearer(&parts.headers)?;
        Ok(Self(Gate::from_ref(state).let_in(token).await?))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser
where
    Gate: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(user) => Ok(Some(user)),
            Err(Rejection::Token(TokenError::Missing)) => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// The token of a request: exactly one `Authorization` header, the scheme `Bearer` in any letter case, exactly one
/// space, and one token68 (RFC 6750 section 2.1, RFC 9110 section 11.4).
///
/// # Errors
/// [`TokenError::Missing`] without the header, else [`TokenError::Invalid`] with [`Reason::Authorization`].
pub fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    const MALFORMED: TokenError = TokenError::Invalid(Reason::Authorization);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    if values.next().is_some() {
        return Err(MALFORMED);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(MALFORMED)?;
    if scheme.eq_ignore_ascii_case("Bearer") && is_token68(token) { Ok(token) } else { Err(MALFORMED) }
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_one =
        |byte: u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    // Without an early end many bytes are looked at at once.
    !body.is_empty() && body.bytes().fold(true, |good, byte| good & is_one(byte))
}

/// Why a request is not let in. As a response it is RFC 9457 `application/problem+json` with a stable `code`, and the
/// challenge of RFC 6750 section 3.
///
/// What exactly is wrong with a token stays with the server: all tokens that are not valid get the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// 401: there is no good token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// 403: the account may not do this.
    #[error("the account may not do this")]
    Forbidden,
    /// 503: whether the token was taken back is not known at the moment; nobody is signed out.
    #[error("whether the token was taken back is not known at the moment")]
    RevocationUnknown,
}

#[cfg(feature = "remote")]
impl From<RemoteError> for Rejection {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Token(error) => Self::Token(error),
            RemoteError::RevocationUnknown => Self::RevocationUnknown,
        }
    }
}

impl Rejection {
    /// 401, 403 or 503.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::RevocationUnknown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Forbidden => "forbidden",
            Self::RevocationUnknown => "revocation_unknown",
        }
    }

    /// The summary, the same for every occurrence, and what to do next.
    fn title_and_detail(&self) -> (&'static str, &'static str) {
        match self {
            Self::Token(TokenError::Missing) => ("Sign in first", "Send an access token as `Authorization: Bearer`"),
            Self::Token(TokenError::Invalid(_)) => ("The access token is not valid", "Sign in again"),
            Self::Token(TokenError::Expired) => ("The access token has expired", "Refresh and try again"),
            Self::Token(TokenError::Stale) => ("The access token is out of date", "Refresh and try again"),
            Self::Token(TokenError::Ended) => ("The session has ended", "Sign in again"),
            Self::Forbidden => ("Not allowed", "The account may not do this"),
            Self::RevocationUnknown => ("The access token cannot be checked now", "Try again in a second"),
        }
    }

    /// The header that says what to do next: a challenge, in which there is no `error` without a token (RFC 6750 section
    /// 3.1), or in how many seconds to try again.
    fn header(&self) -> (HeaderName, HeaderValue) {
        let challenge = match self {
            Self::RevocationUnknown => return (RETRY_AFTER, HeaderValue::from_static("1")),
            Self::Token(TokenError::Missing) => "Bearer",
            Self::Token(TokenError::Invalid(_)) => {
                r#"Bearer error="invalid_token", error_description="The access token is not valid""#
            }
            Self::Token(TokenError::Expired) => {
                r#"Bearer error="invalid_token", error_description="The access token has expired""#
            }
            Self::Token(TokenError::Stale) => {
                r#"Bearer error="invalid_token", error_description="The access token is out of date""#
            }
            Self::Token(TokenError::Ended) => {
                r#"Bearer error="invalid_token", error_description="The session has ended""#
            }
            Self::Forbidden => r#"Bearer error="insufficient_scope", error_description="The account may not do this""#,
        };
        (WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = self.status();
        let (title, detail) = self.title_and_detail();
        let body = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail, "code": self.code(),
        });
        let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json")), self.header()];
        (status, headers, body.to_string()).into_response()
    }
}
