//! Bytes that are no requests, or are no more requests, on the sockets of the server.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::serve::{Server, raw, status};

const GOOD: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Requests that are cut, turned and filled with rubbish.
const BEFORE: [&[u8]; 4] = [
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/v1/logout HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\n{}\r\n0\r\n\r\n",
    b"POST /api/v1/refresh HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\nCookie: __Host-refresh=x\r\n\r\n",
];

/// What parsers stumble over.
const PIECES: [&[u8]; 14] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b" ",
    b"\t",
    b"\r\n ",
    b"HTTP/9.9",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\xff\xfe",
    b"ffffffffffffffff\r\n",
    b"%00",
];

/// Reproducible choices (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not nothing.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..=self.below(most)).map(|_| self.next() as u8).collect()
    }

    /// A request with one to six faults.
    fn damaged(&mut self) -> Vec<u8> {
        let mut request = BEFORE[self.below(BEFORE.len())].to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(request.len());
            match self.below(5) {
                0 => request[at] = self.next() as u8,
                1 => drop(request.splice(at..at, PIECES[self.below(PIECES.len())].iter().copied())),
                2 => drop(request.splice(at..at, self.bytes(40))),
                3 => drop(request.drain(at..request.len().min(at + 9))),
                _ => request.extend_from_within(at..),
            }
            if request.is_empty() {
                request.push(b'G');
            }
        }
        request
    }
}

/// Sends bytes and nothing behind them, and reads until the server closes, which it does by itself: long before the 10 seconds that
/// a head may take.
async fn whole(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may refuse and close before it has read all.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let closed = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "still open after {:?}: {:?}", bytes.escape_ascii(), answer.escape_ascii());
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_are_refused_before_any_time_out_and_the_next_client_is_served() {
    let server = Server::start().await;
    let mut random = Random(1);
    for round in 0..300 {
        let mut bytes = random.bytes(600);
        if round % 2 == 0 {
            // Half of them end as a head does.
            bytes.extend_from_slice(b"\r\n\r\n");
        }
        let answer = whole(server.address, &bytes).await;
        assert!(answer.is_empty() || status(&answer).starts_with('4'), "{}: {answer}", bytes.escape_ascii());
        if round % 10 == 0 {
            assert_eq!(status(&raw(server.address, GOOD).await), "200", "after {}", bytes.escape_ascii());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_requests_are_answered_or_refused_before_any_time_out_and_the_next_client_is_served() {
    let server = Server::start().await;
    let mut random = Random(2);
    let mut refused = 0;
    for round in 0..300 {
        let bytes = random.damaged();
        let answer = whole(server.address, &bytes).await;
        // Some faults do no harm, and behind some there is a second request.
        for answer in answer.split("HTTP/1.").skip(1) {
            assert!(matches!(answer.as_bytes()[2], b'1' | b'2' | b'4'), "{}: {answer}", bytes.escape_ascii());
        }
        refused += usize::from(answer.is_empty() || status(&answer).starts_with('4'));
        if round % 10 == 0 {
            assert_eq!(status(&raw(server.address, GOOD).await), "200", "after {}", bytes.escape_ascii());
        }
    }
    assert!(refused > 100, "{refused} of 300 were refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_refused_with_the_first_line_and_the_connection_closed() {
    let server = Server::start().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    for frames in [&b""[..], settings, &settings.repeat(10_000)] {
        let answer = raw(server.address, &[&preface, frames].concat()).await;
        assert!(["400", "505"].contains(&status(&answer)), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    // Nor does anybody change over to it.
    let upgrade = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let answer = raw(server.address, upgrade.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(status(&raw(server.address, GOOD).await), "200");
}
