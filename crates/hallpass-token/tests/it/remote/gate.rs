//! The same extractor and layer as beside the server itself, at a back end that follows it.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::to_bytes,
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{Request, Response, StatusCode, request::Parts},
    response::IntoResponse,
};
use hallpass_token::{CurrentUser, Gate, Rejection, Remote, Revocation, TokenError};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use super::{World, hallpass::*, pass, until};
use crate::support::{NOW, claims};

fn request(token: Option<&str>) -> Parts {
    let request = Request::builder().uri("/orders");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(()).unwrap().into_parts().0
}

async fn current_user(state: &Remote, token: Option<&str>) -> Result<CurrentUser, Rejection> {
    <CurrentUser as FromRequestParts<Remote>>::from_request_parts(&mut request(token), state).await
}

#[tokio::test]
async fn the_extractor_follows_the_server() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    assert_eq!(current_user(&remote, Some(&world.token)).await.unwrap().sub, claims().sub);
    assert_eq!(current_user(&remote, None).await.unwrap_err(), Rejection::Token(TokenError::Missing));
    world.hallpass.take_back([ended(claims().sid)]);
    until("ended", || remote.verifier().revoked().len() == 1).await;
    let rejection = current_user(&remote, Some(&world.token)).await.unwrap_err();
    assert_eq!(rejection, Rejection::Token(TokenError::Ended));
}

#[tokio::test]
async fn what_is_not_known_is_answered_with_503_and_no_challenge() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    world.hallpass.lose_its_log();
    pass(Duration::from_secs(11)).await;
    assert_eq!(current_user(&remote, None).await.unwrap_err(), Rejection::Token(TokenError::Missing));
    let optional = async |token| {
        let mut parts = request(token);
        <CurrentUser as OptionalFromRequestParts<Remote>>::from_request_parts(&mut parts, &remote).await
    };
    assert!(optional(None).await.unwrap().is_none());
    assert_eq!(optional(Some(&world.token)).await.unwrap_err(), Rejection::RevocationUnknown);

    let response = current_user(&remote, Some(&world.token)).await.unwrap_err().into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!(
        (header("content-type"), header("retry-after"), header("www-authenticate")),
        (Some("application/problem+json"), Some("1"), None)
    );
    let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 4_096).await.unwrap()).unwrap();
    let expected = json!({
        "type": "about:blank", "title": "The access token cannot be checked now", "status": 503,
        "detail": "Try again in a second", "code": "revocation_unknown",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_layer_follows_the_server_and_lets_nobody_through_while_it_does_not_know() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let gated = Gate::from(remote.clone()).layer(service_fn(move |request: Request<()>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let user: &CurrentUser = request.extensions().get().unwrap();
        ready(Ok::<_, Infallible>(Response::new(user.sub.to_string())))
    }));
    let ask = async || {
        let request = Request::from_parts(request(Some(&world.token)), ());
        let response = gated.clone().oneshot(request).await.unwrap();
        (response.status(), response.headers().get("retry-after").is_some(), calls.load(Ordering::SeqCst))
    };
    assert_eq!(ask().await, (StatusCode::OK, false, 1));
    world.hallpass.lose_its_log();
    pass(Duration::from_secs(11)).await;
    assert_eq!(ask().await, (StatusCode::SERVICE_UNAVAILABLE, true, 1));
    remote.verifier().revoked().apply(&Revocation::Session { session: claims().sid, forget_at: NOW + 300 });
    assert_eq!(ask().await, (StatusCode::UNAUTHORIZED, false, 1));
}

/// A larger state has the back end as a part.
struct Shop {
    remote: Remote,
}

impl FromRef<Shop> for Gate {
    fn from_ref(shop: &Shop) -> Self {
        shop.remote.clone().into()
    }
}

#[tokio::test]
async fn it_can_be_a_part_of_the_state() {
    let world = World::new().await;
    let shop = Shop { remote: world.follow(world.builder()).await };
    let mut parts = request(Some(&world.token));
    let user = <CurrentUser as FromRequestParts<Shop>>::from_request_parts(&mut parts, &shop).await.unwrap();
    assert_eq!(user.sid, claims().sid);
}
