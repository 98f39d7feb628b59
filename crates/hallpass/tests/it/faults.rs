//! Two servers of one PostgreSQL, of which one is killed, sleeps, or cannot reach the database: a session that ended
//! elsewhere is let in for `max_staleness` at most, and nobody is signed out who did not sign out.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use hallpass_core::testing::TestDb;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    kill::{Api, Device},
    program::{Home, Server, within_five_seconds},
};

mod namespace;
mod relay;

use namespace::Namespace;
use relay::{Relay, Way};

/// The setting of all servers here, in seconds.
const MAX_STALENESS: u64 = 3;
/// How long the way to the database stays cut: longer than a server waits for any answer of it.
const OUTAGE: Duration = Duration::from_secs(14);
/// In which time every request is answered, whatever became of the database.
const ANSWER: Duration = Duration::from_secs(12);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server on this database; all that are started in one folder have the same keys.
fn node(home: &Home, database: &str) -> Command {
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_DATABASE", database);
    command.env("HALLPASS_PUBLIC_URL", "http://localhost:8000");
    command.env("HALLPASS_THROTTLE__ENABLED", "false");
    command.env("HALLPASS_REVOCATION__MAX_STALENESS", MAX_STALENESS.to_string());
    command
}

/// Somebody signs up at a server.
async fn person(server: &Server, name: &str) -> Device {
    let answer = Api::new(&server.url).sign_up(name, &password(name)).await.unwrap();
    answer.issued(reqwest::StatusCode::CREATED)
}

fn password(name: &str) -> String {
    format!("otters of {name} juggle lanterns")
}

async fn sign_out(server: &Server, device: &Device) {
    let answer = Api::new(&server.url).sign_out(device).await.unwrap();
    assert_eq!(answer.status, reqwest::StatusCode::NO_CONTENT, "{answer:?}");
}

/// Whoever asks a server, from where it can be reached.
#[derive(Clone)]
struct Client {
    /// What a command begins with so that it runs there.
    inside: Vec<String>,
    url: String,
}

/// A status and the code of a failure.
#[derive(Debug, PartialEq, Eq)]
struct Said(u16, String);

impl Client {
    fn of(server: &Server) -> Self {
        Self { inside: Vec::new(), url: server.url.clone() }
    }

    async fn get(&self, path: &str, device: &Device) -> Said {
        self.curl(path, &["-H", &format!("Authorization: Bearer {}", device.access)]).await
    }

    async fn session(&self, device: &Device) -> Said {
        self.get("/api/v1/session", device).await
    }

    async fn ready(&self) -> Said {
        self.curl("/readyz", &[]).await
    }

    async fn post(&self, path: &str, body: Value) -> Said {
        self.curl(path, &["-H", "content-type: application/json", "--data", &body.to_string()]).await
    }

    async fn sign_in(&self, name: &str) -> Said {
        self.post("/api/v1/login", json!({ "username": name, "password": password(name) })).await
    }

