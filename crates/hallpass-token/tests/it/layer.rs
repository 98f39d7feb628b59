//! The gate as a layer: who reaches the service behind it, what that service is told, and what everybody else is.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode},
    response::IntoResponse,
    routing::get,
};
use hallpass_token::{
    AccountId, Algorithm, Claims, Clock, CurrentUser, Gate, Reason, Rejection, Revocation, SigningKey, TokenError,
    Verifier,
};
use serde_json::Value;
use tower::{Layer, Service, ServiceExt};

use crate::support::{LEEWAY, NOW, claims, verifier};

/// A service that is none of axum: it counts its calls, and each must have been asked whether it is ready.
#[derive(Default)]
struct Orders {
    calls: Arc<AtomicUsize>,
    is_ready: bool,
}

impl Clone for Orders {
    /// As with a limit of concurrency, the clone has a place of its own to wait for.
    fn clone(&self) -> Self {
        Self { calls: Arc::clone(&self.calls), is_ready: false }
    }
}

impl Service<Request<String>> for Orders {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(self.is_ready, "it was called before it said that it is ready");
        self.is_ready = false;
        self.calls.fetch_add(1, Ordering::SeqCst);
        let user: &CurrentUser = request.extensions().get().unwrap();
        let answer = format!("{} {} for {}", request.method(), request.body(), user.sub);
        ready(if request.body() == "fail" { Err("the order was lost") } else { Ok(Response::new(answer)) })
    }
}

struct Shop {
    key: SigningKey,
    verifier: Verifier,
    orders: Orders,
}

impl Shop {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        Self { verifier: verifier(&key), key, orders: Orders::default() }
    }

    fn gate(&self) -> Gate {
        Gate::new(self.verifier.clone(), Clock::from_fn(|| NOW))
    }

    fn token(&self, claims: &Claims) -> String {
        format!("Bearer {}", self.key.sign(claims).unwrap())
    }

    fn calls(&self) -> usize {
        self.orders.calls.load(Ordering::SeqCst)
    }
}

fn request(authorization: Option<&str>, body: &str) -> Request<String> {
    let request = Request::builder().method(Method::POST).uri("/orders?access_token=query");
    let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
    request.body(body.to_owned()).unwrap()
}

async fn read(response: Response<Body>) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 4_096).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn without_a_good_token_nothing_reaches_the_service_and_the_answer_is_that_of_the_extractor() {
    let shop = Shop::new();
    let (account, forget_at) = (AccountId(8), NOW + 300);
    shop.verifier.revoked().apply(&Revocation::Account { account, below_version: 4, forget_at });
    let ended = Claims { sid: "0198c0de-7a11-7000-8000-00000000002b".parse().unwrap(), ..claims() };
    shop.verifier.revoked().apply(&Revocation::Session { session: ended.sid, forget_at });
    let expired = Claims { exp: NOW - LEEWAY, ..claims() };
    let cases = [
        (None, TokenError::Missing),
        (Some("Bearer a.b.c".to_owned()), TokenError::Invalid(Reason::Malformed)),
        (Some("Basic x".to_owned()), TokenError::Invalid(Reason::Authorization)),
        (Some(shop.token(&expired)), TokenError::Expired),
        (Some(shop.token(&ended)), TokenError::Ended),
        (Some(shop.token(&Claims { sub: account, ..claims() })), TokenError::Stale),
    ];
    let gated = shop.gate().layer(shop.orders.clone());
    for (authorization, error) in cases {
        let response = gated.clone().oneshot(request(authorization.as_deref(), "tea")).await.unwrap();
        let expected = Rejection::from(error).into_response();
        assert_eq!(read(response).await, read(expected).await, "{error}");
    }
    assert_eq!(shop.calls(), 0);
}

