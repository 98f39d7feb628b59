//! Following what the server takes back, by a stream or by asking again and again. It never counts as heard what it did
//! not understand, and nothing that fails here reaches whoever checks a token.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH},
};
use serde::Deserialize;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Feed,
    backoff::Backoff,
    events::Events,
    moment::Moment,
    outage::Outage,
    server::{Failure, PATIENCE, Server, body},
};
use crate::{AccountId, Clock, Revocation, SessionId, Verifier};

/// The most that the server waits for news before it answers.
const MAX_WAIT: Duration = Duration::from_secs(25);

/// The least time between two questions where the first one left nothing to ask for.
const PACE: Duration = Duration::from_secs(1);

/// After how much silence a stream is given up, at the least and at the most. Heartbeats come every 2 seconds.
const SILENCE: [Duration; 2] = [Duration::from_millis(2_500), Duration::from_secs(5)];

/// How often what is over is dropped.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Seconds for which it is kept beyond its time, since clocks are set back now and then.
const KEPT: i64 = 60;

pub(super) struct Follower {
    server: Arc<Server>,
    verifier: Verifier,
    clock: Clock,
    how: Feed,
    max_staleness: Duration,
    heard: watch::Sender<Option<Moment>>,
    place: Mutex<Place>,
    pub(super) outage: Outage,
}

/// How far the feed was read. Whoever goes on reading begins here.
#[derive(Default)]
struct Place {
    cursor: Option<String>,
    forgot_at: Option<Instant>,
    /// Until this moment (seconds since 1970, UTC) what is over was dropped.
    forgotten: i64,
}

#[derive(Deserialize)]
struct Answer {
    cursor: String,
    #[serde(default)]
    more: bool,
    lines: Vec<Line>,
}

/// One line, of any kind.
#[derive(Deserialize)]
struct Line {
    session: Option<SessionId>,
    account: Option<AccountId>,
    below_version: Option<i64>,
    forget_at: Option<i64>,
}

impl Follower {
    pub(super) fn new(
        server: Arc<Server>,
        verifier: Verifier,
        clock: Clock,
        how: Feed,
        max_staleness: Duration,
    ) -> Self {
        Self {
            server,
            verifier,
            clock,
            how,
            max_staleness,
            heard: watch::Sender::default(),
            place: Mutex::default(),
            outage: Outage::of("what was taken back"),
        }
    }

    /// Whether it was heard lately that all is known.
    pub(super) fn is_current(&self) -> bool {
        self.is_recent(&self.heard.borrow())
    }

    /// Waits until it was.
    pub(super) async fn current(&self) {
        // It can only fail when `self` is gone.
        let _ = self.heard.subscribe().wait_for(|heard| self.is_recent(heard)).await;
    }

    /// How long ago it was last heard that all is known.
    pub(super) fn heard(&self) -> Option<Duration> {
        self.heard.borrow().and_then(|heard| heard.age(&self.clock))
    }

    fn is_recent(&self, heard: &Option<Moment>) -> bool {
        heard.is_some_and(|heard| heard.is_within(self.max_staleness, &self.clock))
    }

    /// Never returns. A second one waits for the first to be dropped.
    pub(super) async fn follow(&self) {
        let mut place = self.place.lock().await;
        let mut backoff = Backoff::new();
        loop {
            if let Err(failure) = self.follow_once(&mut place, &mut backoff).await {
                if failure == Failure::Status(400) {
                    // It may be the cursor; without one there is an answer for everybody.
                    place.cursor = None;
                }
                self.outage.note(failure);
            }
            backoff.wait().await;
        }
    }

    async fn follow_once(&self, place: &mut Place, backoff: &mut Backoff) -> Result<(), Failure> {
        // First what was missed, whole: events do not say whether they are all.
        while self.ask(place, Duration::ZERO).await? {}
        match self.how {
            Feed::Stream => self.listen(place, backoff).await,
            Feed::Poll => self.poll(place, backoff).await,
        }
    }

    /// Asks until an answer fails.
    async fn poll(&self, place: &mut Place, backoff: &mut Backoff) -> Result<(), Failure> {
        // A third of the time: an answer is as old as its question when it comes, and the next one takes as long. In
        // whole seconds.
        let wait = Duration::from_secs((self.max_staleness / 3).min(MAX_WAIT).as_secs());
        let pace = (self.max_staleness / 4).min(PACE);
        loop {
            let asked = Instant::now();
            let more = self.ask(place, wait).await?;
            self.works(backoff);
            if !more {
                sleep_until(asked + pace).await;
            }
        }
    }

