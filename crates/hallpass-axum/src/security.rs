//! Every layer around every handler, in one place and in order.
//!
//! Nothing about security is left to a handler to remember: a new route is bounded, timed, logged, kept from foreign
//! pages and answered with the right headers before its author has written a line.

mod cors;
mod guard;
mod headers;
mod trace;

use axum::{
    Router,
    extract::Request,
    http::Method,
    middleware::{from_fn, from_fn_with_state as with},
    response::IntoResponse,
};
use hallpass_core::Code;
use tower::ServiceBuilder;

use crate::{AppState, error::Problem};

pub(crate) use guard::{read_body, refuse_long_address, refuse_query, run_to_the_end};
pub(crate) use trace::request;

/// Puts the layers around `router`; the first named sees a request first and its answer last.
pub(crate) fn wrap(router: Router<AppState>, app: &AppState) -> Router {
    let layers = ServiceBuilder::new()
        // Gives the request its id and one line in the log, and failures the id.
        .layer(with(app.clone(), trace::request))
        // Puts the security headers on whatever comes out, refusals of the layers below included.
        .layer(with(app.clone(), headers::answer))
        // Lets listed front ends read answers, and answers preflights; outside the refusals, which they must be able to
        // read.
        .layer(with(app.clone(), cors::answer))
        // Refuses an address that is too long.
        .layer(from_fn(guard::refuse_long_address))
        // Refuses what foreign pages make browsers do (CSRF, log-in CSRF).
        .layer(with(app.clone(), guard::refuse_foreign_pages))
        // Reads the whole body, bounded in size and time, before anything is begun.
        .layer(from_fn(guard::read_body))
        // Lets what was begun end: bounds the wait for it, catches panics, outlives a client that hangs up.
        .layer(from_fn(guard::run_to_the_end));
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer(layers).with_state(app.clone())
}

/// There is nothing at this address.
async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address; `/openapi.json` lists what there is")
}

/// The address takes other methods; the router puts them into `Allow` (RFC 9110 section 15.5.6).
async fn method_not_allowed(request: Request) -> impl IntoResponse {
    let detail = match *request.method() {
        Method::OPTIONS => "Only preflight requests of browsers are answered here (`Access-Control-Request-Method`)",
        _ => "This address takes other methods: see `Allow`",
    };
    Problem::new(Code::MethodNotAllowed, detail)
}
