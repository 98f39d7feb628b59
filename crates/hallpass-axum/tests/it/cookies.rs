use hallpass_core::on_both_engines;
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn cookies_have_exactly_the_attributes_that_browsers_need(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let body = json!({ "username": "ada", "password": PASSWORD, "remember": true });
        let remembered = Call::post("/api/v1/login").json(&body).header("origin", FRONT_END).send(&app).await;
        let forgotten = log_in("ada", PASSWORD).header("origin", FRONT_END).send(&app).await;
        for (answer, lifetime) in [(remembered, "; Max-Age=604800"), (forgotten, "")] {
            let refresh = format!(
                "__Host-refresh={}; Path=/; Secure; HttpOnly; SameSite=Strict{lifetime}",
                answer.cookie("__Host-refresh").unwrap()
            );
            let csrf = format!(
                "__Host-csrf={}; Path=/; Secure; SameSite=Strict{lifetime}",
                answer.cookie("__Host-csrf").unwrap()
            );
            assert_eq!(answer.set_cookies(), [&refresh, &csrf]);
            assert!(refresh.len() < 4096 && csrf.len() < 4096);
        }
    }

    async fn a_planted_cookie_never_chooses_a_session(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let victim = app.log_in_browser("ada").await;
        let secret = &victim.refresh;
        let refresh = |line: String| Call::post("/api/v1/refresh").header("origin", FRONT_END).header("cookie", &line);
        for line in [
            format!("__host-refresh={secret}"),
            format!("__HOST-REFRESH={secret}"),
            format!("=__Host-refresh={secret}"),
            format!("refresh={secret}"),
            format!("__Host-refresh ={secret}x"),
            format!("__Host-refresh\u{a0}={secret}"),
            "__Host-refresh".into(),
            format!("__Host-refresh=\"{secret}\""),
            format!("x=\"; __host-refresh={secret}\""),
        ] {
            let answer = refresh(line.clone()).send(&app).await;
            assert_eq!(answer.status, 401, "{line}");
        }
        for line in [
            format!("__Host-refresh={secret}; __Host-refresh={secret}"),
            format!("__Host-refresh=planted; __Host-refresh={secret}"),
            format!("__Host-refresh={secret}; other=1; __Host-refresh="),
            format!("__Host-refresh={}", "x".repeat(10_000)),
            "__Host-refresh=\u{e9}\u{fffd}".into(),
        ] {
            let answer = refresh(line.clone()).send(&app).await;
            assert!([400, 401].contains(&answer.status.as_u16()), "{line}: {}", answer.status);
            assert!(answer.set_cookies().is_empty());
        }
        let split =
            refresh(format!("__Host-refresh={secret}")).header("cookie", "__Host-refresh=planted").send(&app).await;
        split.refused(400, "invalid_request");
    }

    async fn cookies_of_others_do_not_disturb(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let line =
            format!("n\u{e4}me=\u{fc}; ;;=; __host-refresh=planted; a=b=c; __Host-refresh={} ;x", browser.refresh);
        let answer = Call::post("/api/v1/refresh").header("origin", FRONT_END).header("cookie", &line).send(&app).await;
        assert_eq!(answer.status, 200);
    }

    async fn a_cookie_is_no_access_token(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for path in ["/api/v1/me", "/api/v1/session", "/api/v1/sessions"] {
            let call = Call::get(path).header("origin", FRONT_END).header("cookie", &browser.cookies());
            call.send(&app).await.refused(401, "token_missing");
        }
    }
}
