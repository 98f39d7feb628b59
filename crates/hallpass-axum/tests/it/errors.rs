use axum::http::StatusCode;
use hallpass_core::{Code, on_both_engines};

use crate::support::*;

on_both_engines! {
    async fn a_failure_tells_nothing_of_what_is_inside(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        app.hallpass.db().close().await;
        let answers = [
            device.me().await,
            device.try_refresh().await,
            log_in("ada", PASSWORD).send(&app).await,
            Call::get("/readyz").send(&app).await,
            Call::get("/nowhere").send(&app).await,
            Call::post("/api/v1/login").body("application/json", "{").send(&app).await,
            Call::get("/api/v1/me").bearer("a.b.c").send(&app).await,
        ];
        for answer in answers {
            assert!(
                answer.status.is_client_error() || answer.status == StatusCode::SERVICE_UNAVAILABLE,
                "{}",
                answer.status
            );
            answer.problem();
            let text = answer.text().to_lowercase();
            for inside in [
                "panicked",
                ".rs",
                "sqlx",
                "sqlite",
                "postgres",
                "select ",
                "/home",
                "/tmp",
                "hallpass-",
                "axum",
                "pool",
            ] {
                assert!(!text.contains(inside), "{inside}: {text}");
            }
            assert!(answer.header("server").is_none());
        }
    }

    async fn a_401_asks_for_a_token_and_says_what_is_wrong_with_the_one_that_came(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let challenge = async |call: Call| call.send(&app).await.header("www-authenticate").unwrap().to_owned();
        let me = || Call::get("/api/v1/me");
        assert_eq!(challenge(me()).await, "Bearer");
        assert_eq!(
            challenge(me().bearer("x")).await,
            r#"Bearer error="invalid_token", error_description="The access token is not valid""#
        );
        app.pass(400).await;
        assert_eq!(
            challenge(me().bearer(&device.access)).await,
            r#"Bearer error="invalid_token", error_description="The access token has expired""#
        );
        assert_eq!(challenge(log_in("ada", "wrong wrong wrong wrong")).await, "Bearer");
    }

    async fn each_request_has_an_id_of_its_own(db) {
        let app = TestApp::new(db).await;
        let first = Call::get("/nowhere").send(&app).await;
        let second = Call::get("/nowhere").send(&app).await;
        assert_ne!(first.json()["request_id"], second.json()["request_id"]);
    }
}

#[test]
fn every_code_has_a_status_of_failure_and_only_faults_of_ours_have_one_of_500() {
    for code in Code::ALL {
        let status = hallpass_axum::status(*code);
        let ours = matches!(
            code,
            Code::Internal | Code::Busy | Code::Unavailable | Code::RevocationUnknown | Code::DeadlineExceeded
        );
        assert_eq!(status.is_server_error(), ours, "{}", code.as_str());
        assert!(status.is_client_error() || status.is_server_error());
    }
}
