use hallpass_axum::Throttle;
use hallpass_core::{on_both_engines, testing::TestDb};
use serde_json::json;

use crate::support::*;

async fn throttled(db: TestDb) -> TestApp {
    TestApp::with(db, |_, web| {
        web.throttle = Throttle { enabled: true };
        web.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await
}

on_both_engines! {
    async fn ten_failures_from_one_address_make_it_wait_and_a_success_gives_none_back(db) {
        let app = throttled(db).await;
        app.sign_up("ada").await;
        let from = "192.0.2.1";
        for attempt in 0..10 {
            // Names differ, so that only the address can be what is counted.
            log_in(&format!("nobody{attempt}"), PASSWORD)
                .from(from)
                .send(&app)
                .await
                .refused(401, "invalid_credentials");
            if attempt < 5 {
                assert_eq!(log_in("ada", PASSWORD).from(from).send(&app).await.status, 200);
            }
        }
        let answer = log_in("ada", PASSWORD).from(from).send(&app).await;
        answer.refused(429, "rate_limited");
        assert_eq!(answer.header("retry-after"), Some("6"));
        assert_eq!(answer.json()["retry_after"], 6);
        for spoofed in
            [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1"), ("x-real-ip", "198.51.100.1")]
        {
            log_in("ada", PASSWORD)
                .from(from)
                .header(spoofed.0, spoofed.1)
                .send(&app)
                .await
                .refused(429, "rate_limited");
        }
        assert_eq!(log_in("ada", PASSWORD).from("192.0.2.2").send(&app).await.status, 200);
        app.pass(6).await;
        assert_eq!(log_in("ada", PASSWORD).from(from).send(&app).await.status, 200);
    }

    async fn twenty_sign_ups_a_minute_are_enough_for_one_address(db) {
        let app = throttled(db).await;
        let sign_up = |name: String| {
            Call::post("/api/v1/signup").from("192.0.2.1").json(&json!({ "username": name, "password": "x" }))
        };
        for attempt in 0..20 {
            sign_up(format!("user{attempt}")).send(&app).await.refused(400, "validation_failed");
        }
        sign_up("late".into()).send(&app).await.refused(429, "rate_limited");
    }

    async fn wrong_current_passwords_count_like_failed_sign_ins(db) {
        let app = throttled(db).await;
        let device = app.sign_up("ada").await;
        let change = |current: &str| {
            let body = json!({ "current_password": current, "new_password": "lighthouse pickle gravity 9" });
            Call::post("/api/v1/password").bearer(&device.access).json(&body).from("192.0.2.1")
        };
        for _ in 0..5 {
            change("wrong wrong wrong wrong").send(&app).await.refused(403, "password_incorrect");
            log_in("nobody", PASSWORD).from("192.0.2.1").send(&app).await.refused(401, "invalid_credentials");
        }
        for call in [change("wrong wrong wrong wrong"), change(PASSWORD), log_in("ada", PASSWORD).from("192.0.2.1")] {
            let answer = call.send(&app).await;
            answer.refused(429, "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("6"));
        }
        assert_eq!(log_in("ada", PASSWORD).from("192.0.2.2").send(&app).await.status, 200, "nothing has changed");
        app.pass(6).await;
        change(PASSWORD).send(&app).await.done();
    }
}
