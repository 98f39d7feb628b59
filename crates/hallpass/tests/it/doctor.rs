//! `hallpass doctor`: a good server has nothing to hear, and whatever a proxy or a setting spoils is found, with what to
//! do about it.

use std::process::Command;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::program::{Ended, Home, Server, finish};

mod proxy;

use proxy::{Faults, Proxy};

const FRONT_END: &str = "http://localhost:3000";

/// The settings of a server behind `proxy`.
fn behind(command: &mut Command, proxy: &Proxy, trusted: &str) {
    command.env("HALLPASS_PUBLIC_URL", format!("http://localhost:{}", proxy.port));
    command.env("HALLPASS_FRONTEND_ORIGINS", FRONT_END).env("HALLPASS_NETWORK__TRUSTED_PROXIES", trusted);
}

/// Runs `hallpass doctor` in a folder in which a server runs.
fn doctor(home: &Home, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> (i32, Vec<Value>) {
    let mut command = home.command(&[&["doctor", "--json"], arguments].concat());
    prepare(&mut command);
    let ended = finish(command, "", std::time::Duration::from_secs(60));
    let findings: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended.code, findings.as_array().unwrap().clone())
}

/// What is worse than good.
fn troubles(findings: &[Value]) -> Vec<&Value> {
    findings.iter().filter(|finding| finding["level"] != "good").collect()
}

#[track_caller]
fn finds(findings: &[Value], level: &str, about: &str, seen: &str, fix: &str) {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let found = findings.iter().any(|finding| {
        finding["level"] == level
            && text(finding, "about").contains(about)
            && text(finding, "seen").contains(seen)
            && text(finding, "fix").contains(fix)
            && !text(finding, "breaks").is_empty()
    });
    assert!(found, "no {level} {about:?}, {seen:?}, {fix:?} in {:#?}", troubles(findings));
}

/// A server behind a proxy to which a test can give faults.
struct World {
    home: Home,
    proxy: Proxy,
    trusted: &'static str,
    _server: Server,
}

impl World {
    async fn start(trusted: &'static str) -> Self {
        let home = Home::new();
        let proxy = Proxy::start().await;
        let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
        behind(&mut command, &proxy, trusted);
        let server = Server::start_with(command);
        proxy.lead_to(&server.url);
        Self { home, proxy, trusted, _server: server }
    }

    /// What the doctor says while the proxy has `faults`.
    fn examine(&self, faults: Faults) -> (i32, Vec<Value>) {
        self.proxy.spoil(faults);
        tokio::task::block_in_place(|| {
            doctor(&self.home, &["--dev"], |command| behind(command, &self.proxy, self.trusted))
        })
    }
}

