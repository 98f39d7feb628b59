//! What every handler is given about its request: the circumstances, and who is signed in.
//!
//! This is the edge: the only place that asks the clock and looks at sockets and forwarding headers. What a header says
//! about the client's address counts only if one of our own proxies wrote it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::rand;
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, HeaderName, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_core::{Actor, Claims, Ctx};
use hallpass_token::bearer;

use crate::{AppState, error::Problem, web::Policy};

/// The header in which proxies and clients see the id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Finds everything that belongs to one request in the log; made by the outermost layer.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// The circumstances of a request from somebody who has not signed in, or whose sign-in does not matter.
pub(crate) struct Anybody(pub(crate) Ctx);

/// The circumstances of a request with a good access token, and what the token says.
pub(crate) struct SignedIn {
    pub(crate) ctx: Ctx,
    pub(crate) claims: Arc<Claims>,
}

impl FromRequestParts<AppState> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let id = parts.extensions.get::<RequestId>().map_or_else(String::new, |id| id.0.to_string());
        Ok(Self(Ctx {
            now: app.clock().now(),
            actor: Actor::Anonymous,
            ip: client_address(&parts.headers, &parts.extensions, app.policy()),
            user_agent: user_agent(&parts.headers),
            languages: languages(&parts.headers),
            links: None,
            request_id: id,
        }))
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let Anybody(mut ctx) = Anybody::from_request_parts(parts, app).await?;
        let claims = app.verify(bearer(&parts.headers)?, ctx.now)?;
        ctx.actor = Actor::Account(claims.sub, claims.sid);
        Ok(Self { ctx, claims })
    }
}

/// New names for requests, which tell them apart and open nothing.
pub(crate) struct RequestIds {
    /// This server, from its start to its end.
    server: [u8; 4],
    next: AtomicU64,
}

impl RequestIds {
    /// Begins anywhere: what a server that was started again counts is new.
    pub(crate) fn new() -> Self {
        let (mut server, mut first) = ([0; 4], [0; 8]);
        // Without randomness no request gets far; its id then is no worse than the others'.
        let _ = rand::fill(&mut server).and_then(|()| rand::fill(&mut first));
        Self { server, next: AtomicU64::new(u64::from_be_bytes(first)) }
    }

    fn next(&self) -> Arc<str> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut id = [0; 12];
        id.iter_mut().zip(self.server.iter().chain(&number)).for_each(|(byte, given)| *byte = *given);
        BASE64URL.encode(id).into()
    }
}

/// The id of a request: what a trusted proxy called it, or a new one.
pub(crate) fn request_id(headers: &HeaderMap, extensions: &Extensions, app: &AppState) -> Arc<str> {
    let trusted = || peer(extensions).is_some_and(|peer| app.policy().trusts(peer));
    let given = headers.get(REQUEST_ID).filter(|_| trusted());
    if let Some(given) = given.and_then(|value| value.to_str().ok()).filter(|given| is_plain(given)) {
        return given.into();
    }
    app.request_ids().next()
}

/// Whether `id` can stand in a log line: 1 to 64 letters, digits, dots, dashes and underscores.
fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The client's address: the socket's other end, or what our own proxies say of it.
///
/// Each proxy appends the address that it saw to `X-Forwarded-For`, so the list is read from the right, and only as far
/// as the addresses are our own proxies': what stands further left was written by the client. `Forwarded` (RFC 7239)
/// and `X-Real-IP` are never read.
fn client_address(headers: &HeaderMap, extensions: &Extensions, policy: &Policy) -> Option<IpAddr> {
    let mut address = peer(extensions)?;
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).iter().map(|line| line.as_bytes()).collect();
    for line in lines.iter().rev() {
        for hop in line.rsplit(|byte| *byte == b',') {
            if !policy.trusts(address) {
                return Some(address);
            }
            let Some(next) = str::from_utf8(hop).ok().and_then(|hop| parse_hop(hop.trim())) else {
                return Some(address);
            };
            address = next;
        }
    }
    Some(address)
}

/// An address as proxies write it: bare, or with a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.parse().or_else(|_| text.trim_matches(['[', ']']).parse());
    let address: Option<IpAddr> = bare.ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

/// The other end of the socket.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(socket)| socket.ip().to_canonical())
}

/// What the client calls itself: its first 300 characters, whatever is not text replaced.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::USER_AGENT)?;
    Some(String::from_utf8_lossy(value.as_bytes()).chars().take(300).collect())
}

/// The languages that the client prefers: their first 200 characters, several lines as one (RFC 9110 section 5.3).
fn languages(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    Some(lines.join(", ").chars().take(200).collect()).filter(|languages: &String| !languages.is_empty())
}
