use hallpass_core::on_both_engines;

use crate::support::*;

on_both_engines! {
    async fn the_owner_sees_each_device_and_no_secret_of_any(db) {
        let app = TestApp::new(db).await;
        let first = app.sign_up("ada").await;
        app.sign_up("bob").await;
        let call = log_in("ada", PASSWORD).from("192.0.2.7").header("user-agent", "Firefox\u{e9} on Linux");
        call.send(&app).await;
        let answer = first.get("/api/v1/sessions").await;
        let list = answer.json();
        let sessions = list["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert!(!answer.text().contains(&first.refresh));
        let current = sessions.iter().find(|session| session["current"] == true).unwrap();
        assert_eq!(current["id"], first.session().await);
        let other = sessions.iter().find(|session| session["current"] == false).unwrap();
        assert_eq!(
            (other["ip"].as_str(), other["user_agent"].as_str()),
            (Some("192.0.2.7"), Some("Firefox\u{e9} on Linux"))
        );
        assert_eq!(other["absolute_end"], BEGIN + 30 * 86_400);
    }

    async fn the_owner_ends_one_device_or_all_others(db) {
        let app = TestApp::new(db).await;
        let phone = app.sign_up("ada").await;
        let laptop = app.log_in("ada").await;
        let tablet = app.log_in("ada").await;
        phone.delete(&format!("/api/v1/sessions/{}", laptop.session().await)).await.done();
        laptop.me().await.refused(401, "session_ended");
        assert_eq!(laptop.try_refresh().await.json()["cause"], "ended_by_owner");
        phone.delete("/api/v1/sessions").await.done();
        tablet.me().await.refused(401, "session_ended");
        assert_eq!(phone.me().await.status, 200);
    }

    async fn nobody_ends_the_session_of_somebody_else(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let bob = app.sign_up("bob").await;
        let id = ada.session().await;
        let spellings = [
            id.clone(),
            id.to_uppercase(),
            id.replace('-', ""),
            "0".into(),
            "..".into(),
            "%00".into(),
            "%ff".into(),
            "%2e%2e%2f".into(),
        ];
        for id in spellings {
            bob.delete(&format!("/api/v1/sessions/{id}")).await.refused(404, "not_found");
        }
        assert_eq!(ada.me().await.status, 200);
    }

    async fn the_token_alone_says_who_is_signed_in_even_when_the_database_is_away(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        app.hallpass.db().close().await;
        let session = device.get("/api/v1/session").await;
        assert_eq!(session.status, 200);
        let session = session.json();
        assert_eq!(session["issued_at"], BEGIN);
        assert_eq!(session["expires_at"], BEGIN + 300);
        assert_eq!(session["amr"][0], "pwd");
        device.me().await.refused(503, "unavailable");
    }
}
