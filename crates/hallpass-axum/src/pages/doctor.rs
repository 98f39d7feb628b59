//! What a browser finds out about cookies, CORS and proxies, in development: the page `/doctor`, and the script of it,
//! which a page of a front end can load as well.
//!
//! What reaches the server is told in development only, and elsewhere to whoever has the master key.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderName,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE},
    },
    middleware::from_fn_with_state,
    response::{Html, IntoResponse},
    routing::get,
};
use hallpass_core::Code;
use serde::Serialize;

use super::dev_mail::refuse_foreign_names;
use crate::{
    AppState, cookies,
    ctx::Anybody,
    doctor::{self, Finding},
    error::Problem,
};

const PAGE: Html<&str> = Html(include_str!("../assets/doctor.html"));
const SCRIPT: &str = include_str!("../assets/doctor.js");

/// The headers by which proxies say what they saw.
const FORWARDED: [&str; 6] =
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "via"];

/// The pages; those of a server in earnest are none but what answers a proof.
pub(super) fn routes(app: &AppState) -> Router<AppState> {
    let dev = Router::new()
        .route("/doctor", get(PAGE))
        .route("/doctor.js", get(open("text/javascript; charset=utf-8", SCRIPT)))
        .route("/doctor/origin", get(origin))
        .route_layer(from_fn_with_state(app.clone(), refuse_foreign_names));
    let seen = Router::new().route("/doctor/seen", get(seen));
    if app.policy().dev() { seen.merge(dev) } else { seen }
}

/// Something that pages of any origin may load and read.
fn open(kind: &'static str, content: impl IntoResponse + Clone) -> impl IntoResponse + Clone {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, content)
}

/// What reached the server.
#[derive(Serialize)]
struct Seen {
    /// The server's time, in seconds since 1970.
    now: i64,
    /// Seconds by which the clocks of verifiers may differ.
    leeway: i64,
    public_url: String,
    host: Option<String>,
    /// Which relation the browser says that the page has to the server (`Sec-Fetch-Site`).
    site: Option<String>,
    /// The other end of the connection.
    peer: Option<IpAddr>,
    /// Whether it is one of `trusted_proxies`.
    peer_is_trusted: bool,
    /// Whom the server takes for the client.
    client: Option<IpAddr>,
    forwarded: BTreeMap<&'static str, Vec<String>>,
    /// Whether the cookie came that every answer sets.
    cookie: bool,
}

/// Says what of a request reached the server, and sets a cookie, which the next request should bring.
async fn seen(
    State(app): State<AppState>,
    Anybody(ctx): Anybody,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let headers = request.headers();
    let text =
        |name: &HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let host = text(&HOST);
    let proof = text(&HeaderName::from_static(doctor::PROOF)).unwrap_or_default();
    let is_ours = app.policy().dev() && host.as_deref().is_none_or(|host| app.policy().is_named(host));
    if !is_ours && !doctor::is_proof(&app.hallpass().secrets().doctor, &proof, ctx.now) {
        return Err(Problem::new(
            Code::NotFound,
            "There is nothing at this address; `/openapi.json` lists what there is",
        ));
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let seen = Seen {
        now: ctx.now,
        leeway: app.hallpass().config().tokens.leeway,
        public_url: app.policy().public_url(),
        host,
        site: text(&HeaderName::from_static("sec-fetch-site")),
        peer,
        peer_is_trusted: peer.is_some_and(|peer| app.policy().trusts(peer)),
        client: ctx.ip,
        forwarded: forwarded(headers),
        cookie: cookies::DOCTOR.read(headers)?.is_some(),
    };
    Ok(([(SET_COOKIE, cookies::DOCTOR.keep("1", Some(300))?)], Json(seen)))
}

fn forwarded(headers: &HeaderMap) -> BTreeMap<&'static str, Vec<String>> {
    let lines = |name| headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let all = FORWARDED.into_iter().map(|name| (name, lines(name).collect::<Vec<_>>()));
    all.filter(|(_, lines)| !lines.is_empty()).collect()
}

/// Why the page that asks cannot use this server, if it cannot.
#[derive(Clone, Serialize)]
struct Verdict {
    origin: Option<String>,
    /// Nothing where it can.
    refused: Option<Finding>,
}

async fn origin(State(app): State<AppState>, headers: HeaderMap) -> impl IntoResponse {
    let origin = headers.get(ORIGIN).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let refused = origin.as_deref().and_then(|origin| app.policy().why_refused(origin));
    open("application/json", Json(Verdict { origin, refused }))
}
