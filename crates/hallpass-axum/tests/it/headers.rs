use hallpass_core::on_both_engines;

use crate::{routes::operations, support::*};

on_both_engines! {
    async fn every_answer_has_the_security_headers(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let mut calls: Vec<Call> = operations()
            .into_iter()
            .flat_map(|(_, method, path, ..)| {
                let call = Call::new(method, &path.replace("{id}", "x"));
                [call.clone(), call.bearer(&device.access)]
            })
            .collect();
        let pages = ["/", "/docs", "/verify", "/reset", "/dev/mail"];
        let others = ["/assets/docs.js", "/openapi.json", "/dev/mail.json", "/nowhere", "/api/v1/me?x=1"];
        calls.extend(pages.into_iter().chain(others).map(Call::get));
        calls.push(Call::post("/api/v1/login").body("application/json", vec![0; 70_000]));
        calls.push(Call::get(&format!("/{}", "x".repeat(9_000))));
        for call in calls {
            let shown = format!("{:?}", call.clone().request().uri());
            let answer = call.send(&app).await;
            let page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{shown}");
            assert!(!policy.contains("unsafe"), "{shown}");
            assert_eq!(policy.contains("script-src 'self'"), page, "{shown}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{shown}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{shown}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{shown}");
            assert_eq!(
                answer.header("strict-transport-security"),
                Some("max-age=63072000; includeSubDomains"),
                "{shown}"
            );
            assert_eq!(answer.header("cross-origin-opener-policy"), page.then_some("same-origin"), "{shown}");
            assert!(answer.header("cross-origin-resource-policy").is_some(), "{shown}");
            assert!(answer.header("x-request-id").is_some(), "{shown}");
        }
    }

    async fn what_holds_tokens_or_somebodys_data_is_never_kept_by_a_cache(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let paths = [
            "/api/v1/me",
            "/api/v1/session",
            "/api/v1/sessions",
            "/api/v1/csrf",
            "/api/v1/nowhere",
            "/",
            "/docs",
            "/verify",
            "/reset",
            "/change-email",
            "/sign-in",
            "/dev/mail",
            "/dev/mail.json",
            "/api/v1/me/export",
            "/healthz",
        ];
        for path in paths {
            assert_eq!(device.get(path).await.header("cache-control"), Some("no-store"), "{path}");
        }
        assert_eq!(device.try_refresh().await.header("cache-control"), Some("no-store"));
    }

    async fn over_plain_http_on_this_machine_nothing_is_promised_about_tls(db) {
        let app = TestApp::with(db, |_, web| {
            web.public_url = "http://localhost:8000".into();
            web.frontend_origins = vec!["http://localhost:5173".into()];
            web.dev = true;
        })
        .await;
        assert!(Call::get("/healthz").send(&app).await.header("strict-transport-security").is_none());
    }
}
