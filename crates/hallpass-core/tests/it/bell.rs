//! The bell is a hurry: where it rings others know at once, and where it does not nothing else changes.

use std::{sync::Arc, time::Duration};

use hallpass_core::{
    Hallpass, bell,
    config::Bell,
    feed, sessions, tasks,
    testing::{TestDb, TestRedis},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::timeout,
};

use crate::support::House;

/// Longer than anything here takes on a busy machine, so that only what hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two servers of one database. Neither looks at the log by itself: only the bell can tell the other of a sign-out.
struct Pair {
    house: House,
    other: Hallpass,
    background: JoinSet<()>,
}

impl Pair {
    async fn with_redis(database: TestDb, address: &str) -> Self {
        Self::on(database, Bell::Redis, address).await
    }

    async fn on(database: TestDb, bell: Bell, address: &str) -> Self {
        let house = House::with(database, |config| {
            config.revocation.bell = bell;
            config.revocation.redis = address.into();
        })
        .await;
        house.create("ada").await;
        let other = house.neighbour().await;
        Self { house, other, background: JoinSet::new() }
    }

    fn ring(&mut self) {
        let ringing = self.house.hallpass.clone();
        self.background.spawn(async move { bell::ring(&ringing).await });
    }

    fn hear(&mut self) {
        let (hearing, now) = (self.other.clone(), self.house.now());
        self.background.spawn(async move { bell::hear(&hearing, || now).await });
    }

    /// Signs somebody in and out again, and returns the token. Nobody waits for the bell.
    async fn sign_out(&self) -> String {
        let issued = self.house.sign_in("ada").await;
        self.other.verifier().verify(&issued.access_token, self.house.now()).unwrap();
        let ctx = self.house.ctx();
        let done = sessions::sign_out(&self.house.hallpass, &ctx, issued.session);
        timeout(PATIENCE, done).await.expect("nobody waits for the bell").unwrap();
        issued.access_token
    }

    fn knows(&self, token: &str) -> bool {
        self.other.verifier().verify(token, self.house.now()).is_err()
    }