    /// Asks once. Returns whether there is more to be had at once.
    async fn ask(&self, place: &mut Place, wait: Duration) -> Result<bool, Failure> {
        let asked = Moment::now(&self.clock);
        let before = place.cursor.clone();
        let mut request = self.server.feed(before.as_deref(), wait).timeout(wait + PATIENCE);
        request = request.header(ACCEPT, "application/json");
        if let Some(cursor) = &before {
            request = request.header(IF_NONE_MATCH, format!("\"{cursor}\""));
        }
        let response = request.send().await?;
        let more = match response.status() {
            StatusCode::NOT_MODIFIED if before.is_some() => false,
            _ => self.apply(place, &body(good(response)?).await?)?,
        };
        if more && place.cursor == before {
            return Err(Failure::Unexpected("it has more to tell, and does not say from where on"));
        }
        // As of then, however long this process stood still in between.
        Ok(more || !self.hear(place, asked))
    }

    /// Follows a stream until it ends, is cut, or is silent for too long.
    async fn listen(&self, place: &mut Place, backoff: &mut Backoff) -> Result<(), Failure> {
        let [least, most] = SILENCE;
        // Short enough to ask in another way, even after the longest pause, while what is known is still current.
        let silence = (self.max_staleness * 2 / 5).clamp(least, most);
        let mut last = Moment::now(&self.clock);
        let request = self.server.feed(place.cursor.as_deref(), Duration::ZERO).header(ACCEPT, "text/event-stream");
        let response = timeout_at(Instant::now() + silence, request.send()).await.map_err(|_| Failure::Silent)??;
        let mut response = good(response)?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(Failure::Unexpected("it sends no stream: if a proxy is in the way, `Feed::Poll` does without"));
        }
        let mut events = Events::default();
        let mut works = false;
        let mut deadline = Instant::now() + silence;
        loop {
            let chunk = timeout_at(deadline, response.chunk()).await.map_err(|_| Failure::Silent)?;
            // What waited here while this process or the machine stood still says nothing about now: it is asked for
            // anew.
            let arrived = Moment::now(&self.clock);
            if !last.is_within(silence.min(self.max_staleness), &self.clock) {
                return Ok(());
            }
            let Ok(Some(chunk)) = chunk else {
                // Servers restart and proxies cut; that is no failure of a stream that worked.
                return if works { Ok(()) } else { Err(Failure::Unexpected("it ends the stream at once")) };
            };
            for event in events.push(&chunk)? {
                let all = match event.name.as_str() {
                    "heartbeat" => true,
                    "lines" => !self.apply(place, event.data.as_bytes())?,
                    _ => continue,
                };
                if all && !self.hear(place, arrived) {
                    return Ok(());
                }
                last = arrived;
                works = true;
                self.works(backoff);
                deadline = Instant::now() + silence;
            }
        }
    }

    /// Takes over what an answer says. Returns whether there is more to be had.
    ///
    /// Where a new history begins (`reset`) there is nothing else to do: what is held besides stays until its time.
    fn apply(&self, place: &mut Place, answer: &[u8]) -> Result<bool, Failure> {
        let answer: Answer = serde_json::from_slice(answer)
            .ok()
            .filter(|answer: &Answer| is_cursor(&answer.cursor))
            .ok_or(Failure::Unexpected("its answer does not say what was taken back"))?;
        // What is not understood does not keep the rest from taking effect.
        let understood = answer.lines.iter().filter_map(Line::read).inspect(|line| {
            self.verifier.revoked().apply(line);
        });
        if understood.count() < answer.lines.len() {
            return Err(Failure::Unexpected("it takes back what is not understood: this version is too old for it"));
        }
        place.cursor = Some(answer.cursor);
        Ok(answer.more)
    }

    /// All is known as of `moment`; unless this machine's clock was set back so far that what was dropped may live again.
    /// Then everything has to be read anew.
    fn hear(&self, place: &mut Place, moment: Moment) -> bool {
        let now = self.clock.now();
        if now < place.forgotten {
            *place = Place::default();
            self.heard.send_replace(None);
            return false;
        }
        if place.forgot_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            place.forgotten = now.saturating_sub(KEPT);
            place.forgot_at = Some(Instant::now());
            self.verifier.revoked().forget(place.forgotten);
        }
        self.heard.send_replace(Some(moment));
        true
    }

    /// It works as it was asked to. What was caught up before does not show that.
    fn works(&self, backoff: &mut Backoff) {
        self.outage.over();
        backoff.reset();
    }
}

impl Line {
    /// `None` for what this version does not know.
    fn read(&self) -> Option<Revocation> {
        let forget_at = self.forget_at?;
        match (self.session, self.account, self.below_version) {
            (Some(session), None, None) => Some(Revocation::Session { session, forget_at }),
            (None, Some(account), Some(below_version)) => {
                Some(Revocation::Account { account, below_version, forget_at })
            }
            _ => None,
        }
    }
}

fn good(response: Response) -> Result<Response, Failure> {
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::ClientRefused),
        status => Err(Failure::Status(status.as_u16())),
    }
}

/// Whether it can stand in a query and a header as it is.
fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(plain)
}
