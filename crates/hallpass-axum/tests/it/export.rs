use hallpass_core::on_both_engines;
use serde_json::{Value, json};

use crate::support::*;

on_both_engines! {
    async fn the_owner_gets_all_that_is_kept_as_a_file_without_any_secret(db) {
        let app = TestApp::new(db).await;
        let mut device = app.sign_up_at("ada", "ada@example.com").await;
        app.sign_up_at("bob", "bob@example.com").await;
        let gone = app.log_in("ada").await;
        let gone_session = gone.session().await;
        gone.log_out().await.done();
        app.pass(60).await;
        device.refresh().await;

        let answer = device.get("/api/v1/me/export").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-disposition"), Some(r#"attachment; filename="account.json""#));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        let export = answer.json();
        assert_eq!(export["user"], device.me().await.json());
        let sessions = export["sessions"].as_array().unwrap();
        let seen: Vec<_> = sessions.iter().map(|s| (&s["id"], &s["ended_at"], &s["cause"])).collect();
        let (current, ended) = (json!(device.session().await), json!(gone_session));
        let expected = [
            (&current, &Value::Null, &Value::Null),
            (&ended, &json!(BEGIN), &json!("signed_out")),
        ];
        assert_eq!(seen, expected);
        assert_eq!(export["events"], device.get("/api/v1/activity?limit=100").await.json()["events"]);
        assert_eq!(export["events"].as_array().unwrap().len(), 3, "{}", export["events"]);
        for secret in [PASSWORD, &device.refresh, &device.access, "argon2", "bob"] {
            assert!(!answer.text().contains(secret), "{secret}");
        }
    }
}