    async fn learns(&self, token: &str) {
        let mut changes = feed::watch(&self.other);
        let known = async {
            while !self.knows(token) {
                changes.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, known).await.expect("the other server hears of the sign-out");
    }

    /// The first sign-out may be found by the look that begins the listening; the one behind it only by the bell.
    async fn assert_heard(&self) {
        for _ in 0..2 {
            let token = self.sign_out().await;
            self.learns(&token).await;
        }
    }

    async fn assert_found_by_looking(&self, token: &str) {
        assert!(!self.knows(token), "there was no bell to tell it");
        tasks::run(&self.other, &self.house.ctx()).await.unwrap();
        assert!(self.knows(token));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_notify_another_server_hears_of_a_sign_out_without_looking_by_itself() {
    let Some(database) = TestDb::postgres().await else { return };
    let mut pair = Pair::on(database, Bell::Notify, "").await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_redis_another_server_hears_of_a_sign_out_without_looking_by_itself() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(redis) = TestRedis::start(&[]).await else { return };
    let mut pair = Pair::with_redis(database, &redis.url("")).await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_sqlite_the_bell_of_redis_rings_as_well() {
    let Some(redis) = TestRedis::start(&[]).await else { return };
    let mut pair = Pair::with_redis(TestDb::sqlite().await, &redis.url("")).await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bell_another_server_learns_it_when_it_looks() {
    let Some(database) = TestDb::postgres().await else { return };
    let mut pair = Pair::on(database, Bell::Off, "").await;
    pair.ring();
    pair.hear();
    let token = pair.sign_out().await;
    pair.assert_found_by_looking(&token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_rang_for_is_found_as_soon_as_somebody_listens() {
    let Some(redis) = TestRedis::start(&[]).await else { return };
    for bell in [Bell::Notify, Bell::Redis] {
        let Some(database) = TestDb::postgres().await else { return };
        let address = if bell == Bell::Redis { redis.url("") } else { String::new() };
        let mut pair = Pair::on(database, bell, &address).await;
        let token = pair.sign_out().await;
        pair.hear();
        pair.learns(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_comes_back_is_found_again_by_itself() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(mut redis) = TestRedis::start(&[]).await else { return };
    let mut pair = Pair::with_redis(database, &redis.url("")).await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;

    redis.stop().await;
    let meanwhile = pair.sign_out().await;
    pair.assert_found_by_looking(&meanwhile).await;
    redis.start_again().await;
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_not_there_yet_is_found_when_it_is() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(mut redis) = TestRedis::start(&[]).await else { return };
    redis.stop().await;
    let mut pair = Pair::with_redis(database, &redis.url("")).await;
    pair.ring();
    pair.hear();
    let token = pair.sign_out().await;
    pair.assert_found_by_looking(&token).await;
    pair.other.ready(&pair.house.ctx()).await.unwrap();
    redis.start_again().await;
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_takes_connections_and_never_answers_is_given_up_and_tried_again() {
    let Some(database) = TestDb::postgres().await else { return };
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut pair = Pair::with_redis(database, &format!("redis://{}", silent.local_addr().unwrap())).await;
    let mut connections = Vec::new();
    let mut connected = async || connections.push(timeout(PATIENCE, silent.accept()).await.expect("it is tried again"));

    pair.hear();
    connected().await;
    connected().await;
    pair.background.shutdown().await;
    pair.ring();
    for _ in 0..2 {
        let token = pair.sign_out().await;
        connected().await;
        pair.house.hallpass.ready(&pair.house.ctx()).await.unwrap();
        pair.assert_found_by_looking(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_to_redis_that_is_cut_without_a_word_is_made_anew() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(redis) = TestRedis::start(&[]).await else { return };
    let way = Way::to(redis.port).await;
    let mut pair = Pair::with_redis(database, &format!("redis://127.0.0.1:{}", way.port)).await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;
    way.cut.notify_waiters();
    pair.assert_heard().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_refuses_the_password_changes_nothing_else() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(redis) = TestRedis::start(&["--requirepass", "p@ss/word"]).await else { return };
    let mut pair = Pair::with_redis(database, &redis.url("wrong")).await;
    pair.ring();
    pair.hear();
    let token = pair.sign_out().await;
    refused(&redis, 3).await;
    pair.other.ready(&pair.house.ctx()).await.unwrap();
    pair.assert_found_by_looking(&token).await;

    let Some(database) = TestDb::postgres().await else { return };
    let mut pair = Pair::with_redis(database, &redis.url("p%40ss%2Fword")).await;
    pair.ring();
    pair.hear();
    pair.assert_heard().await;
}

/// Waits until Redis has refused so many attempts: one to ring, and those to hear.
async fn refused(redis: &TestRedis, at_least: u32) {
    let client = redis::Client::open(redis.url("p%40ss%2Fword")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let counted = async {
        loop {
            let statistics: String = redis::cmd("INFO").arg("errorstats").query_async(&mut connection).await.unwrap();
            let count = statistics.lines().find_map(|line| line.strip_prefix("errorstat_WRONGPASS:count="));
            if count.is_some_and(|count| count.trim().parse::<u32>().unwrap() >= at_least) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counted).await.expect("the wrong password is tried");
}

/// A way to a server that can go silent, as one does on which a firewall forgets the connections: new ones pass.
struct Way {
    port: u16,
    cut: Arc<Notify>,
    _carrying: JoinSet<()>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = listener.local_addr().unwrap().port();
        let cut = Arc::new(Notify::new());
        let mut carrying = JoinSet::new();
        let until = cut.clone();
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let until = until.clone();
                connections.spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let cut = until.notified();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        // Both ends stay open, and nothing passes any more.
                        () = cut => std::future::pending().await,
                    }
                });
            }
        });
        Self { port: way, cut, _carrying: carrying }
    }
}
