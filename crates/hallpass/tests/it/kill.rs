//! Whatever the server has acknowledged outlives `kill -9`, and nothing is half done: fifty rounds on each engine.
//!
//! In each round clients use a server until it is killed in the middle of their requests. Then it is started again on the
//! same database, which has to agree with every answer that the clients have, and for every request without an answer
//! has to have done all of it or nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use hallpass_core::{Db, testing::TestDb};
use tokio::{sync::Notify, task::JoinSet};

use crate::program::{Home, Server};

mod check;
mod client;

use client::Person;
pub(crate) use client::{Api, Device};

const ROUNDS: u64 = 50;
const CLIENTS: u64 = 4;

/// The server is killed upon one of this many answers.
const LONGEST_ROUND: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_kill_9_on_sqlite() {
    let home = Home::new();
    survive(&home, &format!("sqlite:{}", home.file("hallpass.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_kill_9_on_postgresql() {
    if let Some(database) = TestDb::postgres().await {
        survive(&Home::new(), &database.url).await;
    }
}

async fn survive(home: &Home, database: &str) {
    let mut random = Random(0x5eed);
    let mut server = start(home, database);
    for round in 0..ROUNDS {
        let people = use_until_killed(server, round, &mut random).await;
        server = start(home, database);
        let api = Api::new(&server.url);
        let mut checks = JoinSet::new();
        for person in people {
            checks.spawn(check::agrees(api.clone(), person));
        }
        checks.join_all().await;
    }
    kill(server);
    let db = Db::open(database).await.unwrap();
    check::nothing_is_half_written(&db).await;
    db.close().await;
}

/// Lets clients use the server until it is killed; returns what each of them knows then.
async fn use_until_killed(server: Server, round: u64, random: &mut Random) -> Vec<Person> {
    let fuse = Arc::new(Fuse::new(1 + random.below(LONGEST_ROUND)));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let person = Person::new(format!("person-{round}-{client}"));
        let random = Random(random.next());
        clients.spawn(client::live(Api::new(&server.url), person, random, fuse.clone()));
    }
    tokio::select! {
        () = fuse.burnt() => kill(server),
        Some(early) = clients.join_next() => panic!("a client stopped before the server was killed: {early:?}"),
    }
    clients.join_all().await
}

/// The address that tokens name stays the same although the port does not.
fn start(home: &Home, database: &str) -> Server {
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_DATABASE", database);
    command.env("HALLPASS_PUBLIC_URL", "http://localhost:8000");
    command.env("HALLPASS_THROTTLE__ENABLED", "false");
    // Every refresh rotates, and so writes.
    command.env("HALLPASS_SESSIONS__REPLAY_WINDOW", "0");
    Server::start_with(command)
}

/// SIGKILL: the server can do nothing about it, not even notice.
fn kill(server: Server) {
    drop(server);
}

/// Counts answers, and says when it is time to kill the server.
struct Fuse {
    left: AtomicU64,
    burnt: AtomicBool,
    time: Notify,
}

impl Fuse {
    fn new(answers: u64) -> Self {
        Self { left: AtomicU64::new(answers), burnt: AtomicBool::new(false), time: Notify::new() }
    }

    fn answered(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.burnt.store(true, Ordering::SeqCst);
            self.time.notify_one();
        }
    }

    async fn burnt(&self) {
        self.time.notified().await;
    }

    /// Whether a request may stay without an answer.
    fn is_burnt(&self) -> bool {
        self.burnt.load(Ordering::SeqCst)
    }
}

/// A reproducible choice of what clients do (SplitMix64); the moment of the kill is what differs from run to run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
