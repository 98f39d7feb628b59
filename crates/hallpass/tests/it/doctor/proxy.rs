//! A proxy as good as any, but for the faults that a test gives it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use reqwest::{Client, redirect::Policy};
use tokio::net::TcpListener;

/// What it does besides handing on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// To the headers of each request.
    pub(crate) request: Option<fn(&mut HeaderMap)>,
    /// To each answer.
    pub(crate) answer: Option<fn(&mut StatusCode, &mut HeaderMap)>,
    /// The method and path that it answers by itself, with 404.
    pub(crate) refused: Option<&'static str>,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    faults: Arc<Mutex<Faults>>,
    server: Arc<OnceLock<String>>,
}

#[derive(Clone)]
struct Way {
    faults: Arc<Mutex<Faults>>,
    server: Arc<OnceLock<String>>,
    client: Client,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (faults, server) = (Arc::<Mutex<Faults>>::default(), Arc::<OnceLock<String>>::default());
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let app =
            Router::new().fallback(hand_on).with_state(Way { faults: faults.clone(), server: server.clone(), client });
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, service).await });
        Self { port, faults, server }
    }

    /// Gives it these faults, and takes away those that it had.
    pub(crate) fn spoil(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    /// Says where the server is, once that is known.
    pub(crate) fn lead_to(&self, url: &str) {
        self.server.set(url.to_owned()).unwrap();
    }
}

async fn hand_on(State(way): State<Way>, ConnectInfo(client): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let faults = *way.faults.lock().unwrap();
    if faults.refused == Some(format!("{} {}", parts.method, parts.uri.path()).as_str()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let before = parts.headers.get("x-forwarded-for").map(|value| format!("{}, ", value.to_str().unwrap()));
    let forwarded = format!("{}{}", before.unwrap_or_default(), client.ip());
    parts.headers.insert("x-forwarded-for", forwarded.parse().unwrap());
    parts.headers.insert("x-forwarded-proto", "http".parse().unwrap());
    if let Some(spoil) = faults.request {
        spoil(&mut parts.headers);
    }
    let url = format!("{}{}", way.server.get().unwrap(), parts.uri);
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = way.client.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let (mut status, mut headers) = (answer.status(), answer.headers().clone());
    if let Some(spoil) = faults.answer {
        spoil(&mut status, &mut headers);
    }
    (status, headers, Body::from(answer.bytes().await.unwrap())).into_response()
}
