//! A [`Gate`] as a layer of tower, for what is no handler of axum: a router as a whole, a service of hyper or tonic, a
//! reverse proxy. A request without a good token never reaches the service behind it.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use hallpass_token::{Clock, CurrentUser, Gate, KeySet, Verifier};
//!
//! async fn orders(Extension(user): Extension<CurrentUser>) -> String {
//!     format!("orders of account {}", user.sub)
//! }
//!
//! let verifier = Verifier::new("https://id.example", "https://api.example", 5, KeySet::default());
//! let gate = Gate::new(verifier, Clock::system());
//! let app: Router = Router::new()
//!     .route("/orders", get(orders))
//!     .route_layer(gate) // all routes above, and none that is added below
//!     .route("/health", get(async || "fine"));
//! ```
//!
//! It lets in whom the extractor [`CurrentUser`] lets in, and answers all others with its
//! [`Rejection`](crate::Rejection); clients of gRPC read the status: 401 is `UNAUTHENTICATED`, 503 is `UNAVAILABLE`.
//! The service finds the [`CurrentUser`] in the extensions of the request. The extractor does not look there: it asks
//! the gate of the state, which may be another one, and to ask twice costs a microsecond.
//!
//! A preflight request (`OPTIONS`) carries no token and is refused like any other without. The layer that answers it
//! goes outside: with `Router::layer` it is added after this one, with `tower::ServiceBuilder` before.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    http::{Request, Response},
    response::IntoResponse,
};
use tower::{Layer, Service};

use crate::{CurrentUser, Gate, bearer};

/// A service behind a [`Gate`]; [`Gate::layer`](Layer::layer) makes it.
#[derive(Debug, Clone)]
pub struct Gated<S> {
    gate: Gate,
    inner: S,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: self.clone(), inner }
    }
}

impl<S, B, R> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gate = self.gate.clone();
        // The one that said that it is ready is called; its clone has yet to say so.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let claims = match bearer(&parts.headers) {
                Ok(token) => gate.let_in(token).await,
                Err(error) => Err(error.into()),
            };
            match claims {
                Ok(claims) => parts.extensions.insert(CurrentUser(claims)),
                Err(rejection) => return Ok(rejection.into_response()),
            };
            Ok(ready.call(Request::from_parts(parts, body)).await?.map(Body::new))
        })
    }
}
