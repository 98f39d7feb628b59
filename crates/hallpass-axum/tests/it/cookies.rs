use hallpass_core::on_both_engines;
use serde_json::json;

use crate::support::*;

/// Asserts that both cookies are set, with these attributes and no others.
#[track_caller]
fn assert_kept(answer: &Answer, max_age: &str) {
    let value = |name| answer.cookie(name).filter(|value| !value.is_empty()).unwrap();
    let refresh =
        format!("__Host-refresh={}; Path=/; Secure; HttpOnly; SameSite=Strict{max_age}", value("__Host-refresh"));
    let csrf = format!("__Host-csrf={}; Path=/; Secure; SameSite=Strict{max_age}", value("__Host-csrf"));
    assert!(refresh.len() < 4096 && csrf.len() < 4096);
    assert_eq!(answer.set_cookies(), [refresh, csrf]);
}

/// What a browser sends back.
fn jar(answer: &Answer) -> String {
    format!("__Host-refresh={}", answer.cookie("__Host-refresh").unwrap())
}

on_both_engines! {
    async fn cookies_have_exactly_the_attributes_that_browsers_need(db) {
        // A session as long as it may last at all, so that what is left of it becomes less.
        let app = TestApp::with(db, |config, _| config.sessions.absolute = config.sessions.idle).await;
        let week = app.hallpass.config().sessions.idle;
        for (name, remember) in [("ada", Some(true)), ("bob", Some(false)), ("cleo", None)] {
            let mut body = json!({ "username": name, "password": PASSWORD });
            if let Some(remember) = remember {
                body["remember"] = json!(remember);
            }
            let max_age = |left: i64| {
                if remember == Some(true) { format!("; Max-Age={left}") } else { String::new() }
            };
            let from_page = |path: &str| Call::post(path).header("origin", FRONT_END);
            let signed_up = from_page("/api/v1/signup").json(&body).send(&app).await;
            assert_eq!(signed_up.status, 201);
            assert_kept(&signed_up, &max_age(week));
            let signed_in = from_page("/api/v1/login").json(&body).send(&app).await;
            assert_eq!(signed_in.status, 200);
            assert_kept(&signed_in, &max_age(week));

            app.pass(60).await;
            let mut jar = jar(&signed_in);
            // The first is rotated, the second is a repetition: it gives the same cookie again.
            for _ in 0..2 {
                let refreshed = from_page("/api/v1/refresh").header("cookie", &jar).send(&app).await;
                assert_eq!(refreshed.status, 200);
                assert_kept(&refreshed, &max_age(week - 60));
                jar = self::jar(&refreshed);
            }

            let handed_out = Call::get("/api/v1/csrf").header("cookie", &jar).send(&app).await;
            assert_eq!(handed_out.status, 200);
            let token = handed_out.json()["csrf_token"].as_str().unwrap().to_owned();
            assert_eq!(handed_out.set_cookies(), [format!("__Host-csrf={token}; Path=/; Secure; SameSite=Strict")]);

            let signed_out = from_page("/api/v1/logout").header("cookie", &jar).send(&app).await;
            signed_out.done();
            // Browsers clear a cookie only where everything but its lifetime is as it was set.
            let over = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
            assert_eq!(
                signed_out.set_cookies(),
                [
                    format!("__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict{over}"),
                    format!("__Host-csrf=; Path=/; Secure; SameSite=Strict{over}")
                ]
            );
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