    async fn curl(&self, path: &str, arguments: &[&str]) -> Said {
        let begun = Instant::now();
        let all =
            self.inside.iter().map(String::as_str).chain(["curl", "-s", "-w", "\n%{http_code}", "--max-time", "60"]);
        let all: Vec<&str> = all.chain(arguments.iter().copied()).collect();
        let mut command = tokio::process::Command::new(all[0]);
        command.args(&all[1..]).arg(format!("{}{path}", self.url)).stdin(Stdio::null());
        let output = String::from_utf8(command.output().await.unwrap().stdout).unwrap();
        let (body, status) = output.rsplit_once('\n').unwrap();
        assert!(begun.elapsed() < ANSWER, "{path} was answered after {:?}: {output}", begun.elapsed());
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        Said(status.parse().unwrap(), body["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn fine() -> Said {
    Said(200, String::new())
}

fn ended() -> Said {
    Said(401, "session_ended".into())
}

fn unknown() -> Said {
    Said(503, "revocation_unknown".into())
}

fn unavailable() -> Said {
    Said(503, "unavailable".into())
}

/// How the way to the database is cut and made whole again, for the server that `client` asks.
struct Outage<'o> {
    cut: &'o dyn Fn(),
    heal: &'o dyn Fn(),
    client: Client,
}

impl Outage<'_> {
    /// A session ends at `other`, which reaches the database, while this server does not.
    async fn keeps_the_bound(&self, other: &Server) {
        let Self { cut, heal, client } = self;
        let (ada, eve) = (person(other, "ada").await, person(other, "eve").await);
        for device in [&ada, &eve] {
            assert_eq!(client.session(device).await, fine());
            assert_eq!(client.get("/api/v1/me", device).await, fine());
        }
        // Requests that are in the middle of something when it happens.
        let mut busy = JoinSet::new();
        for _ in 0..20 {
            let client = client.clone();
            busy.spawn(async move { client.sign_in("eve").await });
        }
        busy.join_next().await;
        cut();
        let since = Instant::now();
        sign_out(other, &ada).await;
        let bound = Duration::from_secs(MAX_STALENESS + 1);
        let mut refused = false;
        while since.elapsed() < OUTAGE {
            let asked = since.elapsed();
            for device in [&ada, &eve] {
                let said = client.session(device).await;
                let in_time = said == fine() && asked < bound && !refused;
                assert!(in_time || said == unknown(), "after {asked:?}: {said:?}");
                refused |= said == unknown();
            }
            if refused {
                assert_eq!(client.ready().await, unavailable());
                // What needs the database says so, and does not wait for it.
                assert_eq!(client.sign_in("eve").await, unavailable());
                let secret = json!({ "refresh_token": eve.refresh });
                assert_eq!(client.post("/api/v1/refresh", secret).await, unavailable());
            }
        }
        assert!(refused);
        while let Some(said) = busy.join_next().await {
            let Said(status, code) = said.unwrap();
            // Where it was silent in the middle of a commit, that is said.
            assert!([200, 503].contains(&status), "{status} {code}");
        }
        heal();
        self.is_well_again(&ada, &eve).await;
    }

    async fn is_well_again(&self, ended_meanwhile: &Device, live: &Device) {
        let client = &self.client;
        let begun = Instant::now();
        loop {
            let (of_ended, of_live) = (client.session(ended_meanwhile).await, client.session(live).await);
            if of_ended == ended() && of_live == fine() && client.ready().await == fine() {
                break;
            }
            assert!([unknown(), ended()].contains(&of_ended), "{of_ended:?}");
            assert!([unknown(), fine()].contains(&of_live), "{of_live:?}");
            assert!(begun.elapsed() < Duration::from_secs(8), "it is not well again: {of_ended:?} {of_live:?}");
        }
        assert_eq!(client.get("/api/v1/me", live).await, fine());
        assert_eq!(client.post("/api/v1/refresh", json!({ "refresh_token": live.refresh })).await, fine());
        assert_eq!(client.sign_in("eve").await, fine());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_an_ended_session_is_let_in_no_longer_than_the_bound_and_nobody_is_signed_out() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let other = Server::start_with(node(&home, &database.url));
    let relay = Relay::start(LOCALHOST, &database.url).await;
    let server = Server::start_with(node(&home, &relay.url));
    let (cut, heal) = (|| relay.set(Way::Closed), || relay.set(Way::Open));
    Outage { cut: &cut, heal: &heal, client: Client::of(&server) }.keeps_the_bound(&other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_where_the_database_is_silent() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let other = Server::start_with(node(&home, &database.url));
    let relay = Relay::start(LOCALHOST, &database.url).await;
    let server = Server::start_with(node(&home, &relay.url));
    let (cut, heal) = (|| relay.set(Way::Silent), || relay.set(Way::Open));
    Outage { cut: &cut, heal: &heal, client: Client::of(&server) }.keeps_the_bound(&other).await;
}

/// Takes root and `ip`; the server is in a network namespace of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_where_the_network_swallows_every_packet() {
    let Some(database) = TestDb::postgres().await else { return };
    let Some(namespace) = Namespace::new() else { return };
    let home = Home::new();
    let other = Server::start_with(node(&home, &database.url));
    let relay = Relay::start(namespace.host, &database.url).await;
    let mut command = namespace.wrap(&node(&home, &relay.url));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = Server::start_with(command);
    let inside = namespace.wrap(&Command::new("env"));
    let inside = std::iter::once(inside.get_program()).chain(inside.get_args());
    let inside = inside.map(|word| word.to_str().unwrap().to_owned()).collect();
    let client = Client { inside, url: server.url.clone() };
    let (cut, heal) = (|| namespace.cut(), || namespace.heal());
    Outage { cut: &cut, heal: &heal, client }.keeps_the_bound(&other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_no_server_reaches_the_database_nobody_signs_out_and_all_who_live_live_on() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let relay = Relay::start(LOCALHOST, &database.url).await;
    let servers = [(); 2].map(|()| Server::start_with(node(&home, &relay.url)));
    let eve = person(&servers[0], "eve").await;
    relay.set(Way::Closed);
    for server in &servers {
        let client = Client::of(server);
        let secret = json!({ "refresh_token": eve.refresh });
        assert_eq!(client.post("/api/v1/logout", secret).await, unavailable());
        within_five_seconds("the bound", async || client.session(&eve).await == unknown()).await;
        assert_eq!(client.ready().await, unavailable());
    }
    relay.set(Way::Open);
    for server in &servers {
        let client = Client::of(server);
        within_five_seconds("the end of the outage", async || client.session(&eve).await == fine()).await;
        assert_eq!(client.post("/api/v1/refresh", json!({ "refresh_token": eve.refresh })).await, fine());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_accept_goes_on_by_what_it_knows() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let relay = Relay::start(LOCALHOST, &database.url).await;
    let other = Server::start_with(node(&home, &database.url));
    let refusing = Server::start_with(node(&home, &relay.url));
    let mut command = node(&home, &relay.url);
    command.env("HALLPASS_REVOCATION__WHEN_STALE", "accept");
    let accepting = Server::start_with(command);
    let [refusing, accepting] = [&refusing, &accepting].map(Client::of);
    let (ada, eve) = (person(&other, "ada").await, person(&other, "eve").await);
    relay.set(Way::Closed);
    sign_out(&other, &ada).await;
    within_five_seconds("the bound", async || refusing.session(&eve).await == unknown()).await;
    for device in [&ada, &eve] {
        assert_eq!(accepting.session(device).await, fine());
    }
    assert_eq!(accepting.ready().await, unavailable());
    relay.set(Way::Open);
    within_five_seconds("the end of the outage", async || accepting.session(&ada).await == ended()).await;
    assert_eq!(accepting.session(&eve).await, fine());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_slept_while_a_session_ended_lets_it_in_not_even_once() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let [other, sleeper] = [(); 2].map(|()| Server::start_with(node(&home, &database.url)));
    let client = Client::of(&sleeper);
    let (ada, eve) = (Arc::new(person(&other, "ada").await), person(&other, "eve").await);
    for device in [&*ada, &eve] {
        assert_eq!(client.session(device).await, fine());
    }
    sleeper.signal("STOP");
    sign_out(&other, &ada).await;
    let slept = tokio::time::sleep(Duration::from_secs(MAX_STALENESS + 2));
    // They wait at its door when it wakes up.
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let (client, ada) = (client.clone(), ada.clone());
        waiting.spawn(async move { client.session(&ada).await });
    }
    slept.await;
    sleeper.signal("CONT");
    while let Some(said) = waiting.join_next().await {
        let said = said.unwrap();
        assert!([unknown(), ended()].contains(&said), "{said:?}");
    }
    within_five_seconds("all is known", async || client.session(&eve).await == fine()).await;
    assert_eq!(client.session(&ada).await, ended());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_server_is_killed_the_other_goes_on_and_the_one_that_starts_knows_everything_at_once() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let [other, killed] = [(); 2].map(|()| Server::start_with(node(&home, &database.url)));
    let (ada, eve) = (person(&other, "ada").await, person(&killed, "eve").await);
    // SIGKILL: it can do nothing about it, not even notice.
    drop(killed);
    assert_eq!(Client::of(&other).session(&eve).await, fine());
    sign_out(&other, &ada).await;
    let restarted = Server::start_with(node(&home, &database.url));
    let client = Client::of(&restarted);
    assert_eq!(client.session(&ada).await, ended());
    assert_eq!(client.session(&eve).await, fine());
    assert_eq!(client.ready().await, fine());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_bell_rings_a_server_learns_what_ended_elsewhere_by_looking() {
    let Some(database) = TestDb::postgres().await else { return };
    let home = Home::new();
    let [other, deaf] = [(); 2].map(|()| {
        let mut command = node(&home, &database.url);
        command.env("HALLPASS_REVOCATION__BELL", "off");
        Server::start_with(command)
    });
    let ada = person(&other, "ada").await;
    let client = Client::of(&deaf);
    assert_eq!(client.session(&ada).await, fine());
    sign_out(&other, &ada).await;
    within_five_seconds("the end of the session", async || client.session(&ada).await == ended()).await;
}
