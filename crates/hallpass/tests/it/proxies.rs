//! The guide's "A proxy that asks" with the proxies themselves: the real program, a back end that keeps what reaches it,
//! and between them nginx and Caddy with the blocks of `docs/guide/revocation.md`, in which only names and ports are
//! replaced. A proxy that is not installed is skipped.

use std::{net::SocketAddr, time::Duration};

use axum::http::{Method, StatusCode};
use reqwest::Client;
use serde_json::{Value, json};

use crate::program::{Home, PASSWORD, Server};

mod backend;
mod proxy;

use backend::{Arrived, Backend, always};
use proxy::{Kind, Proxy};

const BOTH: [Kind; 2] = [Kind::Nginx, Kind::Caddy];

/// A server with two people, a back end, and the proxies in front of it.
struct World {
    server: Server,
    backend: Backend,
    proxies: Vec<Proxy>,
    /// Has two roles.
    ada: Person,
    /// Has none.
    bob: Person,
    _home: Home,
}

struct Person {
    authorization: String,
    account: String,
    roles: &'static str,
}

impl World {
    async fn start() -> Self {
        let home = Home::new();
        for name in ["ada", "bob"] {
            home.create_superuser(name);
        }
        for role in ["editor", "support"] {
            home.json(&["accounts", "grant-role", "ada", role, "--json"]);
        }
        let server = Server::start(&home);
        let backend = Backend::start().await;
        let hallpass = server.url.trim_start_matches("http://").parse().unwrap();
        let proxies = BOTH.into_iter().filter_map(|kind| Proxy::start(kind, hallpass, backend.address)).collect();
        let (ada, bob) = (sign_in(&server, "ada", "editor,support").await, sign_in(&server, "bob", "").await);
        Self { server, backend, proxies, ada, bob, _home: home }
    }

    /// The one request that has arrived.
    fn arrived(&self) -> Arrived {
        let arrived = self.backend.arrived();
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        arrived.into_iter().next().unwrap()
    }

    /// What Hallpass itself says of a token.
    async fn session_of(&self, person: &Person) -> String {
        let ask = client().get(format!("{}/api/v1/forward-auth", self.server.url));
        let answer = ask.header("authorization", &person.authorization).send().await.unwrap();
        answer.headers()["x-hallpass-session"].to_str().unwrap().to_owned()
    }