#[tokio::test]
async fn a_request_with_a_good_token_arrives_as_it_was_with_its_user() {
    let shop = Shop::new();
    let gated = shop.gate().layer(shop.orders.clone());
    let mut request = request(Some(&shop.token(&claims())), "tea");
    let somebody_else = Claims { sub: AccountId(1), ..claims() };
    request.extensions_mut().insert(CurrentUser(Arc::new(somebody_else)));
    let (status, _, body) = read(gated.oneshot(request).await.unwrap()).await;
    assert_eq!((status, body.as_str(), shop.calls()), (StatusCode::OK, "POST tea for 7", 1));
}

#[tokio::test]
async fn what_the_service_cannot_do_is_its_own_error() {
    let shop = Shop::new();
    let gated = shop.gate().layer(shop.orders.clone());
    let failed = gated.oneshot(request(Some(&shop.token(&claims())), "fail")).await;
    assert_eq!(failed.unwrap_err(), "the order was lost");
}

#[tokio::test]
async fn the_service_that_said_that_it_is_ready_is_the_one_that_is_called() {
    let shop = Shop::new();
    let mut gated = shop.gate().layer(shop.orders.clone());
    for body in ["tea", "milk"] {
        let (token, no_token) = (request(Some(&shop.token(&claims())), body), request(None, body));
        gated.ready().await.unwrap().call(token).await.unwrap();
        gated.ready().await.unwrap().call(no_token).await.unwrap();
    }
    // Two at once, of which neither is polled before both are made.
    let first = gated.ready().await.unwrap().call(request(Some(&shop.token(&claims())), "tea"));
    let second = gated.ready().await.unwrap().call(request(Some(&shop.token(&claims())), "milk"));
    second.await.unwrap();
    first.await.unwrap();
    assert_eq!(shop.calls(), 4);
}

/// The service is full.
#[derive(Clone)]
struct Full;

impl Service<Request<String>> for Full {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        panic!("it is not ready");
    }
}

#[tokio::test]
async fn while_the_service_is_not_ready_neither_is_the_gate() {
    let mut gated = Shop::new().gate().layer(Full);
    let polled = std::future::poll_fn(|context| Poll::Ready(gated.poll_ready(context))).await;
    assert!(polled.is_pending());
}

#[tokio::test]
async fn a_whole_router_needs_no_state_and_only_the_routes_behind_the_layer_need_a_token() {
    async fn orders(Extension(user): Extension<CurrentUser>) -> String {
        user.sub.to_string()
    }
    let shop = Shop::new();
    let app = Router::new().route("/orders", get(orders)).route_layer(shop.gate()).route("/health", get(|| async {}));
    let ask = async |method: &str, path: &str, token: Option<String>| {
        let request = Request::builder().method(method).uri(path);
        let request = token.into_iter().fold(request, |request, token| request.header("authorization", token));
        read(app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await
    };
    let (status, _, body) = ask("GET", "/orders", Some(shop.token(&claims()))).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "7"));
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        assert_eq!(ask(method, "/orders", None).await.0, StatusCode::UNAUTHORIZED, "{method}");
    }
    let (_, headers, body) = ask("GET", "/orders", None).await;
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["code"], "token_missing");
    assert_eq!(ask("GET", "/health", None).await.0, StatusCode::OK);
    assert_eq!(ask("GET", "/nowhere", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_extractor_behind_the_layer_asks_the_gate_of_its_own_state() {
    let shop = Shop::new();
    let elsewhere = Verifier::new("https://id.example", "https://other.example", LEEWAY, Default::default());
    let whose = |user: CurrentUser| async move { user.sub.to_string() };
    let ask = async |state: Gate| {
        let app: Router = Router::new().route("/", get(whose)).layer(shop.gate()).with_state(state);
        let request = Request::get("/").header("authorization", shop.token(&claims())).body(Body::empty());
        app.oneshot(request.unwrap()).await.unwrap().status()
    };
    assert_eq!(ask(shop.gate()).await, StatusCode::OK);
    assert_eq!(ask(Gate::new(elsewhere, Clock::from_fn(|| NOW))).await, StatusCode::UNAUTHORIZED);
}
