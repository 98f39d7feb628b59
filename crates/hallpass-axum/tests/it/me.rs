use hallpass_core::{AccountId, accounts, config::ProfileType, on_both_engines};
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn the_owner_changes_names_and_custom_fields_and_nothing_else(db) {
        let app = TestApp::with(db, |config, _| {
            config.accounts.profile =
                [("nickname".to_owned(), ProfileType::String), ("age".to_owned(), ProfileType::Integer)].into();
        })
        .await;
        let device = app.sign_up("ada").await;
        let before = device.me().await.json();
        let changes = json!({
            "first_name": "Ada", "profile": { "nickname": "countess", "age": 36 },
            "id": 99, "username": "root", "email": "root@example.com", "email_verified": true, "is_staff": true,
            "roles": ["admin"], "password": "x",
        });
        let answer = device.change_me(&changes).await;
        assert_eq!(answer.status, 200);
        let mut expected = before.clone();
        expected["first_name"] = json!("Ada");
        expected["profile"] = json!({ "nickname": "countess", "age": 36 });
        assert_eq!(answer.json(), expected);
        assert_eq!(device.me().await.json(), expected);
        device.change_me(&json!({ "profile": { "age": null } })).await;
        assert_eq!(device.me().await.json()["profile"], json!({ "nickname": "countess" }));
    }

    async fn mails_are_in_the_language_that_the_client_prefers_until_the_owner_says_which(db) {
        let app = TestApp::new(db).await;
        let sign_up = async |username: &str, languages: &[&str]| {
            let body = json!({ "username": username, "password": PASSWORD });
            let call = Call::post("/api/v1/signup").json(&body);
            let call = languages.iter().fold(call, |call, line| call.header("accept-language", line));
            call.send(&app).await.json()["user"]["locale"].clone()
        };
        assert_eq!(sign_up("anybody", &[]).await, json!(null));
        assert_eq!(sign_up("german", &["tlh, fr-x-none;q=0", "de;q=0.9"]).await, "de");
        let far = "x, ".repeat(100) + "de";
        assert_eq!(sign_up("far", &[&far]).await, "en", "what is so far behind is not read");
        let device = app.log_in("german").await;
        assert_eq!(device.change_me(&json!({ "locale": "en-GB" })).await.json()["locale"], "en-GB");
        for wrong in ["", "e", "en_GB", "en;q=1", "../../en", &"a-".repeat(30)] {
            device.change_me(&json!({ "locale": wrong })).await.refused(400, "validation_failed");
        }
        assert_eq!(device.me().await.json()["locale"], "en-GB");
    }

    async fn values_that_are_not_allowed_change_nothing(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        for changes in [
            json!({ "first_name": "x".repeat(151) }),
            json!({ "first_name": 7 }),
            json!({ "last_name": null }),
            json!({ "profile": { "unknown": 1 } }),
            json!({ "profile": [] }),
        ] {
            device.change_me(&changes).await.refused(400, "validation_failed");
        }
        assert_eq!(device.me().await.json()["first_name"], "");
    }

    async fn a_token_from_before_a_change_of_roles_has_to_be_refreshed(db) {
        let app = TestApp::new(db).await;
        let mut device = app.sign_up("ada").await;
        let id = AccountId(device.me().await.json()["id"].as_i64().unwrap());
        accounts::grant_role(&app.hallpass, &app.ctx(), id, "editor").await.unwrap();
        device.refresh().await;
        assert_eq!(device.get("/api/v1/session").await.json()["roles"], json!(["editor"]));
        accounts::revoke_role(&app.hallpass, &app.ctx(), id, "editor").await.unwrap();
        device.get("/api/v1/session").await.refused(401, "token_stale");
        device.refresh().await;
        assert_eq!(device.me().await.json()["roles"], json!([]));
    }

    async fn a_deactivated_account_is_out_at_once(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let id = AccountId(device.me().await.json()["id"].as_i64().unwrap());
        accounts::set_active(&app.hallpass, &app.ctx(), id, false).await.unwrap();
        device.me().await.refused(401, "session_ended");
        let refresh = device.try_refresh().await;
        refresh.refused(401, "session_ended");
        assert_eq!(refresh.json()["cause"], "deactivated");
    }
}
