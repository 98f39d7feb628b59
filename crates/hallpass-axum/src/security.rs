//! Everything around every handler, in one place and in order.
//!
//! Nothing about security is left to a handler to remember: a new route is bounded, timed, logged, kept from foreign
//! pages and answered with the right headers before its author has written a line.

mod cors;
mod guard;
mod headers;
mod trace;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state as with},
    response::{IntoResponse, Response},
};
use hallpass_core::Code;
use tracing::Instrument;

use crate::{AppState, error::Problem};

pub(crate) use guard::admit;
pub(crate) use trace::Traced;

/// What becomes of the query of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Query {
    /// It is refused: a credential in an address ends up in logs and histories.
    Refused,
    /// Each handler looks at it or not, and as strictly.
    Read,
}

/// Puts everything around all routes: those that refuse a query, and those that are given it.
pub(crate) fn wrap(without_query: Router<AppState>, with_query: Router<AppState>, app: &AppState) -> Router {
    // One layer for each route: each would copy the whole of those below it several times with every request.
    let layer = |query| with((app.clone(), query), around);
    without_query
        .layer(layer(Query::Refused))
        .merge(with_query.layer(layer(Query::Read)))
        .fallback(not_found.layer(layer(Query::Read)))
        .method_not_allowed_fallback(method_not_allowed.layer(layer(Query::Read)))
        .with_state(app.clone())
}

/// What is done around every handler, in this order; with the answer in the reverse.
async fn around(State((app, query)): State<(AppState, Query)>, mut request: Request, next: Next) -> Response {
    // Gives the request its id and one line in the log, and failures the id.
    let traced = Traced::begin(&app, &mut request);
    // Answers preflights, and lets listed front ends read answers, those refused below included.
    let asked = cors::Asked::by(&request, &app);
    let mut response = if asked.preflight {
        StatusCode::NO_CONTENT.into_response()
    } else if let Err(refused) = guard::refuse(&request, query, &app) {
        refused.into_response()
    } else {
        // Bounds address, body and time, and lets what was begun end.
        guard::admit(request, next).instrument(traced.span.clone()).await
    };
    asked.answer(response.headers_mut());
    // Puts the security headers on whatever comes out.
    headers::complete(response.headers_mut(), &app);
    traced.end(response)
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
