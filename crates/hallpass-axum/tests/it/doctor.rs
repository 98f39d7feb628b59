//! What a browser can find out in development, and that nobody finds it out elsewhere without the master key.

use axum::http::Method;
use hallpass_axum::{Web, doctor};
use hallpass_core::{Config, MasterKey, on_both_engines};
use serde_json::{Value, json};

use crate::support::*;

const OWN: &str = "http://localhost:8000";
const LISTED: &str = "http://localhost:3000";
const PAGES: [&str; 4] = ["/doctor", "/doctor.js", "/doctor/origin", "/doctor/seen"];

fn in_development(_: &mut Config, web: &mut Web) {
    web.dev = true;
    web.public_url = OWN.into();
    web.frontend_origins = vec![LISTED.into()];
    web.trusted_proxies = vec!["10.0.0.7".into()];
}

fn here(path: &str) -> Call {
    Call::get(path).header("host", "localhost:8000")
}

on_both_engines! {
    async fn in_earnest_there_are_no_such_pages(db) {
        let app = TestApp::new(db).await;
        for path in PAGES {
            let call = Call::get(path).header("host", "localhost").header("origin", FRONT_END);
            call.send(&app).await.refused(404, "not_found");
        }
    }

    async fn in_earnest_what_arrives_is_told_to_whoever_has_the_master_key(db) {
        let master = MasterKey::generate().unwrap();
        let copy = MasterKey::from_base64(&master.to_base64()).unwrap();
        let app = TestApp::under(copy, db, |_, web| web.trusted_proxies = vec!["10.0.0.7".into()]).await;
        let ask = |proof: String| {
            let call = Call::get("/doctor/seen").header("host", "api.example.com").from("10.0.0.7");
            call.header("x-forwarded-for", "198.51.100.4").header(doctor::PROOF, &proof)
        };
        let seen = ask(doctor::proof(&master.doctor(), app.now())).send(&app).await.json();
        assert_eq!((&seen["peer"], &seen["peer_is_trusted"]), (&json!("10.0.0.7"), &json!(true)));
        assert_eq!((&seen["client"], &seen["host"]), (&json!("198.51.100.4"), &json!("api.example.com")));
        assert_eq!(seen["forwarded"], json!({ "x-forwarded-for": ["198.51.100.4"] }));

        let stranger = MasterKey::generate().unwrap();
        for proof in [
            doctor::proof(&stranger.doctor(), app.now()),
            doctor::proof(&master.doctor(), app.now() - 61),
            String::new(),
        ] {
            ask(proof).send(&app).await.refused(404, "not_found");
        }
    }

    async fn in_development_nobody_reads_it_under_a_foreign_name(db) {
        let app = TestApp::with(db, in_development).await;
        for path in PAGES {
            assert_eq!(here(path).send(&app).await.status, 200, "{path}");
            Call::get(path).header("host", "rebound.example").send(&app).await.refused(404, "not_found");
        }
    }

    async fn the_page_holds_no_script_and_the_script_writes_text_only(db) {
        let app = TestApp::with(db, in_development).await;
        let page = here("/doctor").send(&app).await;
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
        for forbidden in ["<script>", "onclick", "style=", "http://", "https://"] {
            assert!(!page.text().contains(forbidden), "{forbidden}");
        }
        let script = here("/doctor.js").send(&app).await;
        // A page of any origin loads it, above all one that is not listed.
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(script.header("access-control-allow-origin"), Some("*"));
        assert_eq!(script.header("cross-origin-resource-policy"), Some("cross-origin"));
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.text().contains(forbidden), "{forbidden}");
        }
    }

    async fn a_test_cookie_is_set_and_its_return_is_noticed(db) {
        let app = TestApp::with(db, in_development).await;
        let first = here("/doctor/seen").header("origin", LISTED).send(&app).await;
        assert_eq!(first.json()["cookie"], false);
        assert_eq!(first.header("access-control-allow-origin"), Some(LISTED));
        let cookie = first.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-doctor=1; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age="), "{cookie}");
        let second = here("/doctor/seen").header("cookie", "__Host-doctor=1").header("sec-fetch-site", "same-site");
        let second = second.send(&app).await.json();
        assert_eq!((&second["cookie"], &second["site"]), (&json!(true), &json!("same-site")));
        assert_eq!((&second["public_url"], &second["now"]), (&json!(OWN), &json!(app.now())));
    }

    async fn a_page_hears_why_its_origin_is_refused_and_nothing_that_needs_a_cookie(db) {
        let app = TestApp::with(db, in_development).await;
        let ask = async |origin: &'static str| {
            let answer = here("/doctor/origin").header("origin", origin).send(&app).await;
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{origin}");
            assert!(answer.header("access-control-allow-credentials").is_none(), "{origin}");
            answer.json()
        };
        for origin in [OWN, LISTED] {
            assert_eq!(ask(origin).await, json!({ "origin": origin, "refused": Value::Null }));
        }
        for (origin, seen) in [
            ("http://localhost:4000", "another port"),
            ("http://127.0.0.1:3000", "another site"),
            ("https://localhost:3000", "another scheme"),
            ("null", "sandboxed"),
        ] {
            let refused = ask(origin).await["refused"].clone();
            assert_eq!(refused["level"], "wrong");
            assert!(refused["seen"].as_str().unwrap().contains(seen), "{refused}");
            let answer = here("/doctor/seen").header("origin", origin).send(&app).await;
            assert!(answer.header("access-control-allow-origin").is_none(), "{origin}");
        }
    }

    async fn the_pages_are_no_part_of_the_interface(db) {
        let app = TestApp::with(db, in_development).await;
        let document = here("/openapi.json").send(&app).await.text().to_owned();
        assert!(!document.contains("/doctor"), "{document}");
        Call::new(Method::POST, "/doctor/seen").header("host", "localhost").send(&app).await.refused(405, "method_not_allowed");
    }

    async fn over_tls_in_development_no_browser_is_told_to_use_it_for_every_port(db) {
        let over_tls = |_: &mut Config, web: &mut Web| {
            (web.dev, web.dev_domain) = (true, Some("example.test".into()));
            (web.public_url, web.frontend_origins) = ("https://api.example.test:8000".into(), Vec::new());
        };
        let app = TestApp::with(db, over_tls).await;
        let answer = Call::get("/healthz").send(&app).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}
