//! A back end that lives apart from the Hallpass server: what it hears, what it does when it hears nothing, and that it
//! always comes back. Time is set forward where a promise is about time.

mod clocks;
mod feed;
#[cfg(feature = "axum")]
mod gate;
mod hallpass;
mod keys;
mod outage;
mod setup;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use hallpass_token::{
    Algorithm, Clock, Remote, RemoteError, SigningKey, TokenError,
    remote::{Builder, Feed},
};
use tokio::{task::JoinHandle, time};

use self::hallpass::{CLIENT, Hallpass, SECRET};
use crate::support::{AUDIENCE, ISSUER, NOW, claims};

const UNKNOWN: RemoteError = RemoteError::RevocationUnknown;
const ENDED: RemoteError = RemoteError::Token(TokenError::Ended);
const STALE: RemoteError = RemoteError::Token(TokenError::Stale);

/// A Hallpass server with one key, a good token of it, and a back end that follows it.
struct World {
    hallpass: Hallpass,
    key: SigningKey,
    token: String,
    /// What time it is for the back end.
    clock: Arc<AtomicI64>,
}

impl World {
    async fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let hallpass = Hallpass::start(&[&key]).await;
        let token = key.sign(&claims()).unwrap();
        Self { hallpass, key, token, clock: Arc::new(AtomicI64::new(NOW)) }
    }

    fn builder(&self) -> Builder {
        let clock = Arc::clone(&self.clock);
        Remote::builder(ISSUER)
            .audience(AUDIENCE)
            .client(CLIENT, SECRET)
            .base_url(self.hallpass.url())
            .clock(Clock::from_fn(move || clock.load(Ordering::Relaxed)))
    }

    /// A back end that has heard everything.
    async fn follow(&self, builder: Builder) -> Remote {
        let remote = builder.build().unwrap();
        run(&remote);
        remote.current().await;
        remote
    }

    fn verify(&self, remote: &Remote) -> Result<(), RemoteError> {
        remote.verify(&self.token, NOW).map(|_| ())
    }
}

fn run(remote: &Remote) -> JoinHandle<()> {
    tokio::spawn(remote.clone().run())
}

/// Waits for a condition.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came: {what}");
        time::sleep(Duration::from_millis(1)).await;
    }
}

/// Sets forward the time of everything that waits.
async fn pass(time: Duration) {
    time::pause();
    time::advance(time).await;
    time::resume();
}

const BOTH: [Feed; 2] = [Feed::Stream, Feed::Poll];

#[tokio::test]
async fn what_the_server_takes_back_is_refused_here_without_asking_about_a_token() {
    for feed in BOTH {
        let world = World::new().await;
        let remote = world.follow(world.builder().feed(feed)).await;
        assert_eq!(world.verify(&remote), Ok(()));
        assert_eq!(remote.authenticate(&world.token).await.unwrap().sub, claims().sub);

        world.hallpass.take_back([hallpass::outdated(8, 99), hallpass::outdated(7, 3)]);
        until("two lines", || remote.verifier().revoked().len() == 2).await;
        assert_eq!(world.verify(&remote), Ok(()), "{feed:?}: of this account only older tokens are out of date");
        world.hallpass.take_back([hallpass::outdated(7, 4)]);
        until("out of date", || world.verify(&remote) == Err(STALE)).await;
        world.hallpass.take_back([hallpass::ended(claims().sid)]);
        until("ended", || world.verify(&remote) == Err(ENDED)).await;
        assert_eq!(remote.authenticate(&world.token).await, Err(ENDED));
        assert!(remote.is_current());
    }
}

#[tokio::test]
async fn what_was_taken_back_before_is_refused_from_the_beginning() {
    for feed in BOTH {
        let world = World::new().await;
        world.hallpass.take_back([hallpass::ended(claims().sid)]);
        let remote = world.follow(world.builder().feed(feed)).await;
        assert_eq!(world.verify(&remote), Err(ENDED), "{feed:?}");
    }
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    assert_eq!((UNKNOWN.code(), ENDED.code(), STALE.code()), ("revocation_unknown", "session_ended", "token_stale"));
}
