//! Following what is taken back: whole, in any order, and from where it was.

use std::{sync::atomic::Ordering, time::Duration};

use axum::http::StatusCode;
use hallpass_token::remote::{Failure, Feed};
use serde_json::json;

use super::{BOTH, ENDED, STALE, UNKNOWN, World, hallpass::*, pass, run, until};
use crate::support::{NOW, claims};

#[tokio::test]
async fn a_snapshot_in_pages_counts_when_its_last_page_was_read() {
    let world = World::new().await;
    let others = (100..106).map(|account| outdated(account, 2));
    world.hallpass.take_back(others.chain([ended(claims().sid)]));
    world.hallpass.change(|script| (script.page, script.hidden_from) = (2, 4));
    let remote = world.builder().build().unwrap();
    run(&remote);
    until("a refused page", || remote.status().feed == Some(Failure::Status(503))).await;
    assert_eq!(remote.verifier().revoked().len(), 4);
    assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(UNKNOWN)));

    world.hallpass.change(|script| script.hidden_from = usize::MAX);
    remote.current().await;
    assert_eq!((remote.verifier().revoked().len(), world.verify(&remote)), (7, Err(ENDED)));
    let questions = world.hallpass.questions();
    let told = questions.iter().filter(|question| question.status == StatusCode::OK && !question.stream);
    let since: Vec<_> = told.map(|question| question.since.as_deref().unwrap_or("nothing")).take(4).collect();
    assert_eq!(since, ["nothing", "1.2", "1.4", "1.6"], "no page is asked for twice");
}

#[tokio::test]
async fn after_a_cut_it_goes_on_where_it_was() {
    for feed in BOTH {
        let world = World::new().await;
        world.hallpass.take_back([outdated(100, 2)]);
        let remote = world.follow(world.builder().feed(feed)).await;
        world.hallpass.lose_its_log();
        world.hallpass.cut();
        until("an outage", || remote.status().feed.is_some()).await;
        world.hallpass.take_back([ended(claims().sid)]);
        world.hallpass.recover();
        until("ended", || world.verify(&remote) == Err(ENDED)).await;
        let questions = world.hallpass.questions();
        let anew = questions.iter().filter(|question| question.since.is_none());
        assert_eq!(anew.count(), 1, "{feed:?}: only the first time everything is read: {questions:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_is_opened_again_and_is_no_outage() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    let streams = || world.hallpass.questions().iter().filter(|question| question.stream).count();
    for count in 1..4 {
        until("a stream", || streams() == count).await;
        world.hallpass.take_back([outdated(100 + count as i64, 2)]);
        until("a line", || remote.verifier().revoked().len() == count).await;
        world.hallpass.cut();
    }
    until("a stream", || streams() == 4).await;
    assert_eq!((remote.is_current(), remote.status().feed), (true, None));
}

#[tokio::test]
async fn a_cursor_that_the_server_refuses_is_given_up() {
    let world = World::new().await;
    world.hallpass.take_back([ended(claims().sid)]);
    let remote = world.follow(world.builder()).await;
    world.hallpass.change(|script| script.refusal = Some(StatusCode::BAD_REQUEST));
    world.hallpass.cut();
    until("refused", || remote.status().feed == Some(Failure::Status(400))).await;
    let before = world.hallpass.questions().len();
    world.hallpass.recover();
    until("another stream", || remote.status().feed.is_none()).await;
    assert!(world.hallpass.questions()[before..].iter().any(|question| question.since.is_none()));
    assert_eq!(world.verify(&remote), Err(ENDED), "what was known before is kept");
}

#[tokio::test]
async fn when_a_history_begins_anew_what_is_held_besides_stays() {
    let world = World::new().await;
    world.hallpass.take_back([ended(claims().sid)]);
    let remote = world.follow(world.builder()).await;
    world.hallpass.change(|script| {
        script.history = 2;
        script.lines = vec![outdated(100, 2)];
        script.cuts += 1;
    });
    until("the new history", || remote.verifier().revoked().len() == 2).await;
    assert_eq!(world.verify(&remote), Err(ENDED));
    world.hallpass.take_back([outdated(101, 2)]);
    until("what comes then", || remote.verifier().revoked().len() == 3).await;
}

#[tokio::test]
async fn lines_can_come_twice_and_in_any_order() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    let early = |mut line: serde_json::Value| {
        line["forget_at"] = (NOW + 1).into();
        line
    };
    let lines = [outdated(7, 4), early(outdated(7, 4)), outdated(7, 2), outdated(7, 4), early(ended(claims().sid))];
    world.hallpass.take_back(lines);
    until("ended", || world.verify(&remote) == Err(ENDED)).await;
    assert_eq!(remote.verifier().revoked().len(), 2);
    remote.verifier().revoked().forget(NOW + 2);
    assert_eq!(world.verify(&remote), Err(STALE), "the higher version and the later moment count");
}

#[tokio::test]
async fn a_poll_waits_for_news_and_hears_that_there_are_none() {
    let world = World::new().await;
    world.hallpass.take_back([outdated(100, 2)]);
    let remote = world.follow(world.builder().feed(Feed::Poll)).await;
    for _ in 0..3 {
        let before = world.hallpass.questions().len();
        until("a question", || world.hallpass.waiting() == 1).await;
        pass(Duration::from_secs(5)).await;
        until("an answer", || world.hallpass.questions().len() > before).await;
    }
    until("it was heard", || remote.is_current()).await;
    for question in &world.hallpass.questions()[1..] {
        let Question { since, wait, known, stream, status } = question;
        assert_eq!((since.as_deref(), known.as_deref()), (Some("1.1"), Some("\"1.1\"")));
        assert_eq!((*wait, *stream, *status), (Some(3), false, StatusCode::NOT_MODIFIED));
    }
}

#[tokio::test]
async fn what_is_not_understood_is_never_taken_for_nothing() {
    for answer in [
        json!(""),
        json!([]),
        json!({}),
        json!({ "cursor": "1.1" }),
        json!({ "lines": [] }),
        json!({ "cursor": "", "lines": [] }),
        json!({ "cursor": "a b", "lines": [] }),
        json!({ "cursor": "a\r\nb", "lines": [] }),
        json!({ "cursor": "a&wait=1", "lines": [] }),
        json!({ "cursor": "9".repeat(201), "lines": [] }),
        json!({ "cursor": "1.1", "lines": [{}] }),
        json!({ "cursor": "1.1", "lines": [{ "session": claims().sid }] }),
        json!({ "cursor": "1.1", "lines": [{ "session": "x", "forget_at": NOW }] }),
        json!({ "cursor": "1.1", "lines": [{ "account": 7, "forget_at": NOW }] }),
        json!({ "cursor": "1.1", "lines": [{ "account": "7", "below_version": 1, "forget_at": NOW }] }),
        json!({ "cursor": "1.1", "lines": [], "more": "true" }),
        json!({ "cursor": "1.1", "lines": [], "x": " ".repeat(9_000_000) }),
    ] {
        let world = World::new().await;
        world.hallpass.change(|script| script.answer = Some(answer.to_string()));
        let remote = world.builder().build().unwrap();
        run(&remote);
        until("a failure", || matches!(remote.status().feed, Some(Failure::Unexpected(_)))).await;
        let answer: String = answer.to_string().chars().take(100).collect();
        assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(UNKNOWN)), "{answer}");
    }
}

