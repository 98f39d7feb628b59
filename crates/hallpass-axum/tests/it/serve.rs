//! The accept loop over real sockets: what no request with a well-formed head ever meets.

use std::{net::SocketAddr, time::Duration};

use hallpass_axum::{Patience, router, serve_with};
use hallpass_core::testing::TestDb;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::support::*;

/// A served application, and what stops it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        start(Patience::default()).await
    }
}

async fn start(patience: Patience) -> Server {
    start_with(TestApp::new(TestDb::sqlite().await).await, patience).await
}

async fn start_with(app: TestApp, patience: Patience) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let shutdown = async { stopped.await.unwrap_or(()) };
        serve_with(listener, router(app.state.clone()), shutdown, patience).await;
        drop(app);
    });
    Server { address, stop, serving }
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may refuse and close before it has read all.
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer to its end and leaves the connection open.
async fn read_one(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let mut piece = [0; 1024];
    loop {
        if let Some((head, body)) = answer.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return answer;
            }
        }
        let count = timeout(Duration::from_secs(20), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {answer}");
        answer.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
}

pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_serves_many_requests_however_they_are_cut() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let get = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let post =
        "POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    for request in [get, post, get] {
        for piece in request.as_bytes().chunks(7) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(status(&read_one(&mut stream).await).starts_with('2'));
    }
    let pipelined = format!("{post}{get}\r\n{get}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(pipelined.as_bytes()).await.unwrap();
    assert_eq!(read_all(&mut stream).await.matches("HTTP/1.1 20").count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunked_body_is_read_and_nothing_behind_it() {
    let server = Server::start().await;
    let head = "POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let answer =
        raw(server.address, format!("{head}2\r\n{{}}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
            .await;
    assert_eq!(status(&answer), "204");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_two_readers_could_end_differently_is_refused_and_the_connection_closed() {
    let server = Server::start().await;
    let behind = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for lines in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "Content-Length: 2, 2\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length : 2\r\n\r\n{}",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: a\r\n Content-Length: 2\r\n\r\n{}",
        "X: a\n\n",
        "X: a\nContent-Length: 2\r\n\r\n{}",
        "X: a\0b\r\n\r\n",
        "X: a\rContent-Length: 2\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n{}\r\n0\r\n\r\n",
    ] {
        let request =
            format!("POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{lines}{behind}");
        let answer = raw(server.address, request.as_bytes()).await;
        assert_eq!(status(&answer), "400", "{lines:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{lines:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused_at_once() {
    let server = Server::start().await;
    let head = |lines: &str| format!("POST /api/v1/login HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let many: String = (0..101).map(|number| format!("X-{number}: a\r\n")).collect();
    for (request, expected) in [
        (head(&format!("X: {}\r\n", "a".repeat(17_000))), "431"),
        (head(&many), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "a".repeat(9_000)), "414"),
        (format!("GET /{}", "a".repeat(100_000)), "431"),
        (head("Content-Type: application/json\r\nContent-Length: 1073741824\r\n"), "413"),
        (
            head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
                + &format!("10000\r\n{}\r\n", "a".repeat(65_536)).repeat(2),
            "413",
        ),
    ] {
        let answer = raw(server.address, request.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{}", &request[..60.min(request.len())]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_dawdles_over_its_head_is_cut_off_and_one_that_waits_between_requests_is_not() {
    let head = Duration::from_millis(300);
    let server = start(Patience { head, ..Patience::default() }).await;
    for begin in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: a\r\n"] {
        let begun = Instant::now();
        assert_eq!(raw(server.address, begin.as_bytes()).await, "", "{begin:?}");
        assert!(
            begun.elapsed() >= head && begun.elapsed() < Duration::from_secs(5),
            "{begin:?}: {:?}",
            begun.elapsed()
        );
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(get).await.unwrap();
    assert_eq!(status(&read_one(&mut stream).await), "200");
    // Nothing comes from either side for longer than a head may take.
    assert!(timeout(head * 3, stream.read(&mut [0; 16])).await.is_err(), "the connection stays open");
    stream.write_all(get).await.unwrap();
    assert_eq!(status(&read_one(&mut stream).await), "200");
    // But once the next head has begun, it has to end.
    stream.write_all(&get[..10]).await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_in_the_end() {
    let server = start(Patience { idle: Duration::from_millis(300), ..Patience::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_one(&mut stream).await), "200");
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_its_answers_is_cut_off() {
    let server = start(Patience { write: Duration::from_millis(300), ..Patience::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200);
    // Once the answers fill every buffer the server waits for room, and then gives up: a write fails.
    let asking = async { while stream.write_all(&ask).await.is_ok() {} };
    timeout(Duration::from_secs(20), asking).await.expect("the server gives up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_idle_clients_do_not_keep_others_waiting() {
    let server = Server::start().await;
    let mut idle = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /he").await.unwrap();
        idle.push(stream);
    }
    let begun = Instant::now();
    assert_eq!(
        status(&raw(server.address, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await),
        "200"
    );
    assert!(begun.elapsed() < Duration::from_secs(5), "as long as a head may take");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_answers_what_has_begun_and_takes_nothing_new() {
    let server = start(Patience { drain: Duration::from_secs(5), ..Patience::default() }).await;
    let mut begun = TcpStream::connect(server.address).await.unwrap();
    let head = b"POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
        Expect: 100-continue\r\n\r\n";
    begun.write_all(head).await.unwrap();
    // The interim answer shows that the request is in the handler's hands.
    assert_eq!(status(&read_one(&mut begun).await), "100");
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_one(&mut idle).await;
    server.stop.send(()).unwrap();
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is closed at once");
    begun.write_all(b"{}").await.unwrap();
    assert_eq!(status(&read_all(&mut begun).await), "204");
    timeout(Duration::from_secs(5), server.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_news_is_told_at_once_when_the_server_stops() {
    let app = TestApp::new(TestDb::sqlite().await).await;
    let proof = app.program().await.proof();
    let server = start_with(app, Patience::default()).await;
    let ask = |query: &str, accept: &str| {
        format!(
            "GET /api/v1/revocations{query} HTTP/1.1\r\nHost: a\r\nAuthorization: {proof}\r\nAccept: {accept}\r\n\r\n"
        )
    };
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(ask("", "text/event-stream").as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    let mut poll = TcpStream::connect(server.address).await.unwrap();
    poll.write_all(ask("", "*/*").as_bytes()).await.unwrap();
    let newest = read_one(&mut poll).await;
    let (_, cursor) = newest.split_once("\"cursor\":\"").unwrap();
    let query = format!("?wait=25&since={}", cursor.split('"').next().unwrap());
    poll.write_all(ask(&query, "*/*").as_bytes()).await.unwrap();
    let asked = Instant::now();
    server.stop.send(()).unwrap();
    assert!(read_all(&mut stream).await.ends_with("\r\n0\r\n\r\n"), "the stream ends as it should");
    // The request may have come too late to be taken at all.
    let answer = read_all(&mut poll).await;
    assert!(["200", "none"].contains(&status(&answer)), "{answer}");
    timeout(Duration::from_secs(10), server.serving).await.expect("nothing is held up").unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20), "long before the poll and the drain are over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_of_a_stream_is_cut_off() {
    let app = TestApp::new(TestDb::sqlite().await).await;
    let proof = app.program().await.proof();
    app.db.take_back(200_000, app.now()).await;
    let server = start_with(app, Patience { write: Duration::from_millis(300), ..Patience::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let ask = format!(
        "GET /api/v1/revocations HTTP/1.1\r\nHost: a\r\nAuthorization: {proof}\r\nAccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    // A peer that is gone refuses what is sent to it.
    let more = b"\r\n".repeat(1000);
    let gone = async { while stream.write_all(&more).await.is_ok() {} };
    timeout(Duration::from_secs(20), gone).await.expect("the server gives up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_never_ends_does_not_keep_the_server_from_stopping() {
    let server = start(Patience { drain: Duration::from_millis(300), ..Patience::default() }).await;
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    stuck.write_all(b"POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{").await.unwrap();
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(5), server.serving).await.expect("the drain has an end").unwrap();
}
