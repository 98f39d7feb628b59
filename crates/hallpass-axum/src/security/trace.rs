//! The request's id and its line in the log.
//!
//! The line never holds a header, a query or a body, and of the path only the route: secrets travel in all of them.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::HeaderValue,
    response::Response,
};
use tracing::Span;

use crate::{
    AppState,
    ctx::{REQUEST_ID, RequestId, request_id},
    error,
};

/// A request, from its beginning to its answer.
pub(crate) struct Traced {
    begun: Instant,
    id: Arc<str>,
    /// What every line about the request stands in.
    pub(crate) span: Span,
}

impl Traced {
    /// Gives the request an id.
    pub(crate) fn begin(app: &AppState, request: &mut Request) -> Self {
        let begun = Instant::now();
        let id = request_id(request.headers(), request.extensions(), app);
        let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str);
        let span = tracing::info_span!("request", id = &*id, method = request.method().as_str(), route);
        request.extensions_mut().insert(RequestId(id.clone()));
        Self { begun, id, span }
    }

    /// Tells client and log how it went.
    pub(crate) fn end(self, response: Response) -> Response {
        let _entered = self.span.enter();
        let mut response = error::complete(response, &self.id);
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let milliseconds = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), milliseconds, "answered");
        response
    }
}
