//! A Hallpass server that does what a test says: it shows keys, tells what was taken back, and fails on demand.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use hallpass_token::{KeySet, SessionId, SigningKey};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time};

use crate::support::NOW;

pub(crate) const CLIENT: &str = "hpc_orders";
pub(crate) const SECRET: &str = "hps_only-orders-knows";
/// `hpc_orders:hps_only-orders-knows`
const BASIC: &str = "Basic aHBjX29yZGVyczpocHNfb25seS1vcmRlcnMta25vd3M=";
const HEARTBEAT: Duration = Duration::from_millis(20);

/// What it does at the moment.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) keys: String,
    pub(crate) lines: Vec<Value>,
    /// Which database it reads; another one knows no cursor of this one.
    pub(crate) history: u32,
    pub(crate) page: usize,
    /// Refuses to tell from this line on.
    pub(crate) hidden_from: usize,
    /// Answers everything with this status.
    pub(crate) refusal: Option<StatusCode>,
    /// Answers the feed with this.
    pub(crate) answer: Option<String>,
    pub(crate) heartbeats: bool,
    pub(crate) streams: bool,
    /// Streams of before are cut.
    pub(crate) cuts: u32,
    pub(crate) redirect: Option<String>,
}

/// What it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) since: Option<String>,
    pub(crate) wait: Option<u64>,
    pub(crate) known: Option<String>,
    pub(crate) stream: bool,
    pub(crate) status: StatusCode,
}

#[derive(Clone)]
pub(crate) struct Hallpass(Arc<Inner>);

struct Inner {
    script: watch::Sender<Script>,
    questions: Mutex<Vec<Question>>,
    key_questions: Mutex<usize>,
    /// Who waits for news.
    waiting: AtomicUsize,
    beats: AtomicUsize,
    address: SocketAddr,
}

impl Hallpass {
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::listen(listener, keys)
    }

    pub(crate) fn listen(listener: TcpListener, keys: &[&SigningKey]) -> Self {
        let script = Script {
            keys: published(keys),
            lines: vec![],
            history: 1,
            page: 10_000,
            hidden_from: usize::MAX,
            refusal: None,
            answer: None,
            heartbeats: true,
            streams: true,
            cuts: 0,
            redirect: None,
        };
        let hallpass = Self(Arc::new(Inner {
            script: watch::Sender::new(script),
            questions: Mutex::default(),
            key_questions: Mutex::default(),
            waiting: AtomicUsize::default(),
            beats: AtomicUsize::default(),
            address: listener.local_addr().unwrap(),
        }));
        let app = Router::new()
            .route("/auth/.well-known/jwks.json", get(keys_of))
            .route("/auth/api/v1/revocations", get(feed_of))
            .with_state(hallpass.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        hallpass
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/auth/", self.0.address)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        self.0.script.send_modify(change);
    }

    pub(crate) fn take_back(&self, lines: impl IntoIterator<Item = Value>) {
        self.change(|script| script.lines.extend(lines));
    }

    pub(crate) fn show(&self, keys: &[&SigningKey]) {
        self.change(|script| script.keys = published(keys));
    }

    /// It cannot follow its own log: no answer, no heartbeat.
    pub(crate) fn lose_its_log(&self) {
        self.change(|script| (script.refusal, script.heartbeats) = (Some(StatusCode::SERVICE_UNAVAILABLE), false));
    }

    pub(crate) fn recover(&self) {
        self.change(|script| (script.refusal, script.heartbeats) = (None, true));
    }

    pub(crate) fn cut(&self) {
        self.change(|script| script.cuts += 1);
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.0.questions.lock().unwrap().clone()
    }

    pub(crate) fn key_questions(&self) -> usize {
        *self.0.key_questions.lock().unwrap()
    }

    /// How many polls wait for news.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// How many heartbeats it has sent.
    pub(crate) fn beats(&self) -> usize {
        self.0.beats.load(Ordering::Relaxed)
    }

    fn script(&self) -> Script {
        self.0.script.borrow().clone()
    }
}

pub(crate) fn ended(session: SessionId) -> Value {
    json!({ "session": session, "forget_at": NOW + 425 })
}

pub(crate) fn outdated(account: i64, below_version: i64) -> Value {
    json!({ "account": account, "below_version": below_version, "forget_at": NOW + 425 })
}

fn published(keys: &[&SigningKey]) -> String {
    KeySet::new(keys.iter().map(|key| key.verifying_key()).collect()).to_jwks()
}

