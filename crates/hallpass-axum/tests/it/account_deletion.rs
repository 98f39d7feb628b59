use hallpass_core::on_both_engines;
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn the_owner_learns_when_the_account_goes_and_every_device_is_out_at_once(db) {
        let app = TestApp::new(db).await;
        let (device, other) = (app.sign_up("ada").await, app.log_in_browser("ada").await);
        device.delete_account("wrong wrong wrong wrong").await.refused(403, "password_incorrect");
        assert_eq!(other.me().await.status, 200);
        let answer = device.delete_account(PASSWORD).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.json(), json!({ "delete_at": BEGIN + 14 * 86_400 }));
        for cookie in ["__Host-refresh", "__Host-csrf"] {
            assert_eq!(answer.cookie(cookie).as_deref(), Some(""), "browsers forget {cookie}");
        }
        assert_eq!(answer.cookie("__Host-device"), None);
        for device in [&device, &other] {
            device.me().await.refused(401, "session_ended");
            let refresh = device.try_refresh().await;
            refresh.refused(401, "session_ended");
            assert_eq!(refresh.json()["cause"], "account_deleted");
        }
    }

    async fn signing_in_calls_it_off_and_later_there_is_nobody_to_sign_in(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await.delete_account(PASSWORD).await;
        app.pass(13 * 86_400).await;
        app.log_in("ada").await;
        app.pass(2 * 86_400).await;
        app.log_in("ada").await.delete_account(PASSWORD).await;
        app.pass(14 * 86_400 + 60).await;
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_ne!(app.sign_up("ada").await.me().await.json()["id"], 1, "an id is never given again");
    }
}
