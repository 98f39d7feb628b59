//! The `Authorization` header, the extractor, and what a client is told.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    body::to_bytes,
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, Request, StatusCode, header::AUTHORIZATION, request::Parts},
    response::IntoResponse,
};
use hallpass_token::{
    Algorithm, Clock, CurrentUser, Gate, Reason, Rejection, Revocation, SigningKey, TokenError, bearer,
};
use serde_json::{Value, json};

use crate::support::{LEEWAY, NOW, claims, verifier};

const MALFORMED: Result<&str, TokenError> = Err(TokenError::Invalid(Reason::Authorization));

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap())).fold(
        HeaderMap::new(),
        |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        },
    )
}

fn request(values: &[&str]) -> Parts {
    let mut request = Request::builder().uri("/orders?access_token=query").body(()).unwrap();
    *request.headers_mut() = headers(values);
    request.into_parts().0
}

fn gate(key: &SigningKey, now: i64) -> Gate {
    Gate::new(verifier(key), Clock::from_fn(move || now))
}

async fn current_user(values: &[&str], gate: &Gate) -> Result<CurrentUser, Rejection> {
    <CurrentUser as FromRequestParts<Gate>>::from_request_parts(&mut request(values), gate).await
}

#[test]
fn the_scheme_is_bearer_in_any_letter_case() {
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER"] {
        assert_eq!(bearer(&headers(&[&format!("{scheme} a.b-c_d~e+f/g==")])), Ok("a.b-c_d~e+f/g=="));
    }
}

#[test]
fn only_one_token_after_one_space_is_a_header_of_ours() {
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer  x",
        " Bearer x",
        "Bearer x ",
        "Bearer\tx",
        "Bearer x y",
        "Bearer x,Bearer y",
        "Bearer x, y",
        "Bearer =",
        "Bearer a=b",
        "Bearer \"x\"",
        "Bearer x;",
        "Bearer Bearer x",
        "Bearer token=x",
        "Bearer {x}",
        "Bearer x\u{a0}",
        "Basic x",
        "JWT x",
        "Token x",
        "DPoP x",
        "Foo x",
        "Bearerx",
        "x",
        "",
    ] {
        assert_eq!(bearer(&headers(&[value])), MALFORMED, "{value:?}");
    }
}

#[test]
fn two_headers_are_refused_even_if_they_agree() {
    assert_eq!(bearer(&headers(&["Bearer x", "Bearer x"])), MALFORMED);
    assert_eq!(bearer(&headers(&["Bearer x", "Basic y"])), MALFORMED);
}

#[test]
fn a_request_without_the_header_has_no_token_whatever_its_query_says() {
    assert_eq!(bearer(&request(&[]).headers), Err(TokenError::Missing));
}

#[tokio::test]
async fn a_good_token_lets_its_owner_in() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = format!("Bearer {}", key.sign(&claims()).unwrap());
    let user = current_user(&[&token], &gate(&key, NOW)).await.unwrap();
    assert_eq!((user.sub, user.sid), (claims().sub, claims().sid));
    assert!(user.has_role("support"));
    assert_eq!(user.require_role("support"), Ok(()));
    assert_eq!(user.require_role("Support"), Err(Rejection::Forbidden));
    assert_eq!(user.require_role(""), Err(Rejection::Forbidden));
}

#[tokio::test]
async fn an_optional_user_is_none_without_a_token_and_refused_with_a_bad_one() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let gate = gate(&key, NOW);
    let optional = async |values: &[&str]| {
        <CurrentUser as OptionalFromRequestParts<Gate>>::from_request_parts(&mut request(values), &gate).await
    };
    assert!(optional(&[]).await.unwrap().is_none());
    let token = format!("Bearer {}", key.sign(&claims()).unwrap());
    assert!(optional(&[&token]).await.unwrap().is_some());
    let rejected = optional(&["Bearer a.b.c"]).await.unwrap_err();
    assert_eq!(rejected, Rejection::Token(TokenError::Invalid(Reason::Malformed)));
}

#[tokio::test]
async fn the_clock_of_the_gate_and_its_revocations_count() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = format!("Bearer {}", key.sign(&claims()).unwrap());
    let late = gate(&key, claims().exp + LEEWAY);
    assert_eq!(current_user(&[&token], &late).await.unwrap_err(), Rejection::Token(TokenError::Expired));
    let verifier = verifier(&key);
    let gate = Gate::new(verifier.clone(), Clock::from_fn(|| NOW));
    assert!(current_user(&[&token], &gate).await.is_ok());
    verifier.revoked().apply(&Revocation::Session { session: claims().sid, forget_at: NOW + 300 });
    assert_eq!(current_user(&[&token], &gate).await.unwrap_err(), Rejection::Token(TokenError::Ended));
}

#[tokio::test]
async fn a_gate_that_does_not_know_what_was_taken_back_says_so_of_good_tokens_alone() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = format!("Bearer {}", key.sign(&claims()).unwrap());
    let now = Arc::new(AtomicI64::new(NOW));
    let shown = now.clone();
    let clock = Clock::from_fn(move || shown.load(Ordering::Relaxed));
    let gate = Gate::knowing(verifier(&key), clock, |now| now < NOW + 10);
    assert!(current_user(&[&token], &gate).await.is_ok());
    now.store(NOW + 10, Ordering::Relaxed);
    assert_eq!(current_user(&[&token], &gate).await.unwrap_err(), Rejection::RevocationUnknown);
    assert_eq!(current_user(&[], &gate).await.unwrap_err(), Rejection::Token(TokenError::Missing));
    now.store(claims().exp + LEEWAY, Ordering::Relaxed);
    assert_eq!(current_user(&[&token], &gate).await.unwrap_err(), Rejection::Token(TokenError::Expired));
}

async fn answer(rejection: Rejection) -> (StatusCode, String, String, Value) {
    let response = rejection.into_response();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (kind, challenge) = (header("content-type"), header("www-authenticate"));
    let status = response.status();
    let body = to_bytes(response.into_body(), 4_096).await.unwrap();
    (status, kind, challenge, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_with_a_challenge() {
    let (status, kind, challenge, body) = answer(TokenError::Expired.into()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(kind, "application/problem+json");
    assert_eq!(challenge, r#"Bearer error="invalid_token", error_description="The access token has expired""#);
    let expected = json!({
        "type": "about:blank", "title": "The access token has expired", "status": 401,
        "detail": "Refresh and try again", "code": "token_expired",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_request_without_a_token_is_challenged_without_an_error() {
    let (status, _, challenge, body) = answer(TokenError::Missing.into()).await;
    assert_eq!(
        (status, challenge.as_str(), &body["code"]),
        (StatusCode::UNAUTHORIZED, "Bearer", &json!("token_missing"))
    );
}

#[tokio::test]
async fn a_missing_role_is_forbidden_and_no_fault_of_the_token() {
    let (status, _, challenge, body) = answer(Rejection::Forbidden).await;
    assert_eq!((status, &body["code"], &body["status"]), (StatusCode::FORBIDDEN, &json!("forbidden"), &json!(403)));
    assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#), "{challenge}");
}

#[tokio::test]
async fn every_token_that_is_not_valid_gets_the_same_answer() {
    let same = answer(TokenError::Invalid(Reason::Signature).into()).await;
    for reason in
        [Reason::Malformed, Reason::UnknownKey, Reason::Claim("aud"), Reason::Authorization, Reason::NotYet("nbf")]
    {
        assert_eq!(answer(TokenError::Invalid(reason).into()).await, same, "{reason}");
    }
}