impl Script {
    /// The line that a reader with this cursor gets next, and whether it begins a new history.
    fn place(&self, since: Option<&str>) -> (usize, bool) {
        let known = since.and_then(|since| since.strip_prefix(&format!("{}.", self.history)));
        known.and_then(|line| line.parse().ok()).map_or((0, true), |line| (line, false))
    }

    fn cursor(&self, line: usize) -> String {
        format!("{}.{line}", self.history)
    }

    fn page(&self, from: usize, reset: bool) -> (Value, usize) {
        let to = self.lines.len().min(from + self.page);
        let (cursor, more) = (self.cursor(to), to < self.lines.len());
        (json!({ "cursor": cursor, "more": more, "reset": reset, "lines": self.lines[from..to] }), to)
    }
}

async fn keys_of(State(hallpass): State<Hallpass>) -> Response {
    *hallpass.0.key_questions.lock().unwrap() += 1;
    let Script { keys, refusal, redirect, .. } = hallpass.script();
    if let Some(elsewhere) = redirect {
        return (StatusCode::FOUND, [("location", elsewhere)]).into_response();
    }
    let headers = [("content-type", "application/json"), ("cache-control", "public, max-age=900")];
    refusal.map_or_else(|| (headers, keys).into_response(), IntoResponse::into_response)
}

#[derive(Deserialize)]
struct Wanted {
    since: Option<String>,
    wait: Option<u64>,
}

async fn feed_of(State(hallpass): State<Hallpass>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let Wanted { since, wait } = wanted;
    let (known, stream) = (header("if-none-match"), header("accept").as_deref() == Some("text/event-stream"));
    let response = if header("authorization").as_deref() == Some(BASIC) {
        tell(&hallpass, since.as_deref(), wait, known.as_deref(), stream).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    };
    let question = Question { since, wait, known, stream, status: response.status() };
    hallpass.0.questions.lock().unwrap().push(question);
    response
}

async fn tell(
    hallpass: &Hallpass,
    since: Option<&str>,
    wait: Option<u64>,
    known: Option<&str>,
    stream: bool,
) -> Response {
    let mut script = hallpass.script();
    if let Some(elsewhere) = script.redirect {
        return (StatusCode::TEMPORARY_REDIRECT, [("location", elsewhere)]).into_response();
    }
    if let Some(refusal) = script.refusal {
        return refusal.into_response();
    }
    if stream && script.streams {
        return (
            [("content-type", "text/event-stream")],
            Body::from_stream(events(hallpass, since.map(str::to_owned))),
        )
            .into_response();
    }
    if let Some(answer) = script.answer {
        return answer.into_response();
    }
    if known == Some(&format!("\"{}\"", script.cursor(script.lines.len()))) {
        let mut changes = hallpass.0.script.subscribe();
        hallpass.0.waiting.fetch_add(1, Ordering::Relaxed);
        let nothing = time::timeout(Duration::from_secs(wait.unwrap_or(0)), changes.changed()).await.is_err();
        hallpass.0.waiting.fetch_sub(1, Ordering::Relaxed);
        if nothing {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        script = hallpass.script();
    }
    let (from, reset) = script.place(since);
    if from >= script.hidden_from {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    script.page(from, reset).0.to_string().into_response()
}

/// News, and heartbeats between them, until the stream is cut.
fn events(
    hallpass: &Hallpass,
    since: Option<String>,
) -> impl stream::Stream<Item = Result<String, &'static str>> + use<> {
    let (hallpass, cuts) = (hallpass.clone(), hallpass.script().cuts);
    let changes = hallpass.0.script.subscribe();
    stream::unfold((hallpass, changes, since), move |(hallpass, mut changes, since)| async move {
        loop {
            let script = hallpass.script();
            if script.cuts != cuts {
                return Some((Err("cut"), (hallpass, changes, since)));
            }
            let (from, reset) = script.place(since.as_deref());
            if from < script.lines.len() {
                let (page, to) = script.page(from, reset);
                let cursor = script.cursor(to);
                let event = format!("event: lines\nid: {cursor}\ndata: {page}\n\n");
                return Some((Ok(event), (hallpass, changes, Some(cursor))));
            }
            if time::timeout(HEARTBEAT, changes.changed()).await.is_err() && script.heartbeats {
                hallpass.0.beats.fetch_add(1, Ordering::Relaxed);
                return Some((Ok("event: heartbeat\ndata: {}\n\n".into()), (hallpass, changes, since)));
            }
        }
    })
}
