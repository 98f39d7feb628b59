//! The Hallpass server as seen from here: where it is, who we are to it, and what can go wrong between us. It follows no
//! redirect, so that the secret goes nowhere else, and takes no proxy from the environment.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{AUTHORIZATION, HeaderValue},
    redirect::Policy,
};

use super::SetupError;

/// The most bytes of an answer, or of an event; a page of the feed has a tenth.
pub(super) const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How long an answer may take, and a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Why the server could not be read. The next attempt comes by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It refuses the client id and secret. This does not pass by itself.
    #[error("it refuses the client id or secret: `hallpass clients create` makes a new pair")]
    ClientRefused,
    /// There is no connection to it, or it broke.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It said nothing in time.
    #[error("it said nothing in time")]
    Silent,
    /// It answered with this HTTP status; 503 while it cannot follow its own log.
    #[error("it answered {0}")]
    Status(u16),
    /// Its answer is not one of a Hallpass server that this version knows.
    #[error("{0}")]
    Unexpected(&'static str),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Silent;
        }
        // The innermost one says what happened; those around it only that something did.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self::Unreachable(cause.to_string())
    }
}

pub(super) struct Server {
    client: Client,
    keys: Url,
    feed: Url,
    credentials: HeaderValue,
}

impl Server {
    pub(super) fn new(base: &str, id: &str, secret: &str) -> Result<Self, SetupError> {
        let url = Url::parse(base).map_err(|_| SetupError::BaseUrl)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "https" | "http") || !plain || url.fragment().is_some() {
            return Err(SetupError::BaseUrl);
        }
        // RFC 7617 section 2: the first colon ends the id.
        if id.is_empty() || id.contains(':') || secret.is_empty() {
            return Err(SetupError::Client);
        }
        let credentials = format!("Basic {}", BASE64.encode(format!("{id}:{secret}")));
        let mut credentials = HeaderValue::try_from(credentials).map_err(|_| SetupError::Client)?;
        credentials.set_sensitive(true);
        let below = |path| Url::parse(&format!("{}{path}", url.as_str().trim_end_matches('/')));
        let client = Client::builder()
            .connect_timeout(PATIENCE)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("hallpass-token/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            client: client.build().map_err(|error| SetupError::Tls(error.to_string()))?,
            keys: below("/.well-known/jwks.json").map_err(|_| SetupError::BaseUrl)?,
            feed: below("/api/v1/revocations").map_err(|_| SetupError::BaseUrl)?,
            credentials,
        })
    }

    /// The public keys.
    pub(super) fn keys(&self) -> RequestBuilder {
        self.client.get(self.keys.clone())
    }

    /// What was taken back since `cursor`, or everything that is live.
    pub(super) fn feed(&self, cursor: Option<&str>, wait: Duration) -> RequestBuilder {
        let mut url = self.feed.clone();
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("since", cursor);
        }
        if !wait.is_zero() {
            url.query_pairs_mut().append_pair("wait", &wait.as_secs().to_string());
        }
        self.client.get(url).header(AUTHORIZATION, self.credentials.clone())
    }
}

/// The whole body of an answer.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::Unexpected("its answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
