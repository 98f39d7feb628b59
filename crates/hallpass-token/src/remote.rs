//! [`Remote`], a verifier for back ends that live apart from the Hallpass server: it keeps up with the server's keys and
//! with what was taken back. It never asks the server about a token, and a server that is away signs nobody out.
//!
//! ```no_run
//! use hallpass_token::remote::{Remote, SetupError};
//!
//! # async fn start() -> Result<(), SetupError> {
//! let remote = Remote::builder("https://id.example")
//!     .audience("https://api.example")
//!     .client("hpc_…", "hps_…") // what `hallpass clients create` printed
//!     .build()?;
//! tokio::spawn(remote.clone().run());
//! remote.current().await;
//! # Ok(())
//! # }
//! ```
//!
//! Each process follows the server by itself. A stream tells it what was taken back within moments; how long it may hear
//! nothing, and what is done then, is up to [`Builder::max_staleness`] and [`Builder::when_stale`]. With the feature
//! `axum` a [`Gate`](crate::Gate) can be made from a [`Remote`].

mod backoff;
mod builder;
mod events;
mod feed;
mod keys;
mod moment;
mod outage;
mod server;

use std::{fmt, sync::Arc, time::Duration};

pub use builder::{Builder, SetupError};
pub use server::Failure;

use crate::{Claims, Clock, Reason, TokenError, Verifier};

/// A [`Verifier`] that keeps up with a Hallpass server elsewhere while [`Remote::run`] is polled. Clones share
/// everything.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    clock: Clock,
    when_stale: WhenStale,
    keys: keys::Keys,
    feed: feed::Follower,
}

/// What to do with a good token while it is not known what was taken back lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenStale {
    /// Say so: the request gets 503, and nobody is signed out.
    #[default]
    Refuse,
    /// Go on with what is known. Then what was taken back counts when the server is heard again, or the token expires.
    Accept,
}

/// How the server is asked what it took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Feed {
    /// One request that stays open.
    #[default]
    Stream,
    /// One request after the other, each of which waits for news; for where a proxy cuts or holds back streams.
    Poll,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Nothing is wrong with the token as far as is known, which is not far enough: see [`Remote::status`].
    #[error("whether the token was taken back is not known at the moment")]
    RevocationUnknown,
}

impl RemoteError {
    /// The stable name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::RevocationUnknown => "revocation_unknown",
        }
    }
}

/// How it stands with the server, for a readiness check or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether keys are known, and what was taken back as of [`Builder::max_staleness`] ago at the latest.
    pub current: bool,
    /// How long ago the server last said that all is known; `None` before it was ever complete, and where this
    /// machine's clock was set back behind that moment.
    pub heard: Option<Duration>,
    /// Why the keys cannot be read, if the last attempt failed.
    pub keys: Option<Failure>,
    /// Why what was taken back cannot be followed, if the last attempt failed.
    pub feed: Option<Failure>,
}

impl Remote {
    /// Begins to describe one. `issuer` is the `iss` of the tokens, byte for byte, and where the server is, if
    /// [`Builder::base_url`] does not say otherwise.
    pub fn builder(issuer: impl Into<String>) -> Builder {
        Builder::new(issuer.into())
    }

    /// The verifier behind it, which knows neither how old its knowledge is nor [`WhenStale`].
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The claims of `token`, if it is good at `now` (seconds since 1970, UTC). It waits for nothing.
    ///
    /// # Errors
    /// What [`Verifier::verify`] says, and [`RemoteError::RevocationUnknown`] for a token that would be good but for
    /// what is not known: lately heard revocations under [`WhenStale::Refuse`], or, always, its key.
    pub fn verify(&self, token: &str, now: i64) -> Result<Arc<Claims>, RemoteError> {
        // First, so that what is heard in the middle cannot vouch for a set that was looked at before.
        let current = self.0.when_stale == WhenStale::Accept || self.is_current();
        match self.0.verifier.verify(token, now) {
            Ok(claims) if current => Ok(claims),
            Ok(_) => Err(RemoteError::RevocationUnknown),
            Err(TokenError::Invalid(Reason::UnknownKey)) if !self.0.keys.are_all_known() => {
                Err(RemoteError::RevocationUnknown)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The claims of `token`, if it is good now. For a key that is not known it waits a moment, a second at most, until
    /// the server was asked for its keys; that happens once in 10 seconds at most.
    ///
    /// # Errors
    /// Those of [`Remote::verify`].
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Claims>, RemoteError> {
        let unknown_key = || self.0.verifier.identify(token) == Err(TokenError::Invalid(Reason::UnknownKey));
        let answer = self.verify(token, self.0.clock.now());
        if answer == Err(RemoteError::RevocationUnknown) && unknown_key() {
            self.0.keys.answer().await;
            return self.verify(token, self.0.clock.now());
        }
        answer
    }

    /// The work in the background: keeps up with the server, however often it goes away, for as long as it is polled. It
    /// never returns.
    ///
    /// Of several at once only one works. When it is dropped the next goes on where it was.
    pub async fn run(self) {
        tokio::join!(self.0.keys.follow(), self.0.feed.follow());
    }

    /// Waits until there are keys and what was taken back is known. Without [`Remote::run`] that never happens.
    pub async fn current(&self) {
        // It can only fail when `self` is gone.
        let _ = self.0.keys.watch().wait_for(|asked| asked.known).await;
        self.0.feed.current().await;
    }

    /// Whether there are keys, and it is known what was taken back.
    pub fn is_current(&self) -> bool {
        self.0.keys.are_known() && self.0.feed.is_current()
    }

    /// How it stands with the server.
    pub fn status(&self) -> Status {
        Status {
            current: self.is_current(),
            heard: self.0.feed.heard(),
            keys: self.0.keys.outage.last(),
            feed: self.0.feed.outage.last(),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}
