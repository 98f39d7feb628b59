//! What goes on beside the sign-outs: people who stay signed in use the servers and the back ends.
//!
//! Nobody of them is ever signed out, so every answer that is not 200 is a fault.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::stage::{Session, Stage};

/// Between two requests to one program: 40 a second.
const EVERY: Duration = Duration::from_millis(25);

/// What was asked, and what was answered otherwise than with 200.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) asked: usize,
    pub(super) wrong: Vec<String>,
}

/// The load while it lasts.
pub(super) struct Load {
    over: Arc<AtomicBool>,
    tasks: JoinSet<Result<Tally>>,
}

impl Load {
    /// Begins: at each server refreshes and `GET /me` in turn, at each back end requests with good tokens.
    pub(super) fn begin(stage: &Arc<Stage>, sessions: &[Session]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for node in 0..stage.nodes.len() {
            // Each session refreshes at one server, as a client does.
            let mine = sessions.iter().skip(node).step_by(stage.nodes.len()).cloned().collect();
            tasks.spawn(use_node(Arc::clone(stage), node, mine, Arc::clone(&over)));
        }
        for back_end in 0..stage.back_ends.len() {
            tasks.spawn(use_back_end(Arc::clone(stage), back_end, sessions.to_vec(), Arc::clone(&over)));
        }
        Self { over, tasks }
    }

    /// Ends it and says how it went.
    pub(super) async fn end(self) -> Result<Tally> {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for tally in self.tasks.join_all().await {
            let tally = tally?;
            all.asked += tally.asked;
            all.wrong.extend(tally.wrong);
        }
        Ok(all)
    }
}

async fn use_node(stage: Arc<Stage>, node: usize, mut sessions: Vec<Session>, over: Arc<AtomicBool>) -> Result<Tally> {
    let mut tally = Tally::default();
    let Some(url) = stage.nodes.get(node).map(|node| format!("{}/api/v1", node.url)) else { return Ok(tally) };
    let mut tick = ticks();
    while !over.load(Ordering::Relaxed) {
        for session in &mut sessions {
            tick.tick().await;
            tally.ask("GET /me", stage.http.get(format!("{url}/me")).bearer_auth(&session.token)).await?;
            tick.tick().await;
            let secret = json!({ "refresh_token": session.refresh });
            let answer = tally.ask("POST /refresh", stage.http.post(format!("{url}/refresh")).json(&secret)).await?;
            if let Some(answer) = answer {
                *session = Session::read(&serde_json::from_slice(&answer)?)?;
            }
        }
    }
    Ok(tally)
}

async fn use_back_end(
    stage: Arc<Stage>,
    back_end: usize,
    sessions: Vec<Session>,
    over: Arc<AtomicBool>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let Some(back_end) = stage.back_ends.get(back_end) else { return Ok(tally) };
    let url = format!("{}/orders", back_end.server.url);
    let mut tick = ticks();
    for session in sessions.iter().cycle() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        tick.tick().await;
        tally.ask(back_end.name, stage.http.get(&url).bearer_auth(&session.token)).await?;
    }
    Ok(tally)
}

fn ticks() -> tokio::time::Interval {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

impl Tally {
    /// Asks and counts; the body of a good answer.
    async fn ask(&mut self, what: &str, request: RequestBuilder) -> Result<Option<Vec<u8>>> {
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        self.asked += 1;
        if status == StatusCode::OK {
            return Ok(Some(body.to_vec()));
        }
        self.wrong.push(format!("{what}: {status} {}", String::from_utf8_lossy(&body)));
        Ok(None)
    }
}
