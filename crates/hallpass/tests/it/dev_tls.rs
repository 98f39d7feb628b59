//! `hallpass serve --dev-tls`: https under real names on this machine, by an authority that a browser can be told to
//! trust.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use reqwest::{Certificate, Client, Method, StatusCode, Version};
use serde_json::json;

use crate::{
    program::{Home, PASSWORD, Server},
    serve::paste_banner,
};

const FILES: [&str; 4] = ["ca.pem", "ca-key.pem", "cert.pem", "key.pem"];

fn start(home: &Home) -> Server {
    Server::start_with(home.command(&["serve", "--dev-tls", "--listen", "127.0.0.1:0"]))
}

fn address(server: &Server) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().unwrap()
}

fn file(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.file("data/dev-tls").join(name)).unwrap()
}

/// Trusts the authority and nobody else, and finds every name on this machine.
fn browser(home: &Home, server: &Server) -> Client {
    let authority = Certificate::from_pem(file(home, "ca.pem").as_bytes()).unwrap();
    let names = ["example.test", "api.example.test", "deep.api.example.test", "example.com"];
    let builder = Client::builder().timeout(Duration::from_secs(20)).tls_certs_only([authority]).cookie_store(true);
    names.iter().fold(builder, |builder, name| builder.resolve(name, address(server))).build().unwrap()
}

#[tokio::test]
async fn whoever_trusts_the_authority_takes_the_server_under_names_of_the_domain_and_no_other() {
    let home = Home::new();
    let server = start(&home);
    let (browser, port) = (browser(&home, &server), address(&server).port());
    for host in ["api.example.test", "example.test", "localhost", "127.0.0.1"] {
        let answer = browser.get(format!("https://{host}:{port}/readyz")).send().await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11), "{host}");
        let headers = answer.headers();
        assert!(!headers.contains_key("strict-transport-security"), "a browser keeps that for every port: {headers:?}");
    }
    for host in ["example.com", "deep.api.example.test"] {
        assert!(browser.get(format!("https://{host}:{port}/readyz")).send().await.is_err(), "{host}");
    }
    let stranger = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    assert!(stranger.get(format!("https://localhost:{port}/readyz")).send().await.is_err());
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
}

#[tokio::test]
async fn a_front_end_of_the_domain_signs_in_and_its_cookie_comes_back() {
    let home = Home::new();
    home.create_superuser("ada");
    let server = start(&home);
    let (browser, port) = (browser(&home, &server), address(&server).port());
    let call = |path: &str, origin: &str| {
        let request = browser.request(Method::POST, format!("https://api.example.test:{port}/api/v1/{path}"));
        request.header("origin", origin).header("sec-fetch-site", "same-site")
    };
    let ada = json!({ "username": "ada", "password": PASSWORD });
    for front_end in ["https://example.test:3000", "https://app.example.test:3000"] {
        let answer = call("login", front_end).json(&ada).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["access-control-allow-origin"], front_end);
        assert_eq!(call("refresh", front_end).send().await.unwrap().status(), StatusCode::OK);
    }
    let elsewhere = call("refresh", "https://shop.example.test:3000").send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_second_start_shows_what_a_browser_trusts_already() {
    let home = Home::new();
    let before = {
        let server = start(&home);
        assert!(server.said().contains("ca.pem was made just now"), "{}", server.said());
        FILES.map(|name| file(&home, name))
    };
    let server = start(&home);
    assert!(server.said().contains("ca.pem is the one of last time"), "{}", server.said());
    assert_eq!(FILES.map(|name| file(&home, name)), before);
    for name in ["ca-key.pem", "key.pem"] {
        let metadata = std::fs::metadata(home.file("data/dev-tls").join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // What is there is good for TLS, not only the same.
    let url = format!("https://localhost:{}/healthz", address(&server).port());
    assert_eq!(browser(&home, &server).get(url).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_holds_up_nobody() {
    let home = Home::new();
    let server = start(&home);
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(address(&server)).unwrap()).collect();
    let mut rubbish = TcpStream::connect(address(&server)).unwrap();
    rubbish.write_all(&[0x16, 3, 1, 0xff, 0xff, 0]).unwrap();
    let url = format!("https://localhost:{}/healthz", address(&server).port());
    assert_eq!(browser(&home, &server).get(url).send().await.unwrap().status(), StatusCode::OK);
    drop((silent, rubbish));
}

#[test]
fn plain_http_is_told_to_use_tls() {
    let home = Home::new();
    let server = start(&home);
    let mut stream = TcpStream::connect(address(&server)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains(&format!("use https://api.example.test:{}", address(&server).port())), "{answer}");
}

#[test]
fn the_banner_says_what_is_left_to_do_and_its_commands_work() {
    let home = Home::new();
    let server = start(&home);
    let said = server.said();
    let folder = home.path().canonicalize().unwrap().join("data/dev-tls");
    for words in
        ["update-ca-certificates", "security add-trusted-cert", "certutil -d sql:", "certutil -addstore", "Firefox"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        assert!(said.contains(folder.join(name).to_str().unwrap()), "{name}: {said}");
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    if !hosts.contains("example.test") {
        assert!(said.contains("  127.0.0.1 api.example.test example.test app.example.test"), "{said}");
    }
    paste_banner(&server, "over TLS");
}

#[test]
fn a_name_that_leads_to_this_machine_is_not_asked_for() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_DEV_TLS", "true").env("HALLPASS_DEV_DOMAIN", "hallpass.localhost");
    let server = Server::start_with(command);
    let port = address(&server).port();
    assert!(server.said().contains(&format!("https://api.hallpass.localhost:{port}/docs")), "{}", server.said());
    let leads_here = std::net::ToSocketAddrs::to_socket_addrs(&("api.hallpass.localhost", port));
    let leads_here = leads_here.is_ok_and(|mut found| found.all(|address| address.ip().is_loopback()));
    assert_eq!(server.said().contains("Add this line"), !leads_here, "{}", server.said());
}
