use hallpass_core::{keys, on_both_engines};

use crate::support::*;

on_both_engines! {
    async fn the_key_set_is_public_cacheable_and_holds_no_private_part(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let answer = Call::get("/.well-known/jwks.json").send(&app).await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=900"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        let document = answer.json();
        let keys = document["keys"].as_array().unwrap();
        assert!(!keys.is_empty());
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(private).is_none(), "{key}");
            }
        }
        let verifier =
            hallpass_token::Verifier::new(API, API, 5, hallpass_token::KeySet::from_jwks(&answer.text()).unwrap());
        assert!(verifier.verify(&device.access, app.now()).is_ok());
    }

    async fn an_unchanged_key_set_is_not_sent_again(db) {
        let app = TestApp::new(db).await;
        let first = Call::get("/.well-known/jwks.json").send(&app).await;
        let tag = first.header("etag").unwrap();
        let again = || Call::get("/.well-known/jwks.json").header("if-none-match", tag);
        let weakened = Call::get("/.well-known/jwks.json").header("if-none-match", &format!("\"x\", W/{tag}"));
        for call in [again(), weakened] {
            let answer = call.send(&app).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
            assert_eq!(answer.header("etag"), Some(tag));
        }
        keys::rotate(&app.hallpass, &app.ctx()).await.unwrap();
        assert_eq!(again().send(&app).await.status, 200);
    }

    async fn a_server_is_ready_while_its_database_answers_and_its_log_is_followed(db) {
        let app = TestApp::new(db).await;
        assert_eq!(Call::get("/healthz").send(&app).await.json()["status"], "ok");
        assert_eq!(Call::get("/readyz").send(&app).await.json()["status"], "ok");
        app.hallpass.db().close().await;
        Call::get("/readyz").send(&app).await.refused(503, "unavailable");
        assert_eq!(Call::get("/healthz").send(&app).await.status, 200);
    }
}
