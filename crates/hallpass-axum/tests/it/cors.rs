use axum::http::Method;
use hallpass_core::on_both_engines;

use crate::support::*;

const FOREIGN: &[&str] = &[
    "https://evil.example",
    "null",
    "*",
    "",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://APP.EXAMPLE.COM",
    "https://app.example.com%60.evil.example",
    "https://app.example.com/",
    "https://app.example.com.",
    "https://example.com",
    "https://blog.example.com",
    "file://",
    "capacitor://localhost",
    "https://app.example.com, https://evil.example",
    "https://app.example.com\u{a0}",
    "moz-extension://x",
];

fn preflight(path: &str, origin: &str) -> Call {
    Call::new(Method::OPTIONS, path).header("origin", origin).header("access-control-request-method", "POST")
}

on_both_engines! {
    async fn an_origin_that_is_not_listed_gets_nothing(db) {
        let app = TestApp::new(db).await;
        for origin in FOREIGN {
            for path in ["/api/v1/login", "/api/v1/refresh", "/api/v1/me", "/api/v1/csrf", "/healthz", "/nowhere"] {
                let wild = preflight(path, origin)
                    .header("access-control-request-headers", &"x-a,".repeat(2_000))
                    .header("access-control-request-private-network", "true");
                for call in [wild, Call::get(path).header("origin", origin), Call::post(path).header("origin", origin)]
                {
                    let answer = call.send(&app).await;
                    for (name, value) in &answer.headers {
                        assert!(!name.as_str().starts_with("access-control-"), "{path} {origin}: {name}: {value:?}");
                    }
                    assert_eq!(answer.header("vary"), Some("Origin"), "{path} {origin}");
                    assert!(answer.status.as_u16() < 500);
                }
            }
        }
    }

    async fn a_listed_front_end_reads_answers_and_failures(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for (call, status) in [
            (browser.call_with_secret("/api/v1/refresh"), 200),
            (Call::get("/api/v1/me").bearer(&browser.access).header("origin", FRONT_END), 200),
            (Call::get("/api/v1/me").header("origin", FRONT_END), 401),
            (Call::get("/nowhere").header("origin", FRONT_END), 404),
            (Call::get("/api/v1/login").header("origin", FRONT_END), 405),
            (Call::post("/api/v1/login").header("origin", FRONT_END), 415),
            (Call::post("/api/v1/login").header("origin", FRONT_END).body("application/json", vec![b' '; 70_000]), 413),
        ] {
            let answer = call.send(&app).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("access-control-allow-origin"), Some(FRONT_END), "{status}");
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{status}");
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert!(answer.header("access-control-expose-headers").unwrap().contains("retry-after"));
        }
    }

    async fn a_preflight_needs_no_sign_in_and_promises_no_more_than_is_needed(db) {
        let app = TestApp::new(db).await;
        let answer = preflight("/api/v1/refresh", FRONT_END)
            .header("access-control-request-private-network", "true")
            .send(&app)
            .await;
        answer.done();
        for (name, value) in [
            ("access-control-allow-origin", FRONT_END),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE"),
            ("access-control-allow-headers", "authorization, content-type, x-csrf-token, x-csrftoken"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.header("access-control-allow-private-network").is_none());
        assert!(answer.set_cookies().is_empty());
    }

    async fn public_documents_are_for_every_page_and_without_credentials(db) {
        let app = TestApp::new(db).await;
        let (list, _) = app.sign_up("ada").await.status_list();
        for path in ["/.well-known/jwks.json", "/openapi.json", list.strip_prefix(API).unwrap()] {
            for origin in ["https://evil.example", FRONT_END, "null"] {
                let answer = Call::get(path).header("origin", origin).send(&app).await;
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
                assert!(answer.header("access-control-allow-credentials").is_none());
                assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
            }
        }
    }
}
