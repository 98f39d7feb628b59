//! Tells whoever waits for news, on behalf of a client, that the server is about to stop.
//!
//! Without it a long poll or a stream of events would hold up the drain. It never ends an answer by itself.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio::sync::watch;

/// The beginning of the drain; where a request does not come by [`super::serve`] it is not known and never comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draining(Option<watch::Receiver<()>>);

impl Draining {
    /// Waits for it.
    pub(crate) async fn begins(&mut self) {
        let Some(serving) = &mut self.0 else { return std::future::pending().await };
        while serving.changed().await.is_ok() {}
    }
}

/// It begins when what sends is dropped.
impl From<&watch::Receiver<()>> for Draining {
    fn from(serving: &watch::Receiver<()>) -> Self {
        Self(Some(serving.clone()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Draining {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
