//! What is measured: two servers of one PostgreSQL, three back ends that follow one of them each, and who is signed in.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Mode;
use crate::{
    guard::Guard,
    postgres::{self, free_port},
    redis,
    servers::{self, Hallpass, Server},
};

/// Those that the sessions belong to, as many as it takes for nobody to have too many.
const ACCOUNTS: usize = 20;

/// How many sign in at the same time: as many as there are cores for their passwords, and one that waits.
const AT_ONCE: usize = 3;

const PASSWORD: &str = "otters juggle brass lanterns";

/// As PostgreSQL is shipped, but for what the tests of it turn off: a commit is on the disk before it is answered.
const DURABLE: [&str; 2] = ["fsync=on", "full_page_writes=on"];

/// A session, and what its client holds.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) token: String,
    pub(super) refresh: String,
}

/// A back end, and which of the servers it follows.
pub(super) struct BackEnd {
    pub(super) name: &'static str,
    pub(super) follows: usize,
    pub(super) server: Server,
}

pub(super) struct Stage {
    pub(super) http: Client,
    pub(super) nodes: [Server; 2],
    pub(super) back_ends: Vec<BackEnd>,
}

impl Stage {
    /// Starts everything and waits until it is ready.
    pub(super) async fn build(guard: &mut Guard, python: &Path, mode: &Mode) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("hallpass-latency-").tempdir()?.keep();
        guard.remove_at_the_end(&folder)?;
        let http = servers::http()?;
        let database = postgres::start(guard, &DURABLE)?;
        let (first, second) = (free_port()?, free_port()?);
        let issuer = format!("http://localhost:{first}");
        let redis = if mode.bell == "redis" { Some(redis::start(guard)?) } else { None };
        let mut settings = vec![
            ("DATABASE", database.as_str()),
            // Both have the same.
            ("PUBLIC_URL", issuer.as_str()),
            ("REVOCATION__BELL", mode.bell),
            // Many sign in from one address, to few accounts, before the first of them is signed out.
            ("THROTTLE__ENABLED", "false"),
            ("SESSIONS__MAX_PER_ACCOUNT", "1000"),
            ("TOKENS__LIFETIME", "3600"),
        ];
        settings.extend(redis.iter().map(|redis| ("REVOCATION__REDIS", redis.as_str())));
        let hallpass = Hallpass::new("release", &folder, &settings)?;
        // One after the other: the first makes the tables and the master key.
        let first = hallpass.serve(guard, first)?;
        first.answers(&http, "/readyz").await?;
        let second = hallpass.serve(guard, second)?;
        second.answers(&http, "/readyz").await?;
        let nodes = [first, second];

        let mut back_ends = Vec::new();
        for ((name, mut command), (follows, node)) in
            servers::back_ends("release", python)?.into_iter().zip(nodes.iter().enumerate().cycle())
        {
            let server = hallpass.followed_by(guard, &mut command, &issuer, node)?;
            server.answers(&http, "/ready").await?;
            back_ends.push(BackEnd { name, follows, server });
        }
        Ok(Self { http, nodes, back_ends })
    }

    /// Signs everybody up; each has one session then.
    pub(super) async fn sign_up(&self) -> Result<Vec<Session>> {
        let mut sessions = Vec::new();
        for (number, node) in (0..ACCOUNTS).zip(self.nodes.iter().cycle()) {
            sessions.push(sign_in(&self.http, node, "signup", number).await?);
        }
        Ok(sessions)
    }

    /// Signs in so many times, at one server and the other in turn.
    pub(super) async fn sign_in(self: &Arc<Self>, sessions: usize) -> Result<Vec<Session>> {
        let mut signing_in = JoinSet::new();
        for begin in 0..AT_ONCE {
            let stage = Arc::clone(self);
            signing_in.spawn(async move {
                let mut mine = Vec::new();
                let numbers = (begin..sessions).step_by(AT_ONCE);
                for (number, node) in numbers.zip(stage.nodes.iter().cycle()) {
                    mine.push(sign_in(&stage.http, node, "login", number % ACCOUNTS).await?);
                }
                anyhow::Ok(mine)
            });
        }
        let parts = signing_in.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten().collect())
    }
}

async fn sign_in(http: &Client, node: &Server, operation: &str, account: usize) -> Result<Session> {
    let person = json!({ "username": format!("person{account}"), "password": PASSWORD });
    let answer = http.post(format!("{}/api/v1/{operation}", node.url)).json(&person).send().await?;
    Session::read(&answer.error_for_status()?.json().await?)
}

impl Session {
    /// What the answer to a sign-in or a refresh brings.
    pub(super) fn read(answer: &Value) -> Result<Self> {
        let text = |member: &str| answer.get(member).and_then(Value::as_str).map(str::to_owned);
        let session = text("access_token").zip(text("refresh_token"));
        let (token, refresh) = session.with_context(|| format!("no session in {answer}"))?;
        Ok(Self { token, refresh })
    }
}
