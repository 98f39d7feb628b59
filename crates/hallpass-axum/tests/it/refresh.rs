use hallpass_core::on_both_engines;
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn both_kinds_of_client_stay_signed_in_by_refreshing(db) {
        let app = TestApp::new(db).await;
        let mut program = app.sign_up("ada").await;
        let mut browser = app.log_in_browser("ada").await;
        for device in [&mut program, &mut browser] {
            for _ in 0..3 {
                app.pass(306).await;
                device.me().await.refused(401, "token_expired");
                let old = device.refresh.clone();
                device.refresh().await;
                assert_ne!(device.refresh, old);
                assert_eq!(device.me().await.status, 200);
            }
        }
    }

    async fn two_tabs_that_refresh_at_once_get_the_same_successor(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        app.pass(60).await;
        let first = browser.try_refresh().await;
        let second = browser.try_refresh().await;
        assert_eq!(first.cookie("__Host-refresh"), second.cookie("__Host-refresh"));
        assert!(first.cookie("__Host-refresh").is_some());
    }

    async fn a_secret_used_again_later_ends_the_session_and_says_why(db) {
        let app = TestApp::new(db).await;
        let mut owner = app.sign_up("ada").await;
        let stolen = owner.refresh.clone();
        for _ in 0..2 {
            app.pass(60).await;
            owner.refresh().await;
        }
        let reuse = Call::post("/api/v1/refresh").json(&json!({ "refresh_token": stolen })).send(&app).await;
        reuse.refused(401, "session_ended");
        assert_eq!(reuse.json()["cause"], "refresh_reused");
        owner.me().await.refused(401, "session_ended");
        let after = owner.try_refresh().await;
        after.refused(401, "session_ended");
        assert_eq!(after.json()["cause"], "refresh_reused");
    }

    async fn a_refresh_that_fails_never_touches_the_cookies(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        browser.log_out().await;
        let ended = browser.try_refresh().await;
        ended.refused(401, "session_ended");
        assert!(ended.set_cookies().is_empty());
        for cookie in ["__Host-refresh=garbage", "__Host-refresh=", "other=1"] {
            let answer =
                Call::post("/api/v1/refresh").header("origin", FRONT_END).header("cookie", cookie).send(&app).await;
            assert_eq!(answer.status, 401);
            assert!(answer.set_cookies().is_empty(), "{cookie}");
        }
    }

    async fn a_request_with_an_authorization_header_is_judged_by_that_alone(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for header in [format!("Bearer {}", browser.access), "Bearer x".into(), "Basic YTpi".into(), String::new()] {
            let call = browser.call_with_secret("/api/v1/refresh").header("authorization", &header);
            call.send(&app).await.refused(401, "refresh_missing");
        }
    }

    async fn a_secret_that_is_not_whole_is_not_ours(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let secret = &device.refresh;
        for wrong in [
            String::new(),
            "x".into(),
            secret[..secret.len() - 1].into(),
            format!("{secret}A"),
            secret.to_uppercase(),
            device.access.clone(),
        ] {
            let body = json!({ "refresh_token": wrong });
            Call::post("/api/v1/refresh").json(&body).send(&app).await.refused(401, "refresh_invalid");
        }
        Call::post("/api/v1/refresh").send(&app).await.refused(401, "refresh_missing");
        Call::post("/api/v1/refresh").json(&json!({})).send(&app).await.refused(401, "refresh_missing");
    }

    async fn a_browser_never_gets_a_secret_in_a_body_even_if_it_sent_one_there(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let answer = device.call_with_secret("/api/v1/refresh").header("origin", FRONT_END).send(&app).await;
        assert_eq!(answer.status, 200);
        assert!(answer.json().get("refresh_token").is_none());
        assert!(answer.cookie("__Host-refresh").is_some());
    }

    async fn a_refresh_secret_is_no_access_token(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        Call::get("/api/v1/me").bearer(&device.refresh).send(&app).await.refused(401, "token_invalid");
    }
}
