//! A back end behind a proxy. It lets everybody in, and keeps what reached it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::IntoResponse,
    routing::any,
};
use tokio::net::TcpListener;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Arrived {
    /// The headers of ours as the most careless back end reads them: to it letter case is nothing, and every sign that
    /// is no letter or digit is the same.
    pub(crate) fn ours(&self) -> Vec<(String, String)> {
        let read = |name: &str| name.replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
        let all = self.headers.iter().map(|(name, value)| (read(name.as_str()), value.to_str().unwrap().to_owned()));
        let mut ours: Vec<_> = all.filter(|(name, _)| name.starts_with("x-hallpass-")).collect();
        ours.sort();
        ours
    }
}

#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend = Self { address: listener.local_addr().unwrap(), arrived: Arc::default() };
        let app = Router::new().fallback(any(keep)).with_state(backend.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        backend
    }

    /// What has arrived since it was last asked.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }
}

async fn keep(
    State(backend): State<Backend>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> &'static str {
    backend.arrived.lock().unwrap().push(Arrived { method, uri, headers, body });
    "let in"
}

/// In the place of Hallpass: something that answers every question with this status.
pub(crate) async fn always(status: StatusCode) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let elsewhere = [(header::LOCATION, "/elsewhere"), (header::RETRY_AFTER, "1")];
    let app = Router::new().fallback(any(move || async move { (status, elsewhere).into_response() }));
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}