#[tokio::test]
async fn a_line_of_another_kind_does_not_keep_the_others_from_taking_effect() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    world.hallpass.take_back([ended(claims().sid), json!({ "tenant": 3, "forget_at": NOW + 425 }), outdated(8, 2)]);
    until("a failure", || matches!(remote.status().feed, Some(Failure::Unexpected(_)))).await;
    assert_eq!((remote.verifier().revoked().len(), world.verify(&remote)), (2, Err(ENDED)));
}

#[tokio::test]
async fn a_server_that_promises_more_without_end_is_not_asked_without_end() {
    let world = World::new().await;
    world.hallpass.change(|script| script.answer = Some(r#"{"cursor":"1.1","more":true,"lines":[]}"#.into()));
    let remote = world.builder().build().unwrap();
    run(&remote);
    until("a failure", || matches!(remote.status().feed, Some(Failure::Unexpected(_)))).await;
    assert!(!remote.is_current());
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_read_again_if_the_clock_is_set_back() {
    let world = World::new().await;
    world.hallpass.take_back([ended(claims().sid), outdated(7, 4)]);
    let remote = world.follow(world.builder()).await;
    // This machine's clock jumps ahead by an hour, and nobody notices for a minute.
    world.clock.store(NOW + 3_600, Ordering::Relaxed);
    pass(Duration::from_secs(61)).await;
    until("forgotten", || remote.verifier().revoked().is_empty()).await;
    world.clock.store(NOW, Ordering::Relaxed);
    until("read again", || remote.verifier().revoked().len() == 2).await;
    remote.current().await;
    assert_eq!(world.verify(&remote), Err(ENDED));
}

#[tokio::test]
async fn a_second_run_goes_on_where_the_first_one_was() {
    let world = World::new().await;
    world.hallpass.take_back([outdated(100, 2)]);
    let remote = world.builder().build().unwrap();
    let (first, second) = (run(&remote), run(&remote));
    remote.current().await;
    first.abort();
    second.abort();
    assert!(first.await.is_err() && second.await.is_err());
    let before = world.hallpass.questions().len();
    world.hallpass.take_back([ended(claims().sid)]);
    run(&remote);
    until("ended", || world.verify(&remote) == Err(ENDED)).await;
    assert_eq!(world.hallpass.questions()[before].since.as_deref(), Some("1.1"));
}
