use hallpass_core::on_both_engines;

use crate::support::*;

const NEW: &str = "lighthouse pickle gravity 9";

on_both_engines! {
    async fn a_new_password_ends_every_other_session(db) {
        let app = TestApp::new(db).await;
        let here = app.sign_up("ada").await;
        let elsewhere = app.log_in_browser("ada").await;
        here.change_password(PASSWORD, NEW).await.done();
        assert_eq!(here.me().await.status, 200);
        elsewhere.me().await.refused(401, "session_ended");
        assert_eq!(elsewhere.try_refresh().await.json()["cause"], "password_changed");
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(log_in("ada", NEW).send(&app).await.status, 200);
    }

    async fn the_current_password_is_asked_for_and_checked(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        for wrong in ["", "wrong wrong wrong wrong", NEW] {
            let answer = device.change_password(wrong, NEW).await;
            assert!(answer.status == 403 || answer.status == 400, "{wrong}: {}", answer.status);
        }
        device.change_password("wrong wrong wrong wrong", NEW).await.refused(403, "password_incorrect");
        assert_eq!(log_in("ada", PASSWORD).send(&app).await.status, 200);
    }

    async fn a_weak_new_password_is_refused_by_name(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let answer = device.change_password(PASSWORD, "hunter2").await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], "new_password");
        assert!(!answer.text().contains("hunter2"), "the password itself is not repeated");
    }
}
