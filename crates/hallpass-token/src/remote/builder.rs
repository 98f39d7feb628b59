//! What a [`Remote`] needs to know. Nothing is asked before [`Remote::run`], and the secret is never printed.

use std::{sync::Arc, time::Duration};

use super::{Feed, Inner, Remote, WhenStale, feed::Follower, keys::Keys, server::Server};
use crate::{Clock, KeySet, Verifier};

/// Describes a [`Remote`]. Only [`Builder::client`] has to be called.
#[derive(Clone)]
#[must_use]
pub struct Builder {
    issuer: String,
    audience: Option<String>,
    base_url: Option<String>,
    client: (String, String),
    leeway: i64,
    when_stale: WhenStale,
    max_staleness: Duration,
    feed: Feed,
    clock: Clock,
}

/// What makes no sense in a [`Builder`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The address of the server.
    #[error("the address of the Hallpass server is not `https://` and a host, or `http://` for development")]
    BaseUrl,
    /// The client id or secret.
    #[error("the client id or secret is missing or malformed: `hallpass clients create` makes a pair")]
    Client,
    /// No time at all.
    #[error("`max_staleness` is 0: nothing could ever be current")]
    MaxStaleness,
    /// The certificates of this machine.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

impl Builder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            audience: None,
            base_url: None,
            client: Default::default(),
            leeway: 5,
            when_stale: WhenStale::default(),
            max_staleness: Duration::from_secs(10),
            feed: Feed::default(),
            clock: Clock::system(),
        }
    }

    /// What `aud` has to contain, byte for byte. Without it that is the issuer, as it is in Hallpass.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Where the server is reached from here, if not at the address that its tokens name.
    ///
    /// It is `https`, unless nobody else can reach the network: whoever can answer in the server's place makes tokens.
    /// The certificate is checked as the system does it.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// The id and secret that `hallpass clients create` printed.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.client = (id.into(), secret.into());
        self
    }

    /// The clock difference that is forgiven, in seconds, from 0 to [`MAX_LEEWAY`](crate::MAX_LEEWAY); 5 by default.
    pub fn leeway(mut self, leeway: i64) -> Self {
        self.leeway = leeway;
        self
    }

    /// What to do with good tokens when the server was not heard for longer than [`Builder::max_staleness`]; refuse by
    /// default.
    pub fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.when_stale = when_stale;
        self
    }

    /// How long the server may be silent; 10 seconds by default. It says every 2 seconds that it is there.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self
    }

    /// How the server is asked; by a stream by default.
    pub fn feed(mut self, feed: Feed) -> Self {
        self.feed = feed;
        self
    }

    /// Where the time comes from, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Puts it together. Nobody is asked yet.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn build(self) -> Result<Remote, SetupError> {
        let Self { issuer, audience, base_url, client, leeway, when_stale, max_staleness, feed, clock } = self;
        if max_staleness.is_zero() {
            return Err(SetupError::MaxStaleness);
        }
        let server = Arc::new(Server::new(base_url.as_deref().unwrap_or(&issuer), &client.0, &client.1)?);
        let audience = audience.unwrap_or_else(|| issuer.clone());
        let verifier = Verifier::new(issuer, audience, leeway, KeySet::default());
        let keys = Keys::new(Arc::clone(&server), verifier.clone());
        let feed = Follower::new(server, verifier.clone(), clock.clone(), feed, max_staleness);
        Ok(Remote(Arc::new(Inner { verifier, clock, when_stale, keys, feed })))
    }
}
