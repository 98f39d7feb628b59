//! The request's id and its line in the log.
//!
//! The line never holds a header, a query or a body, and of the path only the route: secrets travel in all of them.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::HeaderValue,
    response::Response,
};
use tracing::Instrument;

use crate::{
    AppState,
    ctx::{RequestId, request_id},
    error,
};

/// The header that tells the client the id.
const HEADER: &str = "x-request-id";

/// Runs a request under an id that every line about it has, and says how it went.
pub(crate) async fn request(
    app: &AppState,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers(), request.extensions(), app);
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = &*id, method = request.method().as_str(), route);
    request.extensions_mut().insert(RequestId(id.clone()));
    async move {
        let mut response = error::complete(answer(request).await, &id);
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, id);
        }
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), milliseconds, "answered");
        response
    }
    .instrument(span)
    .await
}