    /// What the back end has to be told of the person. nginx leaves an empty header out.
    async fn ours(&self, proxy: &Proxy, person: &Person) -> Vec<(String, String)> {
        let session = self.session_of(person).await;
        let all = [("account", &*person.account), ("roles", person.roles), ("session", &session)];
        let told = all.into_iter().filter(|(_, value)| proxy.kind != Kind::Nginx || !value.is_empty());
        told.map(|(name, value)| (format!("x-hallpass-{name}"), value.to_owned())).collect()
    }
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

async fn sign_in(server: &Server, username: &str, roles: &'static str) -> Person {
    let login = client().post(format!("{}/api/v1/login", server.url));
    let answer = login.json(&json!({ "username": username, "password": PASSWORD })).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let authorization = format!("Bearer {}", body["access_token"].as_str().unwrap());
    Person { authorization, account: body["user"]["id"].to_string(), roles }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_in_the_header_nothing_reaches_the_back_end() {
    let world = World::start().await;
    let good = &*world.ada.authorization;
    let token = good.trim_start_matches("Bearer ");
    let (cookie, form) = (format!("access_token={token}; __Host-hallpass={token}"), format!("access_token={token}"));
    let length = form.len().to_string();
    let form_headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", &*length)];
    let basic = good.replace("Bearer", "Basic");
    let wrong = format!("{good}x");
    for proxy in &world.proxies {
        let queries = ["access_token=", "token=", "authorization=Bearer+"];
        let queries = queries.map(|query| format!("GET /orders?{query}{token}"));
        let mut answers = vec![proxy.ask("GET /orders", &[], b"")];
        answers.extend(queries.iter().map(|question| proxy.ask(question, &[], b"")));
        answers.push(proxy.ask("GET /orders", &[("Cookie", &cookie)], b""));
        answers.push(proxy.ask("POST /orders", &form_headers, form.as_bytes()));
        for value in ["Bearer", "Bearer x.y.z", &basic, &wrong] {
            answers.push(proxy.ask("GET /orders", &[("Authorization", value)], b""));
        }
        answers.push(proxy.ask("GET /orders", &[("X-Hallpass-Account", "1"), ("X-Hallpass-Roles", "support")], b""));
        for answer in answers {
            assert_eq!(answer.status, 401, "{:?}: {answer:?}", proxy.kind);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{answer:?}");
        }
        // nginx does not even ask for these.
        let twice = proxy.ask("GET /orders", &[("Authorization", good), ("Authorization", good)], b"");
        assert_eq!(twice.status, if proxy.kind == Kind::Nginx { 400 } else { 401 }, "{twice:?}");
        assert_eq!(world.backend.arrived().len(), 0, "{:?}", proxy.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_good_token_the_back_end_is_told_whose_it_is() {
    let world = World::start().await;
    for proxy in &world.proxies {
        for person in [&world.ada, &world.bob] {
            let answer = proxy.ask("GET /orders?since=1&x=%20y", &[("Authorization", &person.authorization)], b"");
            assert_eq!(answer.status, 200, "{:?}: {answer:?}", proxy.kind);
            let arrived = world.arrived();
            assert_eq!(
                (arrived.method.clone(), arrived.uri.to_string()),
                (Method::GET, "/orders?since=1&x=%20y".into())
            );
            assert_eq!(arrived.ours(), world.ours(proxy, person).await, "{:?}", proxy.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_writes_into_our_headers_never_arrives() {
    let world = World::start().await;
    for proxy in &world.proxies {
        let expected = world.ours(proxy, &world.bob).await;
        for spelled in
            ["X-Hallpass-", "x-hallpass-", "X-HALLPASS-", "X_Hallpass_", "x_hallpass-", "X-Hallpass_", "X.Hallpass."]
        {
            let [account, session, roles] = ["Account", "Session", "Roles"].map(|name| format!("{spelled}{name}"));
            for times in 1..=2 {
                let mut headers = vec![("Authorization", &*world.bob.authorization)];
                for _ in 0..times {
                    headers.extend([(&*account, "1"), (&*session, "forged"), (&*roles, "superuser")]);
                }
                let answer = proxy.ask("GET /orders", &headers, b"");
                assert_eq!(answer.status, 200, "{:?} {spelled}: {answer:?}", proxy.kind);
                assert_eq!(world.arrived().ours(), expected, "{:?} {spelled} {times}", proxy.kind);
            }
        }
    }
}

/// A proxy does not hand on what a client declares to concern its connection alone (RFC 9110 section 7.6.1).
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_have_our_headers_removed() {
    let world = World::start().await;
    for proxy in &world.proxies {
        let expected = world.ours(proxy, &world.ada).await;
        for names in [
            "close, X-Hallpass-Account, X-Hallpass-Session, X-Hallpass-Roles",
            "x-hallpass-roles,X-HALLPASS-ACCOUNT ,close",
            "close\r\nConnection: X-Hallpass-Account",
        ] {
            let headers = [("Authorization", &*world.ada.authorization), ("Connection", names)];
            let answer = proxy.ask("GET /orders", &headers, b"");
            assert_eq!(answer.status, 200, "{:?} {names}: {answer:?}", proxy.kind);
            assert_eq!(world.arrived().ours(), expected, "{:?} {names}", proxy.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_out_is_not_let_through() {
    for place in 0..BOTH.len() {
        let world = World::start().await;
        let Some(proxy) = world.proxies.get(place) else { continue };
        let headers = [("Authorization", &*world.ada.authorization)];
        assert_eq!(proxy.ask("GET /orders", &headers, b"").status, 200);
        let logout = client().post(format!("{}/api/v1/logout", world.server.url));
        let answer = logout.header("authorization", &world.ada.authorization).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        world.backend.arrived();
        // The server that ended the session knows it before it answers.
        let answer = proxy.ask("GET /orders", &headers, b"");
        assert_eq!(answer.status, 401, "{:?}: {answer:?}", proxy.kind);
        assert!(answer.header("www-authenticate").unwrap().contains("The session has ended"), "{answer:?}");
        assert_eq!(world.backend.arrived().len(), 0);
        let bob = [("Authorization", &*world.bob.authorization)];
        assert_eq!(proxy.ask("GET /orders", &bob, b"").status, 200, "{:?}: nobody else is signed out", proxy.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_arrives_whole() {
    let world = World::start().await;
    let body: Vec<u8> = (0..900_000u32).map(|place| (place % 251) as u8).collect();
    let length = body.len().to_string();
    let mut chunked = format!("{:x}\r\n", body.len()).into_bytes();
    chunked.extend(body.iter().copied().chain(*b"\r\n0\r\n\r\n"));
    for proxy in &world.proxies {
        // As a browser sends it from a front end of another origin.
        let headers =
            [("Authorization", &*world.ada.authorization), ("Origin", "https://shop.example"), ("Cookie", "a=b")];
        for (framing, sent) in [(("Content-Length", &*length), &body), (("Transfer-Encoding", "chunked"), &chunked)] {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                let headers = [&headers[..], &[framing]].concat();
                let answer = proxy.ask(&format!("{method} /orders"), &headers, sent);
                assert_eq!(answer.status, 200, "{:?} {method} {framing:?}: {answer:?}", proxy.kind);
                let arrived = world.arrived();
                assert_eq!(arrived.method, method);
                assert!(arrived.body == body, "{:?} {framing:?}: {} bytes arrived", proxy.kind, arrived.body.len());
                assert_eq!(arrived.ours(), world.ours(proxy, &world.ada).await);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hallpass_nobody_is_let_through() {
    let World { server, backend, proxies, ada, .. } = World::start().await;
    drop(server);
    for proxy in &proxies {
        let answer = proxy.ask("GET /orders", &[("Authorization", &ada.authorization)], b"");
        assert!((500..600).contains(&answer.status), "{:?}: {answer:?}", proxy.kind);
        assert_eq!(backend.arrived().len(), 0, "{:?}", proxy.kind);
    }
}

/// 503 is what a server says that does not know what was taken back; the others are what may come from between.
#[tokio::test(flavor = "multi_thread")]
async fn any_other_answer_of_hallpass_lets_nobody_through() {
    let backend = Backend::start().await;
    for status in [503, 500, 502, 429, 404, 403, 400, 302, 307, 304] {
        let hallpass: SocketAddr = always(StatusCode::from_u16(status).unwrap()).await;
        for proxy in BOTH.into_iter().filter_map(|kind| Proxy::start(kind, hallpass, backend.address)) {
            let answer = proxy.ask("GET /orders", &[("Authorization", "Bearer x.y.z")], b"");
            // nginx knows only two refusals.
            let expected = if proxy.kind == Kind::Nginx && status != 403 { 500 } else { status };
            assert_eq!(answer.status, expected, "{:?}: {answer:?}", proxy.kind);
            assert_eq!(backend.arrived().len(), 0, "{:?} {status}", proxy.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_where_nginx_asks_is_not_there_for_clients() {
    let world = World::start().await;
    for proxy in world.proxies.iter().filter(|proxy| proxy.kind == Kind::Nginx) {
        let answer = proxy.ask("GET /_hallpass", &[("Authorization", &world.ada.authorization)], b"");
        assert_eq!((answer.status, answer.header("x-hallpass-account")), (404, None), "{answer:?}");
        assert_eq!(world.backend.arrived().len(), 0);
    }
}
