use axum::http::StatusCode;
use hallpass_core::on_both_engines;
use serde_json::json;

use crate::support::*;

const CLEARED: [&str; 2] = [
    "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "__Host-csrf=; Path=/; Secure; SameSite=Strict; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
];

on_both_engines! {
    async fn after_a_sign_out_neither_token_nor_secret_is_worth_anything(db) {
        let app = TestApp::new(db).await;
        let program = app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for device in [program, browser] {
            device.log_out().await.done();
            device.me().await.refused(401, "session_ended");
            let refresh = device.try_refresh().await;
            refresh.refused(401, "session_ended");
            assert_eq!(refresh.json()["cause"], "signed_out");
        }
    }

    async fn an_access_token_is_enough_to_sign_out_even_when_it_has_expired(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        app.pass(3_600).await;
        Call::post("/api/v1/logout").bearer(&device.access).send(&app).await.done();
        device.try_refresh().await.refused(401, "session_ended");
    }

    async fn an_old_secret_still_signs_its_own_session_out(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let mut browser = app.log_in_browser("ada").await;
        let stale = browser.cookies();
        for _ in 0..2 {
            app.pass(60).await;
            browser.refresh().await;
        }
        Call::post("/api/v1/logout").header("origin", FRONT_END).header("cookie", &stale).send(&app).await.done();
        browser.me().await.refused(401, "session_ended");
    }

    async fn a_sign_out_always_succeeds_and_always_clears_the_browser(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        browser.log_out().await.done();
        let calls = [
            browser.call_with_secret("/api/v1/logout"),
            Call::post("/api/v1/logout"),
            Call::post("/api/v1/logout").json(&json!({})),
            Call::post("/api/v1/logout").bearer(&browser.access),
            Call::post("/api/v1/logout").header("authorization", "Bearer garbage"),
            Call::post("/api/v1/logout").header("authorization", "Basic YTpi"),
            Call::post("/api/v1/logout").json(&json!({ "refresh_token": "garbage" })),
            Call::post("/api/v1/logout").header("origin", FRONT_END).header("cookie", "__Host-refresh=garbage"),
        ];
        for call in calls {
            let answer = call.send(&app).await;
            answer.done();
            assert_eq!(answer.set_cookies(), CLEARED);
            assert_eq!(answer.header("clear-site-data"), Some(r#""cache", "storage""#));
        }
    }

    async fn a_token_that_names_no_session_does_not_keep_the_cookie_signed_in(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        browser.call_with_secret("/api/v1/logout").header("authorization", "Bearer garbage").send(&app).await.done();
        browser.me().await.refused(401, "session_ended");
    }

    async fn a_good_token_beside_a_cookie_decides_alone_who_is_signed_out(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        app.sign_up("bob").await;
        let bob = app.log_in_browser("bob").await;
        bob.call_with_secret("/api/v1/logout").bearer(&ada.access).send(&app).await.done();
        ada.me().await.refused(401, "session_ended");
        assert_eq!(bob.me().await.status, StatusCode::OK);
    }

    async fn signing_out_everywhere_ends_every_session_of_the_account_and_no_other(db) {
        let app = TestApp::new(db).await;
        let first = app.sign_up("ada").await;
        let second = app.log_in_browser("ada").await;
        let other = app.sign_up("bob").await;
        let answer = Call::post("/api/v1/logout-everywhere").bearer(&first.access).send(&app).await;
        answer.done();
        assert_eq!(answer.set_cookies(), CLEARED);
        for device in [first, second] {
            device.me().await.refused(401, "session_ended");
            let refresh = device.try_refresh().await;
            assert_eq!(refresh.json()["cause"], "signed_out_everywhere");
        }
        assert_eq!(other.me().await.status, StatusCode::OK);
    }

    async fn a_sign_out_that_the_database_cannot_write_is_no_success(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        app.hallpass.db().close().await;
        let answer = device.log_out().await;
        answer.refused(503, "unavailable");
        assert!(answer.set_cookies().is_empty());
        assert!(answer.header("retry-after").is_some());
        assert_eq!(device.get("/api/v1/session").await.status, StatusCode::OK);
    }
}
