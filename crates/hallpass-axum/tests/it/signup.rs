use std::time::Duration;

use hallpass_core::{
    config::{Presence, Verification},
    on_both_engines,
};
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn somebody_who_signs_up_is_signed_in_and_the_password_is_in_no_answer(db) {
        let app = TestApp::new(db).await;
        let body = json!({ "username": "Ada", "email": "ada@Example.com", "password": PASSWORD, "first_name": "Ada" });
        let answer = Call::post("/api/v1/signup").json(&body).send(&app).await;
        assert_eq!(answer.status, 201);
        assert!(!answer.text().contains(PASSWORD));
        let issued = answer.json();
        assert_eq!(issued["token_type"], "Bearer");
        assert_eq!(issued["expires_in"], 300);
        assert_eq!(issued["user"]["username"], "Ada");
        assert_eq!(issued["user"]["email"], "ada@example.com");
        assert_eq!(issued["user"]["email_verified"], false);
        assert_eq!(issued["user"]["date_joined"], BEGIN);
        let me = Call::get("/api/v1/me").bearer(issued["access_token"].as_str().unwrap()).send(&app).await;
        assert_eq!(me.json(), issued["user"]);
    }

    async fn a_name_belongs_to_one_account_whatever_its_letter_case(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let body = json!({ "username": "ADA", "password": PASSWORD });
        Call::post("/api/v1/signup").json(&body).send(&app).await.refused(409, "username_taken");
    }

    async fn nobody_makes_themselves_an_administrator(db) {
        let app = TestApp::new(db).await;
        let mut body = json!({ "username": "eve", "password": PASSWORD });
        for name in [
            "id",
            "is_staff",
            "is_superuser",
            "is_active",
            "is_admin",
            "role",
            "roles",
            "groups",
            "permissions",
            "email_verified",
            "emailVerified",
            "verified",
            "tenant",
            "date_joined",
            "last_login",
            "version",
            "account_version",
            "password_hash",
        ] {
            body[name] = if name == "roles" || name == "groups" { json!(["admin"]) } else { json!(true) };
        }
        let issued = Call::post("/api/v1/signup").json(&body).send(&app).await.json();
        let user = &issued["user"];
        for (name, value) in [
            ("is_staff", json!(false)),
            ("is_superuser", json!(false)),
            ("roles", json!([])),
            ("email_verified", json!(false)),
        ] {
            assert_eq!(user[name], value, "{name}");
        }
        assert!(user["id"].is_i64());
    }

    async fn every_value_that_is_not_allowed_is_named(db) {
        let app = TestApp::new(db).await;
        let body =
            json!({ "username": "a@b", "email": "nonsense", "password": "short", "first_name": "x".repeat(151) });
        let answer = Call::post("/api/v1/signup").json(&body).send(&app).await;
        answer.refused(400, "validation_failed");
        let document = answer.json();
        let mut fields: Vec<&str> =
            document["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields, ["email", "first_name", "password", "username"], "{document}");
    }

    async fn a_closed_server_takes_no_new_accounts(db) {
        let app = TestApp::with(db, |config, _| config.accounts.sign_up = false).await;
        let body = json!({ "username": "ada", "password": PASSWORD });
        Call::post("/api/v1/signup").json(&body).send(&app).await.refused(403, "sign_up_closed");
    }

    async fn where_addresses_have_to_be_verified_nobody_is_signed_in_before_and_nobody_learns_who_has_an_account(db) {
        let app = TestApp::with(db, |config, _| {
            config.accounts.email = Presence::Required;
            config.accounts.verify_email = Verification::Required;
        })
        .await;
        let sign_up = |username: &str| {
            let body = json!({ "username": username, "email": "ada@example.com", "password": PASSWORD });
            Call::post("/api/v1/signup").json(&body).header("origin", FRONT_END).send(&app)
        };
        for username in ["ada", "eve"] {
            sign_up(username).await.accepted();
        }
        log_in("ada", PASSWORD).send(&app).await.refused(403, "email_not_verified");
        log_in("ada", "wrong wrong wrong wrong").send(&app).await.refused(401, "invalid_credentials");
        log_in("eve", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        let verify = json!({ "token": app.mailed("verify").await });
        Call::post("/api/v1/verify-email").json(&verify).send(&app).await.done();
        assert_eq!(app.log_in("ada").await.me().await.json()["email_verified"], true);
    }

    async fn what_a_client_has_begun_ends_even_if_it_hangs_up(db) {
        let app = TestApp::new(db).await;
        let body = json!({ "username": "ada", "password": PASSWORD });
        let waiting = Call::post("/api/v1/signup").json(&body).send(&app);
        // Polled once, to begin it, and dropped.
        assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        let made = async { while log_in("ada", PASSWORD).send(&app).await.status != 200 {} };
        tokio::time::timeout(Duration::from_secs(20), made).await.unwrap();
    }
}