#[test]
fn a_good_server_has_nothing_to_hear() {
    let home = Home::new();
    let server = Server::start(&home);
    let listen = server.url.trim_start_matches("http://");
    let (code, findings) = doctor(&home, &["--dev", "--listen", listen], |_| ());
    assert_eq!((code, troubles(&findings)), (0, Vec::new()));
    for about in ["settings", "server", "readiness", "JWKS", "clock", "cookies", "caches", "other origins", "Host"] {
        assert!(findings.iter().any(|finding| finding["about"] == about), "{about} in {findings:#?}");
    }
    for front_end in ["http://localhost:3000", "http://localhost:5173"] {
        let from = |finding: &&Value| finding["about"].as_str().unwrap().ends_with(front_end);
        assert_eq!(findings.iter().filter(from).count(), 2, "{findings:#?}");
    }
    let Ended { code, stdout, stderr } = home.run(&["doctor", "--dev", "--listen", listen]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.lines().all(|line| line.starts_with("good   ")), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_proxy_has_nothing_to_hear_either() {
    let (code, findings) = World::start("127.0.0.1").await.examine(Faults::default());
    assert_eq!(code, 0, "{:#?}", troubles(&findings));
    // The doctor asks from the proxy's own machine, which is all that there is to say.
    let about: Vec<_> = troubles(&findings).iter().map(|finding| finding["about"].clone()).collect();
    assert_eq!(about, ["client address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_does_to_answers_is_found() {
    type Spoil = fn(&mut StatusCode, &mut HeaderMap);
    fn edit_cookies(headers: &mut HeaderMap, from: &str, to: &str) {
        let lines: Vec<_> = headers.get_all("set-cookie").iter().cloned().collect();
        headers.remove("set-cookie");
        for line in lines {
            headers.append("set-cookie", line.to_str().unwrap().replace(from, to).parse().unwrap());
        }
    }
    let cases: [(Spoil, &str, &str, &str); 15] = [
        (
            |_, headers| {
                headers.remove("set-cookie");
            },
            "cookies",
            "no `Set-Cookie`",
            "proxy_hide_header Set-Cookie",
        ),
        (|_, headers| edit_cookies(headers, "Path=/", "Path=/auth"), "cookies", "path=/", "proxy_cookie_path"),
        (
            |_, headers| edit_cookies(headers, "Path=/", "Path=/; Domain=x.test"),
            "cookies",
            "domain=x",
            "cookieDomainRewrite",
        ),
        (|_, headers| edit_cookies(headers, "; Secure", ""), "cookies", "`secure`", "proxy_cookie_flags"),
        (|_, headers| edit_cookies(headers, "; HttpOnly", ""), "cookies", "`httponly`", "proxy_cookie_flags"),
        (|_, headers| edit_cookies(headers, "Strict", "None"), "cookies", "`samesite=strict`", "Set-Cookie"),
        (|_, headers| edit_cookies(headers, "__Host-", ""), "cookies", "changes the name", "Set-Cookie"),
        (
            |_, headers| {
                headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
            },
            "answer to http://localhost:3000",
            "Origin: *`",
            "remove every `Access-Control-",
        ),
        (
            |_, headers| {
                headers.append("access-control-allow-origin", HeaderValue::from_static("*"));
            },
            "preflight from http://localhost:3000",
            "came 2 times",
            "remove every `Access-Control-",
        ),
        (
            |_, headers| {
                headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
            },
            "other origins",
            "for https://elsewhere.invalid",
            "remove every `Access-Control-",
        ),
        (
            |_, headers| {
                headers.remove("access-control-allow-credentials");
            },
            "answer to http://localhost:3000",
            "Credentials` is ``",
            "remove every `Access-Control-",
        ),
        (
            |_, headers| {
                headers.remove("vary");
            },
            "answer to http://localhost:3000",
            "without `Origin`",
            "Vary",
        ),
        (
            |_, headers| {
                headers.remove("cache-control");
            },
            "caches",
            "without `no-store`",
            "Cache-Control",
        ),
        (
            |_, headers| {
                headers.insert("date", HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT"));
            },
            "clock",
            "ahead of the server",
            "set-ntp",
        ),
        (
            |status, headers| {
                *status = StatusCode::MOVED_PERMANENTLY;
                headers.insert("location", HeaderValue::from_static("https://www.example.org/"));
            },
            "server",
            "redirected to `https://www.example.org/`",
            "public_url",
        ),
    ];
    let world = World::start("127.0.0.1").await;
    for (spoil, about, seen, fix) in cases {
        let (code, findings) = world.examine(Faults { answer: Some(spoil), ..Faults::default() });
        finds(&findings, "wrong", about, seen, fix);
        assert_eq!(code, 1, "{about} {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_keeps_for_itself_is_found() {
    let world = World::start("127.0.0.1").await;
    for (refused, about, seen) in [
        ("OPTIONS /api/v1/logout", "preflight from http://localhost:3000", "no `Access-Control-Allow-Origin`"),
        ("GET /.well-known/jwks.json", "JWKS", "answers 404"),
        ("GET /healthz", "server", "something else, with 404"),
        ("GET /readyz", "readiness", "404"),
    ] {
        let (code, findings) = world.examine(Faults { refused: Some(refused), ..Faults::default() });
        finds(&findings, "wrong", about, seen, "");
        assert_eq!(code, 1, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_does_to_requests_is_found() {
    type Spoil = fn(&mut HeaderMap);
    let cases: [(Spoil, bool, &str, &str, &str, &str); 6] = [
        (
            |headers| {
                headers.insert("host", HeaderValue::from_static("backend:8000"));
            },
            true,
            "wrong",
            "Host",
            "`backend:8000` arrived",
            "proxy_set_header Host",
        ),
        (|_| (), false, "wrong", "client address", "may not believe", "trusted_proxies = [\"127.0.0.1\"]"),
        (
            |headers| {
                headers.remove("x-forwarded-for");
            },
            false,
            "wrong",
            "client address",
            "says nothing of another one",
            "$proxy_add_x_forwarded_for",
        ),
        (
            |headers| {
                headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
            },
            true,
            "wrong",
            "client address",
            "believes the `X-Forwarded-For: 192.0.2.1`",
            "$proxy_add_x_forwarded_for",
        ),
        (
            |headers| {
                headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
            },
            true,
            "note",
            "X-Forwarded-Proto",
            "the proxy says `https`",
            "X-Forwarded-Proto $scheme",
        ),
        (
            |headers| {
                headers.remove("origin");
                headers.remove("sec-fetch-site");
            },
            true,
            "wrong",
            "other origins",
            "can sign people out",
            "proxy_set_header Origin",
        ),
    ];
    let (trusting, distrustful) = (World::start("127.0.0.1").await, World::start("").await);
    for (spoil, trusted, level, about, seen, fix) in cases {
        let (code, findings) = if trusted { &trusting } else { &distrustful }
            .examine(Faults { request: Some(spoil), ..Faults::default() });
        finds(&findings, level, about, seen, fix);
        assert_eq!(code, i32::from(level == "wrong"), "{about} {seen}");
    }
}

#[test]
fn an_origin_that_is_refused_is_explained() {
    let home = Home::new();
    let server = Server::start(&home);
    let listen = server.url.trim_start_matches("http://");
    let arguments = ["--dev", "--listen", listen, "--origin", "http://localhost:4000", "--origin", FRONT_END];
    let (code, findings) = doctor(&home, &arguments, |_| ());
    finds(&findings, "wrong", "http://localhost:4000", "not in `frontend_origins`", "\"http://localhost:4000\"]");
    assert_eq!((code, troubles(&findings).len()), (1, 1));
}

#[test]
fn a_server_with_other_settings_than_these_is_noticed() {
    let home = Home::new();
    let server = Server::start(&home);
    let listen = server.url.trim_start_matches("http://");
    let other = |command: &mut Command| {
        command.env("HALLPASS_FRONTEND_ORIGINS", "http://localhost:4000");
    };
    let (code, findings) = doctor(&home, &["--dev", "--listen", listen], other);
    finds(
        &findings,
        "wrong",
        "answer to http://localhost:4000",
        "running server does not list it",
        "start the server again",
    );
    assert_eq!(code, 1);
}

#[test]
fn what_reaches_a_server_in_earnest_is_told_to_whoever_has_its_master_key_and_to_nobody_else() {
    let home = Home::new();
    let in_earnest = |command: &mut Command| {
        command.env("HALLPASS_PUBLIC_URL", "https://login.example.org");
    };
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    in_earnest(&mut command);
    let server = Server::start_with(command);
    let listen = server.url.trim_start_matches("http://");
    let arguments = ["--url", &server.url, "--listen", listen];
    let (code, findings) = doctor(&home, &arguments, in_earnest);
    assert_eq!(code, 0, "{findings:#?}");
    assert!(findings.iter().any(|finding| finding["about"] == "client address"), "{findings:#?}");
    finds(&findings, "note", "mail", "`mail.transport` is `off`", "[mail]");

    let (code, findings) = doctor(&home, &[&arguments[..], &["--data-dir", "elsewhere"]].concat(), in_earnest);
    assert_eq!(code, 0, "{findings:#?}");
    finds(&findings, "note", "proxies", "does not say what reaches it", "master key");
    assert!(!home.file("elsewhere").exists(), "a key was made");
}

#[test]
fn no_answer_is_explained() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, findings) = doctor(&home, &["--dev", "--listen", &free.to_string()], |_| ());
    finds(&findings, "wrong", "server", "refused", "hallpass serve");
    assert_eq!(code, 1);
    home.run(&["doctor", "--dev", "--listen", &free.to_string()]).code_is_1_with("WRONG  server");
}

#[test]
fn a_certificate_that_a_browser_would_not_take_is_explained() {
    let home = Home::new();
    // Loopback, and not what the certificate is for.
    let server = Server::start_with(home.command(&["serve", "--dev-tls", "--listen", "127.0.0.2:0"]));
    let address = server.url.trim_start_matches("http://");
    let url = format!("https://{address}");
    let arguments = ["--dev-tls", "--listen", address, "--url", &url];
    let (code, findings) = doctor(&home, &arguments, |_| ());
    finds(&findings, "wrong", "TLS", "127.0.0.2", "get a certificate for `127.0.0.2`");
    assert_eq!(code, 1);
    let (code, findings) = doctor(&home, &[&arguments[..], &["--data-dir", "elsewhere"]].concat(), |_| ());
    finds(&findings, "wrong", "TLS", "UnknownIssuer", "fullchain.pem");
    assert_eq!(code, 1);
}

#[test]
fn settings_with_which_no_server_starts_are_found_without_one() {
    let home = Home::new();
    let wrong = |command: &mut Command| {
        command.env("HALLPASS_FRONTEND_ORIGINS", "https://example.net");
    };
    let (code, findings) = doctor(&home, &["--dev"], wrong);
    finds(&findings, "wrong", "settings", "https://example.net", "change it");
    assert_eq!(code, 1);
}

impl Ended {
    fn code_is_1_with(&self, text: &str) {
        assert_eq!(self.code, 1, "{self:?}");
        assert!(self.stdout.contains(text) && self.stderr.contains("thing(s) are wrong"), "{self:?}");
    }
}
