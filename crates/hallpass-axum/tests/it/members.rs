//! What a body says beyond what is asked for: it has no effect, whatever it is called.

use hallpass_core::{AccountId, accounts, on_both_engines};
use serde_json::{Map, Value, json};

use crate::support::*;

const NEW: &str = "lighthouse pickle gravity 9";

/// Names that other frameworks give to what an account must not choose for itself, each with a value that would tell.
fn foreign_members() -> Map<String, Value> {
    let members = [
        // Standing.
        r#""is_staff": true, "isStaff": true, "staff": true, "is_superuser": true, "superuser": true"#,
        r#""is_admin": true, "admin": true, "is_active": false, "active": false, "disabled": true, "locked": true"#,
        r#""role": "admin", "roles": ["admin"], "groups": ["admin"], "permissions": ["*"], "user_permissions": ["*"]"#,
        r#""scope": "admin", "scopes": ["admin"], "standing": { "is_staff": true, "roles": ["admin"] }"#,
        // Whose account it is.
        r#""id": 2, "pk": 2, "_id": 2, "uid": 2, "user_id": 2, "account": 2, "account_id": 2, "sub": "2", "sid": "2""#,
        r#""tenant": "other", "tenant_id": 2, "org": "other", "owner": 2"#,
        // What is found out, not told.
        r#""email_verified": true, "emailVerified": true, "verified": true, "email_key": "root@example.com""#,
        r#""username_key": "root", "version": 99, "account_version": 99"#,
        // How somebody signs in.
        r#""password_hash": "plain", "passwordHash": "plain", "hashed_password": "plain", "salt": "x""#,
        r#""amr": ["otp"], "mfa_enabled": true"#,
        // When.
        r#""date_joined": 1, "created_at": 1, "last_login": 1, "updated_at": 1, "delete_at": 1"#,
        // Ways around a list of names.
        r#""__proto__": { "is_staff": true }, "constructor": { "prototype": { "is_staff": true } }"#,
        r#""user": { "is_staff": true, "roles": ["admin"] }, "user[is_staff]": true, "user.is_staff": true"#,
        r#""$set": { "is_staff": true }, "IS_STAFF": true, "is_staff ": true, "": true"#,
    ];
    let members: Map<String, Value> = serde_json::from_str(&format!("{{ {} }}", members.join(", "))).unwrap();
    assert!(members.len() >= 40);
    members
}

/// `body` with all of them.
fn with_foreign_members(body: &Value) -> Value {
    let mut all = foreign_members();
    all.extend(body.as_object().unwrap().clone());
    Value::Object(all)
}

/// The account as the database has it.
async fn stored(app: &TestApp, id: i64) -> accounts::Account {
    accounts::get(&app.hallpass, AccountId(id)).await.unwrap()
}

on_both_engines! {
    async fn no_member_of_a_sign_up_gives_an_account_more_than_another_has(db) {
        let app = TestApp::new(db).await;
        let plain = json!({ "username": "ada", "email": "ada@example.com", "password": PASSWORD });
        let eve = json!({ "username": "eve", "email": "eve@example.com", "password": PASSWORD });
        let mut seen = Vec::new();
        for (id, body) in [(1, plain), (2, with_foreign_members(&eve))] {
            let answer = Call::post("/api/v1/signup").json(&body).send(&app).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            assert_eq!(answer.json()["user"]["id"], id);
            seen.push(stored(&app, id).await);
        }
        // All but the names, the version and what is not shown over HTTP included.
        let mut expected = seen[0].clone();
        expected.id = AccountId(2);
        expected.username = Some("eve".into());
        expected.email = Some("eve@example.com".into());
        assert_eq!(seen[1], expected);
        assert_eq!(log_in("eve", PASSWORD).send(&app).await.status, 200);
        log_in("eve", "plain").send(&app).await.refused(401, "invalid_credentials");
    }

    async fn no_member_of_a_change_reaches_more_than_names_and_custom_fields(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        app.sign_up("bob").await;
        let before = [stored(&app, 1).await, stored(&app, 2).await];
        let mut members = foreign_members();
        for name in ["username", "email", "password", "new_password"] {
            members.insert(name.into(), json!("root@example.com"));
        }
        for (name, value) in &members {
            let answer = ada.change_me(&json!({ name: value })).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert_eq!([stored(&app, 1).await, stored(&app, 2).await], before, "{name}");
        }
        assert_eq!(ada.change_me(&Value::Object(members)).await.status, 200);
        assert_eq!([stored(&app, 1).await, stored(&app, 2).await], before);
        assert_eq!(log_in("ada", PASSWORD).send(&app).await.status, 200);
    }

    async fn no_member_of_a_change_of_password_reaches_more_than_ones_own_password(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        app.sign_up("bob").await;
        let before = [stored(&app, 1).await, stored(&app, 2).await];
        let mut body = with_foreign_members(&json!({ "current_password": PASSWORD, "new_password": NEW }));
        body["username"] = json!("bob");
        body["email"] = json!("root@example.com");
        body["password"] = json!("canary of another password");
        Call::post("/api/v1/password").bearer(&ada.access).json(&body).send(&app).await.done();
        assert_eq!([stored(&app, 1).await, stored(&app, 2).await], before);
        assert_eq!(log_in("ada", NEW).send(&app).await.status, 200);
        assert_eq!(log_in("bob", PASSWORD).send(&app).await.status, 200);
        log_in("ada", "canary of another password").send(&app).await.refused(401, "invalid_credentials");
    }

    async fn no_member_beside_a_mailed_secret_reaches_more_than_the_secret_is_for(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", "ada@example.com").await;
        app.sign_up_at("bob", "bob@example.com").await;
        let mut expected = stored(&app, 1).await;
        let bob = stored(&app, 2).await;
        let redeem = async |path: &str, body: Value| {
            let mut body = with_foreign_members(&body);
            body["username"] = json!("bob");
            body["email"] = json!("bob@example.com");
            body["password"] = json!("canary of another password");
            Call::post(path).json(&body).send(&app).await
        };

        app.request_reset("ada@example.com").await;
        let token = app.mailed("reset").await;
        redeem("/api/v1/password-reset", json!({ "token": token, "new_password": NEW })).await.done();
        expected.email_verified = true;
        assert_eq!([stored(&app, 1).await, stored(&app, 2).await], [expected.clone(), bob.clone()]);

        let device = app.log_in_with("ada", NEW).await;
        expected = stored(&app, 1).await;
        device.request_email_change("countess@example.com", NEW).await.accepted();
        assert_eq!(stored(&app, 1).await, expected, "nothing changes before the link is used");
        redeem("/api/v1/email-change", json!({ "token": app.mailed("change-email").await })).await.done();
        let changed = stored(&app, 1).await;
        expected.email = Some("countess@example.com".into());
        assert_eq!((changed.email, changed.roles, changed.is_staff), (expected.email, expected.roles, false));
        assert_eq!(stored(&app, 2).await, bob);
        assert_eq!(log_in("bob", PASSWORD).send(&app).await.status, 200);
    }
}
