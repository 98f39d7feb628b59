//! The wire formats of the servers that are measured: how to sign up, sign in, ask with a token, refresh.
//!
//! It only makes requests and reads answers, and never sends one.

mod better_auth;
mod django;
mod hallpass;
mod pocketbase;

use anyhow::{Context as _, Result, ensure};
use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header},
};
use clap::ValueEnum;
use http_body_util::Full;
use serde_json::Value;

use crate::connection::Answer;

/// A kind of server.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    Hallpass,
    Django,
    Pocketbase,
    BetterAuth,
}

impl Target {
    pub(crate) fn wire(self) -> &'static dyn Wire {
        match self {
            Self::Hallpass => &hallpass::Hallpass,
            Self::Django => &django::Django,
            Self::Pocketbase => &pocketbase::Pocketbase,
            Self::BetterAuth => &better_auth::BetterAuth,
        }
    }
}

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
}

impl Person {
    pub(crate) const PASSWORD: &str = "otters juggle brass lanterns";

    /// Where a server wants an address.
    fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }
}

/// What a client holds of a session.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// What it shows with each request.
    pub(crate) token: String,
    /// What it shows to get another token.
    pub(crate) refresh: String,
    /// The account's id, where addresses are made of it.
    pub(crate) account: String,
}

/// How a server is spoken to.
pub(crate) trait Wire: Sync {
    /// Makes an account.
    fn sign_up(&self, person: &Person) -> Call;
    /// Makes a session.
    fn sign_in(&self, person: &Person) -> Call;
    /// What the good answer to a sign-in brings.
    fn session(&self, answer: &Answer) -> Result<Session>;
    /// The cheapest request that needs somebody who is signed in.
    fn checked(&self, session: &Session) -> Call;
    /// A request for the account, read from the database.
    fn me(&self, session: &Session) -> Call;
    /// Gets another token.
    fn refresh(&self, session: &Session) -> Call;
    /// What the good answer to a refresh brings.
    fn refreshed(&self, answer: &Answer, session: &Session) -> Result<Session>;
    /// Whether a refresh brings another secret and makes the old one useless.
    fn rotates(&self) -> bool;
}

/// A request, made once and sent often.
#[derive(Clone)]
pub(crate) struct Call {
    request: Request<()>,
    body: Bytes,
    /// The status of a good answer.
    pub(crate) expected: StatusCode,
}

impl Call {
    /// One that is answered with 200.
    fn new(method: Method, path: impl AsRef<str>) -> Self {
        let mut request = Request::new(());
        *request.method_mut() = method;
        // A path that cannot be one is asked for as `/`, and answered otherwise than expected.
        *request.uri_mut() = path.as_ref().parse().unwrap_or_else(|_| Uri::from_static("/"));
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("127.0.0.1"));
        Self { request, body: Bytes::new(), expected: StatusCode::OK }
    }

    pub(crate) fn get(path: impl AsRef<str>) -> Self {
        Self::new(Method::GET, path)
    }

    fn post(path: &str, body: &Value) -> Self {
        let mut call = Self::new(Method::POST, path).with(header::CONTENT_TYPE, "application/json");
        call.body = Bytes::from(body.to_string());
        call
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.request.headers_mut().insert(name, value);
        }
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.with(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    fn expects(mut self, expected: StatusCode) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        self.request.clone().map(|()| Full::new(self.body.clone()))
    }
}

/// The answer's body as JSON.
fn json(answer: &Answer) -> Result<Value> {
    serde_json::from_slice(&answer.body).context("an answer is not JSON")
}

/// A text or number in JSON, by its path such as `/user/id`.
fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).with_context(|| format!("no `{pointer}` in {value}"))?;
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    ensure!(!text.is_empty(), "`{pointer}` is empty");
    Ok(text)
}
