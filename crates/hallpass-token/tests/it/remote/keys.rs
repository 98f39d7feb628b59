//! The keys: asked for in time, once more for a token that names another one, and never lost to an outage.

use std::time::Duration;

use axum::http::StatusCode;
use hallpass_token::{Algorithm, Reason, RemoteError, SigningKey, TokenError, remote::Failure};

use super::{UNKNOWN, World, pass, until};
use crate::support::{NOW, claims};

const NO_SUCH_KEY: RemoteError = RemoteError::Token(TokenError::Invalid(Reason::UnknownKey));

fn another() -> (SigningKey, String) {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = key.sign(&claims()).unwrap();
    (key, token)
}

#[tokio::test]
async fn a_token_that_names_a_new_key_is_good_at_once() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    pass(Duration::from_secs(10)).await;
    remote.current().await;
    let (key, token) = another();
    world.hallpass.show(&[&world.key, &key]);
    assert_eq!(remote.authenticate(&token).await.unwrap().sid, claims().sid);
    assert_eq!(world.hallpass.key_questions(), 2);
    assert_eq!(world.verify(&remote), Ok(()), "the old one is still shown");
}

#[tokio::test]
async fn keys_that_somebody_invents_are_asked_for_once_in_ten_seconds() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    for _ in 0..20 {
        assert_eq!(remote.authenticate(&another().1).await, Err(NO_SUCH_KEY));
        assert_eq!(remote.verify(&another().1, NOW), Err(NO_SUCH_KEY));
    }
    assert_eq!(world.hallpass.key_questions(), 1, "the keys were asked for a moment ago");
    pass(Duration::from_secs(10)).await;
    assert_eq!(remote.verify(&another().1, NOW), Err(UNKNOWN), "what does not wait cannot say it yet");
    for _ in 0..20 {
        assert_eq!(remote.authenticate(&another().1).await, Err(NO_SUCH_KEY));
    }
    assert_eq!(world.hallpass.key_questions(), 2);
}

#[tokio::test]
async fn keys_are_asked_for_again_when_their_age_is_over_whoever_comes() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    let (key, token) = another();
    world.hallpass.show(&[&key]);
    pass(Duration::from_secs(899)).await;
    assert_eq!(world.hallpass.key_questions(), 1);
    pass(Duration::from_secs(2)).await;
    until("the question", || world.hallpass.key_questions() == 2).await;
    until("the new key", || remote.verify(&token, NOW).is_ok()).await;
    assert_eq!(world.verify(&remote), Err(NO_SUCH_KEY), "a key that is shown no longer is none");
}

#[tokio::test]
async fn without_the_server_the_keys_stay_and_a_new_one_is_unknown_and_not_wrong() {
    let world = World::new().await;
    let remote = world.follow(world.builder().when_stale(hallpass_token::remote::WhenStale::Accept)).await;
    world.hallpass.change(|script| script.refusal = Some(StatusCode::BAD_GATEWAY));
    pass(Duration::from_secs(3_600)).await;
    until("an outage", || remote.status().keys == Some(Failure::Status(502))).await;
    assert_eq!(world.verify(&remote), Ok(()));
    let (key, token) = another();
    assert_eq!(remote.authenticate(&token).await, Err(UNKNOWN));
    world.hallpass.show(&[&world.key, &key]);
    world.hallpass.recover();
    until("the new key", || remote.verify(&token, NOW).is_ok()).await;
}

#[tokio::test]
async fn what_is_no_set_of_public_keys_changes_nothing() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    for document in ["", "{}", "<html>", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#] {
        world.hallpass.change(|script| script.keys = document.into());
        pass(Duration::from_secs(901)).await;
        until("a failure", || matches!(remote.status().keys, Some(Failure::Unexpected(_)))).await;
        remote.current().await;
        assert_eq!(world.verify(&remote), Ok(()), "{document}");
        world.hallpass.show(&[&world.key]);
        until("it is over", || remote.status().keys.is_none()).await;
    }
}
