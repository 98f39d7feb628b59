//! Ends sessions at a steady rate, and asks every back end again and again with their tokens until it refuses them.
//!
//! The clock starts when the answer to the sign-out was read, and stops when a refusal was: what the way there and back
//! takes, and the pause between two questions, is part of every time.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    Mode,
    stage::{Session, Stage},
};

/// So many sessions end at the same moment, so often: 20 a second.
const AT_ONCE: usize = 4;
const EVERY: Duration = Duration::from_millis(200);

/// After how long a back end that still lets somebody in is asked no more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a session lived on at one back end.
pub(super) struct Lasted {
    /// Its place among the back ends.
    pub(super) back_end: usize,
    /// Whether the session was ended at the other server than the one that the back end follows.
    pub(super) elsewhere: bool,
    /// From the answer to the sign-out; `None` if nobody was refused for as long as it was asked.
    pub(super) time: Option<Duration>,
}

/// Ends all these sessions.
pub(super) async fn end(stage: &Arc<Stage>, sessions: Vec<Session>, mode: &Mode) -> Result<Vec<Lasted>> {
    let mut ending = JoinSet::new();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for together in sessions.chunks(AT_ONCE) {
        tick.tick().await;
        for session in together {
            ending.spawn(end_one(Arc::clone(stage), session.token.clone(), mode.pause));
        }
    }
    let ended = ending.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(ended.into_iter().flatten().collect())
}

async fn end_one(stage: Arc<Stage>, token: String, pause: Duration) -> Result<Vec<Lasted>> {
    let mut probes = Vec::new();
    let mut let_in = Vec::new();
    for back_end in 0..stage.back_ends.len() {
        let (tell, told) = oneshot::channel();
        let_in.push(told);
        probes.push(tokio::spawn(probe(Arc::clone(&stage), back_end, token.clone(), pause, tell)));
    }
    // The session lives, for all of them. Whoever ends without saying so says below why.
    for told in let_in {
        let _ = told.await;
    }
    let place = usize::try_from(RandomState::new().hash_one(&token) % 2)?;
    let Some(node) = stage.nodes.get(place) else { bail!("there are two servers") };
    let answer = stage.http.post(format!("{}/api/v1/logout", node.url)).bearer_auth(&token).send().await?;
    ensure!(answer.status() == StatusCode::NO_CONTENT, "a sign-out is answered with {answer:?}");
    let acknowledged = Instant::now();

    let mut lasted = Vec::new();
    for (back_end, (probe, follows)) in probes.into_iter().zip(stage.back_ends.iter().map(|it| it.follows)).enumerate()
    {
        let time = probe.await??.map(|refused| refused.saturating_duration_since(acknowledged));
        lasted.push(Lasted { back_end, elsewhere: follows != place, time });
    }
    Ok(lasted)
}

/// Asks until the token is refused, and tells when it was let in for the first time. Returns when it was refused.
async fn probe(
    stage: Arc<Stage>,
    back_end: usize,
    token: String,
    pause: Duration,
    let_in: oneshot::Sender<()>,
) -> Result<Option<Instant>> {
    let Some(back_end) = stage.back_ends.get(back_end) else { bail!("no such back end") };
    let url = format!("{}/orders", back_end.server.url);
    let mut let_in = Some(let_in);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let answer = stage.http.get(&url).bearer_auth(&token).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let answered = Instant::now();
        match status {
            StatusCode::OK => drop(let_in.take().map(|let_in| let_in.send(()))),
            StatusCode::UNAUTHORIZED if let_in.is_none() => {
                let problem: Value = serde_json::from_slice(&body)?;
                let code = problem.get("code").and_then(Value::as_str);
                ensure!(code == Some("session_ended"), "`{}` refuses with {problem}", back_end.name);
                return Ok(Some(answered));
            }
            _ => bail!("`{}` answers {status} {}", back_end.name, String::from_utf8_lossy(&body)),
        }
        sleep(pause).await;
    }
    Ok(None)
}
