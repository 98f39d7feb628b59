//! A server whose bell is a Redis: what it says of it, and what it never shows.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
};

use hallpass_core::testing::TestRedis;

use crate::program::{Home, Server, within_five_seconds};

/// Starts a server with its own SQLite and this bell.
fn start(home: &Home, redis: &str, authorities: &str) -> Server {
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_REVOCATION__BELL", "redis").env("HALLPASS_REVOCATION__REDIS", redis);
    command.env("HALLPASS_LOG__LEVEL", "debug").env("SSL_CERT_FILE", home.file(authorities));
    Server::start_with(command)
}

#[tokio::test]
async fn a_bell_that_fails_is_a_warning_once_and_shows_no_password() {
    let Some(redis) = TestRedis::start(&["--requirepass", "right"]).await else { return };
    let home = Home::new();
    let server = start(&home, &redis.url("canary"), "none.pem");
    let complaints = |level: &str| {
        let said = server.said();
        said.lines().filter(|line| line.contains(level) && line.contains("the bell cannot be heard")).count()
    };
    within_five_seconds("the second attempt", async || complaints("DEBUG") > 0).await;
    assert_eq!(complaints("WARN"), 1, "{}", server.said());
    let answer = reqwest::get(format!("{}/readyz", server.url)).await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    assert!(!server.said().contains("canary"), "{}", server.said());
}

#[tokio::test]
async fn rediss_is_tls_with_a_certificate_that_this_machine_trusts() {
    let home = Home::new();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    home.write("redis.pem", &certificate.cert.pem());
    home.write("redis.key", &certificate.signing_key.serialize_pem());
    home.write("other.pem", &rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem());
    let [pem, key] = ["redis.pem", "redis.key"].map(|name| home.file(name).display().to_string());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = port.to_string();
    let settings = ["--tls-port", &tls, "--tls-cert-file", &pem, "--tls-key-file", &key, "--tls-ca-cert-file", &pem];
    let Some(redis) = TestRedis::start(&[&settings[..], &["--tls-auth-clients", "no"]].concat()).await else { return };
    let address = format!("rediss://localhost:{port}");

    let distrustful = start(&home, &address, "other.pem");
    let complaint = || distrustful.said().contains("invalid peer certificate");
    within_five_seconds("the refusal", async || complaint()).await;
    assert_eq!(listeners(redis.port), 0);
    let _trusting = start(&home, &address, "redis.pem");
    within_five_seconds("the bell", async || listeners(redis.port) == 1).await;
}

/// How many listen for the bell.
fn listeners(port: u16) -> usize {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.write_all(b"PUBSUB NUMSUB hallpass_revocations\r\n").unwrap();
    let lines = BufReader::new(connection).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix(':')?.parse().ok()).next().unwrap()
}
