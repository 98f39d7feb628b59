//! The two pages for people, `/` and `/docs`, and the description of the interface that they are made from.
//!
//! Everything comes from this program: no page loads anything from anywhere else, and none has a script inside it.

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

const INDEX: Html<&str> = Html(include_str!("assets/index.html"));
const DOCS: Html<&str> = Html(include_str!("assets/docs.html"));
const STYLE: &str = include_str!("assets/hallpass.css");
const SCRIPT: &str = include_str!("assets/docs.js");

/// The pages, their style and script, and `document` at `/openapi.json`.
pub(crate) fn routes(document: String) -> Router<AppState> {
    Router::new()
        .route("/", get(INDEX))
        .route("/docs", get(DOCS))
        .route("/assets/hallpass.css", get(file("text/css; charset=utf-8", STYLE)))
        .route("/assets/docs.js", get(file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/openapi.json", get(public(Bytes::from(document))))
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
