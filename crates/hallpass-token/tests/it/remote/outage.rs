//! When the server is away, silent, or does not know us: nobody is signed out, and everybody is told once.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::StatusCode;
use hallpass_token::remote::{Failure, WhenStale};
use tokio::{net::TcpListener, time};
use tracing_subscriber::fmt::MakeWriter;

use super::{BOTH, ENDED, UNKNOWN, World, hallpass::*, pass, run, until};
use crate::support::claims;

#[tokio::test]
async fn a_server_that_is_silent_makes_good_tokens_unknown_and_the_ended_stay_ended() {
    for feed in BOTH {
        let world = World::new().await;
        let remote = world.follow(world.builder().feed(feed)).await;
        let other = world.key.sign(&hallpass_token::Claims { jti: "other".into(), ..claims() }).unwrap();
        assert!(remote.verify(&other, super::NOW).is_ok());
        world.hallpass.lose_its_log();
        pass(Duration::from_secs(11)).await;
        assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(UNKNOWN)), "{feed:?}");
        assert_eq!(remote.authenticate(&other).await, Err(UNKNOWN));
        assert!(remote.status().heard.unwrap() >= Duration::from_secs(10));

        world.hallpass.recover();
        remote.current().await;
        assert_eq!(world.verify(&remote), Ok(()));
        world.hallpass.take_back([ended(claims().sid)]);
        until("ended", || world.verify(&remote) == Err(ENDED)).await;
        world.hallpass.lose_its_log();
        pass(Duration::from_secs(11)).await;
        assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(ENDED)), "known is known");
    }
}

#[tokio::test]
async fn who_accepts_staleness_goes_on_with_what_is_known() {
    let world = World::new().await;
    let remote = world.follow(world.builder().when_stale(WhenStale::Accept)).await;
    world.hallpass.lose_its_log();
    pass(Duration::from_secs(3_600)).await;
    assert_eq!((remote.is_current(), world.verify(&remote)), (false, Ok(())));
    assert!(!remote.status().current);
    world.hallpass.take_back([ended(claims().sid)]);
    world.hallpass.recover();
    until("ended", || world.verify(&remote) == Err(ENDED)).await;
}

#[tokio::test]
async fn how_long_it_may_be_silent_is_a_setting() {
    let world = World::new().await;
    let remote = world.follow(world.builder().max_staleness(Duration::from_secs(60))).await;
    world.hallpass.lose_its_log();
    pass(Duration::from_secs(55)).await;
    assert_eq!(world.verify(&remote), Ok(()));
    pass(Duration::from_secs(6)).await;
    assert_eq!(world.verify(&remote), Err(UNKNOWN));
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_signs_nobody_out_and_is_found_when_it_comes() {
    for when_stale in [WhenStale::Refuse, WhenStale::Accept] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let world = World::new().await;
        let base = format!("http://{address}/auth");
        let remote = world.builder().base_url(base).when_stale(when_stale).build().unwrap();
        assert_eq!(world.verify(&remote), Err(UNKNOWN), "nothing was even asked");
        run(&remote);
        let away = |failure: Option<Failure>| matches!(failure, Some(Failure::Unreachable(_)));
        until("an outage", || away(remote.status().feed) && away(remote.status().keys)).await;
        assert_eq!(world.verify(&remote), Err(UNKNOWN), "without keys nothing can be accepted either");
        assert_eq!(remote.authenticate(&world.token).await, Err(UNKNOWN));
        assert_eq!((remote.is_current(), remote.status().heard), (false, None));

        let waiting = remote.clone();
        let waiting = tokio::spawn(async move { waiting.current().await });
        Hallpass::listen(TcpListener::bind(address).await.unwrap(), &[&world.key]);
        waiting.await.unwrap();
        assert_eq!(world.verify(&remote), Ok(()));
        until("all is well", || remote.status().feed.is_none() && remote.status().keys.is_none()).await;
    }
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_given_up_for_another_one() {
    let world = World::new().await;
    let remote = world.follow(world.builder()).await;
    let streams = || world.hallpass.questions().iter().filter(|question| question.stream).count();
    until("a stream", || streams() == 1).await;
    world.hallpass.change(|script| script.heartbeats = false);
    pass(Duration::from_secs(5)).await;
    until("silence", || remote.status().feed == Some(Failure::Silent)).await;
    until("another stream", || streams() == 2).await;
    assert!(remote.is_current(), "between the two it was heard that nothing was missed");
}

#[tokio::test]
async fn a_server_that_takes_connections_and_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new().await;
    let remote = world.builder().base_url(format!("http://{}", listener.local_addr().unwrap())).build().unwrap();
    run(&remote);
    let _calls = [listener.accept().await.unwrap(), listener.accept().await.unwrap()];
    time::pause();
    time::advance(Duration::from_secs(5)).await;
    time::resume();
    until("silence", || remote.status().feed == Some(Failure::Silent)).await;
    until("silence", || remote.status().keys == Some(Failure::Silent)).await;
}

#[tokio::test]
async fn a_proxy_that_lets_no_stream_through_is_named_and_costs_no_safety() {
    let world = World::new().await;
    world.hallpass.change(|script| script.streams = false);
    let remote = world.follow(world.builder()).await;
    until("a failure", || matches!(remote.status().feed, Some(Failure::Unexpected(what)) if what.contains("Poll")))
        .await;
    world.hallpass.take_back([ended(claims().sid)]);
    until("ended", || world.verify(&remote) == Err(ENDED)).await;
    assert!(remote.is_current());
}

#[tokio::test]
async fn a_wrong_secret_is_named_once_in_the_log_and_never_printed() {
    let world = World::new().await;
    let (log, _guard) = Log::begin();
    let remote = world.builder().client(CLIENT, "hps_guessed").build().unwrap();
    run(&remote);
    until("three attempts", || world.hallpass.questions().len() >= 3).await;
    assert!(world.hallpass.questions().iter().all(|question| question.status == StatusCode::UNAUTHORIZED));
    assert_eq!(remote.status().feed, Some(Failure::ClientRefused));
    assert_eq!(world.verify(&remote), Err(UNKNOWN));
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("`hallpass clients create`"), "{lines:?}");
    let printed = format!("{lines:?} {remote:?} {:?}", remote.status());
    assert!(!printed.contains("guessed") && !printed.contains("aHBj"), "{printed}");
}

#[tokio::test]
async fn an_outage_is_told_once_and_so_is_its_end() {
    let world = World::new().await;
    let (log, _guard) = Log::begin();
    let remote = world.follow(world.builder()).await;
    assert_eq!(log.lines(), [""; 0], "what works is not worth a line");
    world.hallpass.lose_its_log();
    world.hallpass.cut();
    let before = world.hallpass.questions().len();
    until("three attempts", || world.hallpass.questions().len() >= before + 3).await;
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    assert!(log.lines()[0].contains("WARN") && log.lines()[0].contains("503"), "{:?}", log.lines());
    world.hallpass.recover();
    until("it is over", || remote.status().feed.is_none()).await;
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
    assert!(log.lines()[1].contains("INFO") && log.lines()[1].contains("again"), "{:?}", log.lines());
}

/// What this thread logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
        let subscriber = subscriber.with_env_filter("hallpass_token=debug").finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(String::from).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
