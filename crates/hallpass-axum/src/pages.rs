//! The pages for people: `/`, the reference `/docs` with the description of the interface that it is made from, those
//! for signing in, accounts and administration (`hosted`), and in development the mails themselves.
//!
//! Everything comes from this program: no page loads anything from anywhere else, and none has a script inside it.

mod dev_mail;
mod doctor;
pub(crate) mod hosted;
mod text;

use axum::{
    Router,
    body::Bytes,
    http::{
        HeaderName,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{Html, IntoResponse},
    routing::get,
};

use crate::AppState;

pub(crate) use text::escaped;

const INDEX: &str = include_str!("assets/index.html");
const DOCS: Html<&str> = Html(include_str!("assets/docs.html"));
const STYLE: &str = include_str!("assets/hallpass.css");
const DOCS_SCRIPT: &str = include_str!("assets/docs.js");

/// Where they are, but for those that can be switched off.
const ALWAYS: [&str; 11] = [
    "/",
    "/docs",
    "/assets/hallpass.css",
    "/assets/docs.js",
    "/openapi.json",
    "/dev/mail",
    "/dev/mail.json",
    "/doctor",
    "/doctor.js",
    "/doctor/origin",
    "/doctor/seen",
];

/// Where they are on this server.
pub(crate) fn addresses(app: &AppState) -> impl Iterator<Item = &'static str> {
    ALWAYS.into_iter().chain(hosted::addresses(app))
}

/// The pages, their style and scripts, and `document` at `/openapi.json`.
pub(crate) fn routes(document: String, app: &AppState) -> Router<AppState> {
    let mut index = INDEX.to_owned();
    let mut add = |item: &str| index = index.replace("</ul>", &format!("<li>{item}</li>\n</ul>"));
    if app.policy().pages().enabled {
        add("<a href=\"account\">Your account</a>: sign in, and see where you are signed in");
        add("<a href=\"admin\">Administration</a>: people, sessions, what happened");
    }
    if app.policy().dev() {
        add("<a href=\"doctor\">Doctor</a>: why a cookie is not stored or sent, why CORS refuses");
    }
    // Only a server that sends no mail shows it.
    let mails = if app.hallpass().mailer().mailbox().is_some() {
        add("<a href=\"dev/mail\">Mail</a>: what this server would have sent");
        dev_mail::routes(app.clone())
    } else {
        Router::new()
    };
    Router::new()
        .route("/", get(Html(index)))
        .route("/docs", get(DOCS))
        .route("/assets/hallpass.css", get(file("text/css; charset=utf-8", STYLE)))
        .route("/assets/docs.js", get(file("text/javascript; charset=utf-8", DOCS_SCRIPT)))
        .route("/openapi.json", get(public(Bytes::from(document))))
        .merge(hosted::routes(app))
        .merge(mails)
        .merge(doctor::routes(app))
}

/// A file of a page: the same for everybody, and asked for again after five minutes, since its name never changes.
fn file(kind: &'static str, content: &'static str) -> impl IntoResponse + Clone {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=300")], content)
}

/// A document that pages of any origin may read.
fn public(document: Bytes) -> impl IntoResponse + Clone {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, document)
}
