//! Machines that sleep, processes that are stopped, and clocks that are set: what was heard counts for as long as
//! `max_staleness` says by whichever clock says more, and nothing that a wrong clock made it forget is taken for good.

use std::{pin::pin, sync::atomic::Ordering, time::Duration};

use hallpass_token::{Claims, Remote};
use tokio::{sync::watch, task};

use super::{BOTH, ENDED, UNKNOWN, World, hallpass::*, pass, until};
use crate::support::{NOW, claims};

const DAY: i64 = 86_400;

/// A good token of another session than [`World::token`].
fn another(world: &World) -> String {
    let sid = "0198c0de-7a11-7000-8000-0000000000bb".parse().unwrap();
    world.key.sign(&Claims { sid, ..claims() }).unwrap()
}

/// The server goes away, and nothing of it is on its way any more.
async fn goes_away(world: &World, remote: &Remote) {
    world.hallpass.lose_its_log();
    world.hallpass.cut();
    until("an outage", || remote.status().feed.is_some()).await;
}

async fn comes_back(world: &World, remote: &Remote) {
    world.hallpass.recover();
    pass(Duration::from_secs(5)).await;
    remote.current().await;
    assert_eq!(world.verify(remote), Ok(()));
}

#[tokio::test]
async fn what_the_machine_slept_through_counts_as_silence() {
    for feed in BOTH {
        let world = World::new().await;
        let remote = world.follow(world.builder().feed(feed)).await;
        goes_away(&world, &remote).await;
        assert_eq!(world.verify(&remote), Ok(()), "{feed:?}");
        // The monotonic clock stood still.
        world.clock.fetch_add(11, Ordering::Relaxed);
        assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(UNKNOWN)), "{feed:?}");
        assert!(remote.status().heard.unwrap() >= Duration::from_secs(11));
        comes_back(&world, &remote).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_not_believed_before_the_server_is_heard_again() {
    for feed in BOTH {
        let world = World::new().await;
        let remote = world.follow(world.builder().feed(feed)).await;
        goes_away(&world, &remote).await;
        world.clock.fetch_sub(2, Ordering::Relaxed);
        assert_eq!(world.verify(&remote), Ok(()), "by so much it may be wrong: {feed:?}");
        world.clock.fetch_sub(1, Ordering::Relaxed);
        assert_eq!((remote.is_current(), world.verify(&remote)), (false, Err(UNKNOWN)), "{feed:?}");
        assert_eq!(remote.status().heard, None);
        comes_back(&world, &remote).await;
    }
}

#[tokio::test]
async fn a_day_ahead_and_back_lets_no_ended_session_in_and_the_others_are_good_again() {
    for feed in BOTH {
        let world = World::new().await;
        world.hallpass.take_back([ended(claims().sid)]);
        let remote = world.follow(world.builder().feed(feed)).await;
        let other = another(&world);
        world.clock.store(NOW + DAY, Ordering::Relaxed);
        pass(Duration::from_secs(61)).await;
        until("forgotten", || remote.verifier().revoked().is_empty()).await;
        world.clock.store(NOW, Ordering::Relaxed);
        pass(Duration::from_secs(3)).await;
        until("read again", || {
            assert_ne!(world.verify(&remote), Ok(()), "{feed:?}: the session has ended");
            remote.verify(&other, NOW).is_ok()
        })
        .await;
        assert_eq!(world.verify(&remote), Err(ENDED));

        world.clock.store(NOW - DAY, Ordering::Relaxed);
        pass(Duration::from_secs(61)).await;
        until("heard", || remote.is_current()).await;
        world.clock.store(NOW, Ordering::Relaxed);
        pass(Duration::from_secs(3)).await;
        until("heard", || {
            assert_ne!(world.verify(&remote), Ok(()), "{feed:?}: the session has ended");
            remote.verify(&other, NOW).is_ok()
        })
        .await;
    }
}

/// Does the work of [`Remote::run`] while `going` says so, and stands still otherwise.
async fn run_while(mut going: watch::Receiver<bool>, remote: Remote) {
    let mut run = pin!(remote.run());
    loop {
        going.wait_for(|going| *going).await.unwrap();
        tokio::select! {
            stopped = going.wait_for(|going| !going) => drop(stopped.unwrap()),
            () = &mut run => {}
        }
    }
}

#[tokio::test]
async fn heartbeats_that_waited_while_the_process_was_stopped_say_nothing_about_now() {
    let world = World::new().await;
    let remote = world.builder().build().unwrap();
    let (going, when) = watch::channel(true);
    tokio::spawn(run_while(when, remote.clone()));
    remote.current().await;
    let beats = world.hallpass.beats();
    until("the stream", || world.hallpass.beats() > beats + 2).await;
    going.send_replace(false);
    task::yield_now().await;
    let beats = world.hallpass.beats();
    until("more of them", || world.hallpass.beats() > beats + 2).await;
    // While it stands still the session ends, and then the server goes away: the stream never brings the news.
    world.hallpass.lose_its_log();
    world.hallpass.cut();
    world.clock.fetch_add(60, Ordering::Relaxed);
    going.send_replace(true);
    until("an outage", || {
        assert_eq!(world.verify(&remote), Err(UNKNOWN));
        remote.status().feed.is_some()
    })
    .await;
    assert_eq!(world.verify(&remote), Err(UNKNOWN));
    world.hallpass.take_back([ended(claims().sid)]);
    world.hallpass.recover();
    until("ended", || {
        let answer = world.verify(&remote);
        assert_ne!(answer, Ok(()));
        answer == Err(ENDED)
    })
    .await;
}
