//! What can go wrong, as a stable [`Code`] with a sentence for the person who reads it.
//!
//! An error never carries SQL, paths or secrets to the outside: what only the operator may see is
//! the `source`, which is logged once at the edge.

use std::{borrow::Cow, error::Error as StdError, fmt};

/// Declares the codes once: variant, wire name, the title that goes with it.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $title:literal;)+) => {
        /// A stable name for a kind of failure; once published, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the error table.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The name on the wire, in `snake_case`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// A short summary that is the same for every occurrence (RFC 9457 section 3.1.3).
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)+ }
            }

            /// When it occurs, as a sentence: the text of the error table.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The request cannot be read: malformed JSON, a duplicate or unknown member, a parameter where none belongs.
    InvalidRequest => "invalid_request", "The request cannot be read";
    /// One or more members have values that are not allowed; `errors` lists each with its own code.
    ValidationFailed => "validation_failed", "Some values are not allowed";
    /// There is nothing at this address, or nothing that the caller may see.
    NotFound => "not_found", "Not found";
    /// The address exists and does not take this method; `Allow` lists those that it takes.
    MethodNotAllowed => "method_not_allowed", "Method not allowed";
    /// The body is larger than the limit.
    PayloadTooLarge => "payload_too_large", "The body is too large";
    /// The body is of another type than the operation takes: `application/json` nearly everywhere.
    UnsupportedMediaType => "unsupported_media_type", "The body is of another type";
    /// The user name belongs to another account.
    UsernameTaken => "username_taken", "This user name is taken";
    /// The e-mail address belongs to another account.
    EmailTaken => "email_taken", "This e-mail address is taken";
    /// Creating accounts over the network is switched off by `accounts.sign_up`.
    SignUpClosed => "sign_up_closed", "Sign-up is closed";
    /// The name and the password do not belong together, or the account may not sign in.
    InvalidCredentials => "invalid_credentials", "The name or the password is wrong";
    /// The password is right, and the account's address has not been verified yet: follow the link in the mail.
    EmailNotVerified => "email_not_verified", "The e-mail address is not verified";
    /// What was mailed to sign in, verify, reset or change has been used, is too old, or was replaced by a newer one.
    LinkInvalid => "link_invalid", "The link or code is not valid any more";
    /// The server sends no mail, which this needs; the operator sets `mail.transport`.
    MailOff => "mail_off", "This server sends no mail";
    /// Signing in by mail is switched off by `accounts.sign_in_links`.
    SignInLinksOff => "sign_in_links_off", "Signing in by mail is switched off";
    /// The current password given for a sensitive change is wrong.
    PasswordIncorrect => "password_incorrect", "The current password is wrong";
    /// The client id and secret of a program that asks about tokens are missing or wrong.
    ClientInvalid => "client_invalid", "The client is not known";
    /// The request needs an access token and has none.
    TokenMissing => "token_missing", "Sign in first";
    /// The access token is malformed, forged, or for somebody else.
    TokenInvalid => "token_invalid", "The access token is not valid";
    /// The access token was good and is over: refresh.
    TokenExpired => "token_expired", "The access token has expired";
    /// The access token is older than the account's roles or status: refresh.
    TokenStale => "token_stale", "The access token is out of date";
    /// The session behind the token is over; `cause` says why. Sign in again.
    SessionEnded => "session_ended", "The session has ended";
    /// The request has no refresh secret, neither in the cookie nor in the body.
    RefreshMissing => "refresh_missing", "No refresh secret was sent";
    /// The refresh secret is not one of ours.
    RefreshInvalid => "refresh_invalid", "The refresh secret is not valid";
    /// A cookie request came from an origin that is not listed in `frontend_origins`.
    OriginNotAllowed => "origin_not_allowed", "This origin is not allowed";
    /// A cookie request from a browser that names no origin lacks the CSRF token that belongs to its session.
    CsrfFailed => "csrf_failed", "The CSRF token is missing or wrong";
    /// The account is signed in and may not do this.
    Forbidden => "forbidden", "Not allowed";
    /// Nobody could administer this server any more: make somebody else a superuser first.
    LastSuperuser => "last_superuser", "This is the last superuser";
    /// Too many attempts from here; try again after `Retry-After` seconds.
    RateLimited => "rate_limited", "Too many attempts";
    /// More passwords are waiting to be checked than the server can take; try again after `Retry-After` seconds.
    Busy => "busy", "The server is busy";
    /// The database cannot be reached or cannot write; nothing was changed.
    Unavailable => "unavailable", "The service is not available";
    /// This server has not read for longer than `revocation.max_staleness` what was taken back; nobody is signed out, try again in a second.
    RevocationUnknown => "revocation_unknown", "The access token cannot be checked now";
    /// The request took longer than the deadline.
    DeadlineExceeded => "deadline_exceeded", "The request took too long";
    /// A fault of ours; the log has it under the request id.
    Internal => "internal", "Internal error";
}

/// One member of the input that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The member's name on the wire; one of `profile` as `profile.NAME`.
    pub field: Cow<'static, str>,
    /// A stable name for what is wrong with it.
    pub code: &'static str,
    /// What to do about it, for a person.
    pub detail: Cow<'static, str>,
}

impl FieldError {
    /// What is wrong with `field`, by stable name and in words.
    pub fn new(field: impl Into<Cow<'static, str>>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), code, detail: detail.into() }
    }
}

/// A failure: what the client may know, and apart from it what only the operator may.
#[derive(Debug)]
pub struct Error {
    /// What kind of failure this is.
    pub code: Code,
    /// What to do next, for a person; safe to show to anybody.
    pub detail: Cow<'static, str>,
    /// The members at fault, where the code is [`Code::ValidationFailed`].
    pub fields: Vec<FieldError>,
    /// Seconds after which another attempt makes sense.
    pub retry_after: Option<u64>,
    /// Why the session is over, where the code is [`Code::SessionEnded`].
    pub cause: Option<crate::sessions::EndCause>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure with its code and a sentence that says what to do.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), retry_after: None, cause: None, source: None }
    }

    /// Input that cannot be accepted, with each member at fault.
    pub fn validation(fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [only] => only.detail.clone(),
            _ => "See `errors` for each value that has to change".into(),
        };
        Self { fields, ..Self::new(Code::ValidationFailed, detail) }
    }

    /// A fault of ours: the client learns nothing of `source`.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "Something went wrong on our side; the request id finds it in the log")
            .caused_by(source)
    }

    /// The same failure, with what the operator's log says of it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure, with the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)?;
        for field in &self.fields {
            write!(f, "; {}: {}", field.field, field.detail)?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // What the engine refuses because of what we sent is our fault; all else is the store being away, full or read-only.
        let ours = matches!(
            error,
            sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::RowNotFound
        );
        if ours { Self::internal(error) } else { no_answer(error) }
    }
}

/// The database is away, full or read-only.
pub(crate) fn no_answer(source: impl StdError + Send + Sync + 'static) -> Error {
    let detail = "The database does not answer; nothing was changed, try again";
    Error::new(Code::Unavailable, detail).retry_after(1).caused_by(source)
}
