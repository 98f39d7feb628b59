//! The accept loop: HTTP/1.1 connections with every limit that lies below a request, and an orderly end.
//!
//! It never speaks HTTP/2, whose floods need limits of their own: a proxy in front can, and hands on HTTP/1.1.

mod connection;
mod draining;
mod head;

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header},
    response::Response,
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::sync::watch;
use tower::ServiceExt;

use connection::Connection;
pub(crate) use draining::Draining;
use head::LARGEST_HEAD;

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request: from the connection's begin for the first, from its first byte for the others.
    pub head: Duration,
    /// Between two requests. Longer than a proxy keeps its connections open, or it would use one that is just closing.
    pub idle: Duration,
    /// Until the client takes a piece of an answer: also of one that goes on, such as a stream of events.
    pub write: Duration,
    /// For what is under way when the server is told to stop.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), idle: seconds(75), write: seconds(10), drain: seconds(30) }
    }
}

/// Serves `router` on `listener` until `shutdown`, then lets what is under way end for at most `drain`.
///
/// Long polls and streams of events end as soon as it drains; another accept loop would wait for them. Every request
/// carries [`ConnectInfo<SocketAddr>`](ConnectInfo). A TLS listener is one that does its handshake in its own tasks:
/// `accept` must not wait for one client.
pub async fn serve<L>(listener: L, router: Router, shutdown: impl Future<Output = ()>, drain: Duration)
where
    L: Listener<Addr = SocketAddr>,
{
    serve_with(listener, router, shutdown, Patience { drain, ..Patience::default() }).await;
}

/// [`serve`] with other times.
pub async fn serve_with<L>(mut listener: L, router: Router, shutdown: impl Future<Output = ()>, patience: Patience)
where
    L: Listener<Addr = SocketAddr>,
{
    let connections = GracefulShutdown::new();
    let (serving, draining) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, address) = listener.accept() => {
                let stream = Connection::new(stream, patience);
                let (router, draining) = (router.clone(), Draining::from(&draining));
                let service = service_fn(move |request| answer(router.clone(), request, address, draining.clone()));
                let connection = builder(patience).serve_connection(TokioIo::new(stream), service);
                let connection = connections.watch(connection);
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        // Clients hang up, stall and send rubbish all day: nothing that an operator has to act on.
                        tracing::debug!(%error, "a connection ended early");
                    }
                });
            }
        }
    }
    // No new connections while the open ones end, and nobody waits for news any more.
    drop(listener);
    drop(serving);
    if tokio::time::timeout(patience.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(seconds = patience.drain.as_secs(), "connections were still open at the end of the drain");
    }
}

fn builder(patience: Patience) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The head's own time is kept by `Connection`, which knows when its first byte came.
        .header_read_timeout(patience.idle)
        .max_headers(100)
        .max_header_size(LARGEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        // A client that sends its request and closes its half still gets the answer.
        .half_close(true);
    builder
}

async fn answer(
    router: Router,
    request: hyper::Request<Incoming>,
    address: SocketAddr,
    draining: Draining,
) -> Result<Response, Infallible> {
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(address));
    request.extensions_mut().insert(draining);
    let mut response = router.oneshot(request).await?;
    if chunked {
        // Where a chunked body ends is known to nobody but the parser that read it: nothing is read behind it.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
