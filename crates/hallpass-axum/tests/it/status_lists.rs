use std::io::Read;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::read::ZlibDecoder;
use hallpass_core::{accounts, keys, on_both_engines};
use hallpass_token::{AccountId, KeySet};
use serde_json::{Value, json};

use crate::support::*;

/// What a verifier learns of a device's token that knows the standard (draft-ietf-oauth-status-list section 8.3) and asks
/// a second from now.
async fn status(app: &TestApp, device: &Device<'_>) -> u8 {
    app.clock_forward(1);
    let (uri, index) = device.status_list();
    let answer = Call::get(uri.strip_prefix(API).unwrap()).send(app).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    entry(&opened(app, &answer.text(), &uri), index)
}

/// The claims of a list, after everything that the standard asks for was checked.
fn opened(app: &TestApp, list: &str, uri: &str) -> Value {
    let (signed, signature) = list.rsplit_once('.').unwrap();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap()).unwrap();
    let keys = KeySet::from_jwks(&app.hallpass.jwks()).unwrap();
    let key = keys.get(header["kid"].as_str().unwrap()).unwrap();
    assert!(key.verify_signature(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()));
    assert_eq!(header, json!({ "typ": "statuslist+jwt", "alg": "ES256", "kid": key.kid() }));
    let claims = claims(list);
    assert_eq!(claims["sub"], uri);
    assert!(claims["exp"].as_i64().unwrap() > app.now() && claims["iat"].as_i64().unwrap() <= app.now());
    claims
}

/// One entry of two bits (section 4.1).
fn entry(claims: &Value, index: usize) -> u8 {
    let compressed = URL_SAFE_NO_PAD.decode(claims["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes[index / 4] >> (index % 4 * 2) & 3
}

on_both_engines! {
    async fn a_list_is_what_the_standard_says_and_may_be_kept_for_a_minute(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let (uri, _) = device.status_list();
        let answer = Call::get(uri.strip_prefix(API).unwrap()).send(&app).await;
        assert_eq!(answer.header("content-type"), Some("application/statuslist+jwt"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
        let claims = opened(&app, &answer.text(), &uri);
        let lst = &claims["status_list"]["lst"];
        let expected = json!({
            "sub": uri, "iat": BEGIN, "exp": BEGIN + 300, "ttl": 60, "status_list": { "bits": 2, "lst": lst },
        });
        assert_eq!(claims, expected);
        // Nothing but what was taken back makes it larger.
        assert!(answer.body.len() < 1_024, "{}", answer.body.len());
    }

    async fn whoever_signs_out_or_changes_the_password_has_tokens_that_are_invalid(db) {
        let app = TestApp::new(db).await;
        let (here, there) = (app.sign_up("ada").await, app.log_in("ada").await);
        let bob = app.sign_up("bob").await;
        assert_eq!([status(&app, &here).await, status(&app, &there).await, status(&app, &bob).await], [0, 0, 0]);
        here.log_out().await.done();
        assert_eq!([status(&app, &here).await, status(&app, &there).await, status(&app, &bob).await], [1, 0, 0]);
        let asks = app.log_in("ada").await;
        asks.change_password(PASSWORD, "lighthouse pickle gravity 9").await.done();
        assert_eq!([status(&app, &asks).await, status(&app, &there).await, status(&app, &bob).await], [0, 1, 0]);
        Call::post("/api/v1/logout-everywhere").bearer(&asks.access).send(&app).await.done();
        assert_eq!([status(&app, &asks).await, status(&app, &bob).await], [1, 0]);
    }

    async fn a_change_of_roles_is_neither_valid_nor_invalid_until_the_client_refreshes(db) {
        let app = TestApp::new(db).await;
        let mut ada = app.sign_up("ada").await;
        let old = ada.status_list();
        let id = AccountId(ada.me().await.json()["id"].as_i64().unwrap());
        accounts::grant_role(&app.hallpass, &app.ctx(), id, "editor").await.unwrap();
        assert_eq!(status(&app, &ada).await, 3);
        ada.me().await.refused(401, "token_stale");
        ada.refresh().await;
        assert_ne!(ada.status_list(), old);
        assert_eq!(status(&app, &ada).await, 0);
        assert_eq!(ada.me().await.status, 200);
    }

    async fn a_list_is_no_access_token(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let (uri, _) = ada.status_list();
        let list = Call::get(uri.strip_prefix(API).unwrap()).send(&app).await.text();
        for path in ["/api/v1/me", "/api/v1/forward-auth", "/api/v1/sessions"] {
            Call::get(path).bearer(&list).send(&app).await.refused(401, "token_invalid");
        }
    }

    async fn a_list_is_signed_by_a_key_that_is_published(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let (uri, _) = ada.status_list();
        let first = Call::get(uri.strip_prefix(API).unwrap()).send(&app).await.text();
        keys::rotate(&app.hallpass, &app.ctx()).await.unwrap();
        app.clock_forward(1);
        let second = Call::get(uri.strip_prefix(API).unwrap()).send(&app).await.text();
        let [first, second] = [first, second].map(|list| {
            opened(&app, &list, &uri);
            list.split('.').next().unwrap().to_owned()
        });
        assert_ne!(first, second, "another key signs");
    }

    async fn a_list_that_nobody_names_is_not_found_and_an_unreachable_database_is_no_empty_list(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        for name in ["x", "0", "0000000000000000", "%ff", "..", "a%2fb"] {
            Call::get(&format!("/api/v1/status-lists/{name}")).send(&app).await.refused(404, "not_found");
        }
        let (uri, _) = ada.status_list();
        app.hallpass.db().close().await;
        Call::get(uri.strip_prefix(API).unwrap()).send(&app).await.refused(503, "unavailable");
    }
}
