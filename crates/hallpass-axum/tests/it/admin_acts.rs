//! What those who administer do to accounts, what their owners notice of it, and what is recorded.

use axum::http::Method;
use hallpass_core::{
    Config,
    accounts::{self, Standing},
    config::Transport,
    on_both_engines,
};
use serde_json::{Value, json};

use crate::support::*;

const NEW: &str = "lighthouse pickle gravity 9";

async fn id(app: &TestApp, username: &str) -> i64 {
    accounts::find(&app.hallpass, username).await.unwrap().id.0
}

impl Device<'_> {
    /// Does something of the administration that answers with what it is about.
    async fn act(&self, app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Value {
        let call = self.admin(method, path);
        let answer = body.iter().fold(call, |call, body| call.json(body)).send(app).await;
        assert!([200, 201].contains(&answer.status.as_u16()), "{path}: {}", answer.text());
        answer.json()
    }
}

on_both_engines! {
    async fn a_new_account_is_its_owners_through_a_mailed_link(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let body = json!({
            "username": "Ada", "email": "ada@example.com", "first_name": "Ada", "last_name": "King", "locale": "de",
            "email_verified": true, "is_staff": true, "roles": ["editor", "auditor"],
            "password": PASSWORD, "new_password": PASSWORD, "password_hash": "plain", "id": 99,
        });
        let made = root.act(&app, Method::POST, "accounts", Some(body)).await;
        for (member, value) in [
            ("username", json!("Ada")),
            ("email", json!("ada@example.com")),
            ("first_name", json!("Ada")),
            ("last_name", json!("King")),
            ("locale", json!("de")),
            ("email_verified", json!(true)),
            ("is_staff", json!(true)),
            ("is_superuser", json!(false)),
            ("roles", json!(["auditor", "editor"])),
            ("is_active", json!(true)),
            ("has_password", json!(false)),
            ("last_login", Value::Null),
            ("delete_at", Value::Null),
            ("date_joined", json!(BEGIN)),
            ("profile", json!({})),
            ("id", json!(id(&app, "ada").await)),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        let mails = app.mails().await;
        assert_eq!(mails.len(), 1);
        app.reset_password(&link_token(&mails[0]), NEW).await.done();
        app.log_in_with("ada", NEW).await;
        let now = root.act(&app, Method::GET, &format!("accounts/{}", made["id"]), None).await;
        assert_eq!((now["has_password"].as_bool(), now["last_login"].as_i64()), (Some(true), Some(BEGIN)));
    }

    async fn an_account_that_cannot_be_is_refused_by_name(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        app.sign_up_at("ada", "ada@example.com").await;
        let bob = app.somebody_else().await;
        for (body, field) in [
            (json!({}), "username"),
            (json!({ "username": "a@b" }), "username"),
            (json!({ "username": "x", "email": "x" }), "email"),
            (json!({ "username": "x", "roles": ["a b"] }), "role"),
            (json!({ "username": "x", "roles": [""] }), "role"),
            (json!({ "username": "x", "locale": "?" }), "locale"),
            (json!({ "username": "x", "first_name": "x".repeat(151) }), "first_name"),
            (json!({ "username": "x", "profile": { "unheard": 1 } }), "profile.unheard"),
        ] {
            let answer = root.admin(Method::POST, "accounts").json(&body).send(&app).await;
            answer.refused(400, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["field"], field, "{body}");
        }
        for (body, code) in [
            (json!({ "username": "ADA" }), "username_taken"),
            (json!({ "username": "other", "email": "Ada@Example.com" }), "email_taken"),
        ] {
            root.admin(Method::POST, "accounts").json(&body).send(&app).await.refused(409, code);
            root.admin(Method::PATCH, &format!("accounts/{bob}")).json(&body).send(&app).await.refused(409, code);
        }
        assert_eq!(root.act(&app, Method::GET, "accounts", None).await["accounts"].as_array().unwrap().len(), 3);
    }

    async fn what_is_changed_is_what_the_owner_has_from_then_on(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        app.redeem("verify-email", &app.mailed("verify").await).await.done();
        let path = format!("accounts/{}", id(&app, "ada").await);
        let change = async |body: Value| root.act(&app, Method::PATCH, &path, Some(body)).await;
        change(json!({ "first_name": "Ada", "last_name": "King", "locale": "de" })).await;
        let foreign = json!({ "password": NEW, "is_active": false, "id": 7, "email_verified": false, "roles": ["x"] });
        change(foreign).await;
        let me = ada.me().await.json();
        for (member, value) in [
            ("first_name", json!("Ada")),
            ("locale", json!("de")),
            ("email_verified", json!(true)),
            ("roles", json!([])),
        ] {
            assert_eq!(me[member], value, "{member}");
        }
        let changed = change(json!({ "username": "countess", "email": "countess@example.org" })).await;
        assert_eq!(
            (changed["username"].as_str(), changed["email_verified"].as_bool()),
            (Some("countess"), Some(false))
        );
        ada.me().await.refused(401, "session_ended");
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(app.log_in("countess").await.me().await.json()["email"], "countess@example.org");
        let mails = app.mails().await;
        let to_old = mails.iter().rfind(|mail| mail.to == "ada@example.com").unwrap();
        assert_eq!(to_old.written.subject, "Ihre E-Mail-Adresse bei Hallpass wurde geändert");
    }

    async fn a_deactivated_account_is_signed_in_nowhere_until_it_is_activated(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up("ada").await;
        let path = format!("accounts/{}", id(&app, "ada").await);
        assert_eq!(root.act(&app, Method::POST, &format!("{path}/deactivate"), None).await["is_active"], false);
        ada.me().await.refused(401, "session_ended");
        ada.try_refresh().await.refused(401, "session_ended");
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(root.act(&app, Method::POST, &format!("{path}/activate"), None).await["is_active"], true);
        ada.me().await.refused(401, "session_ended");
        app.log_in("ada").await;
    }

    async fn a_role_is_stated_by_the_next_token(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let mut ada = app.sign_up("ada").await;
        let path = format!("accounts/{}/roles/a%2Fb:c", id(&app, "ada").await);
        for (method, roles) in [(Method::PUT, json!(["a/b:c"])), (Method::DELETE, json!([]))] {
            assert_eq!(root.act(&app, method, &path, None).await["roles"], roles);
            ada.me().await.refused(401, "token_stale");
            app.clock_forward(1);
            ada.refresh().await;
            assert_eq!(claims(&ada.access)["roles"], roles);
        }
        root.admin(Method::DELETE, &path).send(&app).await.refused(404, "not_found");
    }

    async fn a_session_that_is_ended_is_over_at_once_and_no_other(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let [phone, laptop, other] = [app.sign_up("ada").await, app.log_in("ada").await, app.sign_up("bob").await];
        let path = format!("sessions/{}", phone.session().await);
        root.admin(Method::DELETE, &path).send(&app).await.done();
        let ended = phone.try_refresh().await;
        ended.refused(401, "session_ended");
        assert_eq!(ended.json()["cause"], "ended_by_admin");
        phone.me().await.refused(401, "session_ended");
        assert_eq!(laptop.me().await.status, 200);
        root.admin(Method::DELETE, &path).send(&app).await.refused(404, "not_found");
        let all = format!("accounts/{}/sessions", id(&app, "ada").await);
        for _ in 0..2 {
            root.admin(Method::DELETE, &all).send(&app).await.done();
            laptop.me().await.refused(401, "session_ended");
        }
        assert_eq!(
            (other.me().await.status, root.me().await.status),
            (200.try_into().unwrap(), 200.try_into().unwrap())
        );
        app.log_in("ada").await;
    }

    async fn a_reset_is_mailed_to_the_owner_alone(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        let path = format!("accounts/{}/password-reset", id(&app, "ada").await);
        root.admin(Method::POST, &path).send(&app).await.accepted();
        assert_eq!(ada.me().await.status, 200, "nothing changes before the link is used");
        let mails = app.mails().await;
        assert_eq!(mails.last().unwrap().to, "ada@example.com");
        app.reset_password(&app.mailed("reset").await, NEW).await.done();
        app.log_in_with("ada", NEW).await;
        let nowhere = format!("accounts/{}/password-reset", id(&app, "root").await);
        let answer = root.admin(Method::POST, &nowhere).send(&app).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], "email");
    }

    async fn without_mail_a_reset_is_refused(db) {
        let off = |config: &mut Config| {
            config.accounts.sign_in_links = false;
            config.mail.transport = Transport::Off;
        };
        let app = TestApp::with(db, |config, _| off(config)).await;
        let root = app.superuser("root").await;
        let path = format!("accounts/{}/password-reset", app.somebody_else().await);
        root.admin(Method::POST, &path).send(&app).await.refused(403, "mail_off");
    }

    async fn the_helpdesk_helps_those_who_have_no_standing_and_raises_nobody(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let helper = app.helper("helper").await;
        app.helper("colleague").await;
        app.employ("staff", Standing { is_staff: true, ..Standing::default() }).await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        for (above, device) in
            [("root", &root), ("colleague", &app.log_in("colleague").await), ("staff", &app.log_in("staff").await)]
        {
            let account = format!("accounts/{}", id(&app, above).await);
            let session = format!("sessions/{}", device.session().await);
            for (method, path) in [
                (Method::POST, format!("{account}/deactivate")),
                (Method::POST, format!("{account}/password-reset")),
                (Method::DELETE, format!("{account}/sessions")),
                (Method::DELETE, session),
            ] {
                let answer = helper.admin(method, &path).send(&app).await;
                assert_eq!(answer.problem(), (403, "forbidden".into()), "{above}: {path}");
            }
            let rename = helper.admin(Method::PATCH, &account).json(&json!({ "first_name": "Eve" }));
            rename.send(&app).await.refused(403, "forbidden");
            assert_eq!(device.me().await.json()["first_name"], "", "{above}");
        }
        let of_ada = format!("accounts/{}", id(&app, "ada").await);
        let own = format!("accounts/{}", id(&app, "helper").await);
        for account in [&of_ada, &own] {
            for body in [
                json!({ "is_staff": true }),
                json!({ "is_superuser": true }),
                json!({ "email": "eve@example.com" }),
                json!({ "username": "eve" }),
                json!({ "first_name": "Eve", "is_superuser": true }),
                json!({ "is_superuser": false }),
            ] {
                helper.admin(Method::PATCH, account).json(&body).send(&app).await.refused(403, "forbidden");
            }
            helper.admin(Method::PUT, &format!("{account}/roles/editor")).send(&app).await.refused(403, "forbidden");
        }
        let changed = helper.act(&app, Method::PATCH, &of_ada, Some(json!({ "first_name": "Ada" }))).await;
        assert_eq!((changed["first_name"].as_str(), changed["is_superuser"].as_bool()), (Some("Ada"), Some(false)));
        assert_eq!(ada.me().await.json()["first_name"], "Ada");
    }

    async fn somebody_who_can_do_everything_is_always_left(db) {
        let app = TestApp::new(db).await;
        let mut root = app.superuser("root").await;
        let own = format!("accounts/{}", id(&app, "root").await);
        let resign = root.admin(Method::PATCH, &own).json(&json!({ "is_superuser": false }));
        resign.clone().send(&app).await.refused(409, "last_superuser");
        root.admin(Method::POST, &format!("{own}/deactivate")).send(&app).await.refused(409, "last_superuser");
        root.delete_account(PASSWORD).await.refused(409, "last_superuser");
        assert_eq!(root.act(&app, Method::GET, "access", None).await["level"], "superuser");
        app.superuser("second").await;
        assert_eq!(resign.send(&app).await.json()["is_superuser"], false);
        root.admin(Method::GET, "access").send(&app).await.refused(401, "token_stale");
        app.clock_forward(1);
        root.refresh().await;
        root.admin(Method::GET, "access").send(&app).await.refused(403, "forbidden");
    }

    async fn whatever_is_done_is_recorded_with_who_to_whom_from_where_and_when(db) {
        const FROM: &str = "198.51.100.7";
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        app.log_in("ada").await;
        let (actor, target) = (format!("account {}", id(&app, "root").await), id(&app, "ada").await);
        let (account, session) = (format!("accounts/{target}"), ada.session().await);
        let edit = |body: Value| Some(body);
        let acts = [
            (
                Method::POST,
                "accounts".to_owned(),
                edit(json!({ "username": "bob" })),
                "account_created",
                None,
                Some(target + 1),
            ),
            (
                Method::PATCH,
                account.clone(),
                edit(json!({ "first_name": "Ada" })),
                "account_changed",
                None,
                Some(target),
            ),
            (
                Method::PATCH,
                account.clone(),
                edit(json!({ "is_staff": true })),
                "standing_changed",
                Some("staff_given"),
                Some(target),
            ),
            (
                Method::PATCH,
                account.clone(),
                edit(json!({ "is_superuser": true })),
                "standing_changed",
                Some("superuser_given"),
                Some(target),
            ),
            (
                Method::PATCH,
                account.clone(),
                edit(json!({ "is_superuser": false })),
                "standing_changed",
                Some("superuser_taken"),
                Some(target),
            ),
            (Method::PUT, format!("{account}/roles/{ROLE}"), None, "role_granted", Some(ROLE), Some(target)),
            (Method::DELETE, format!("{account}/roles/{ROLE}"), None, "role_revoked", Some(ROLE), Some(target)),
            (Method::POST, format!("{account}/password-reset"), None, "password_reset_ordered", None, Some(target)),
            (
                Method::DELETE,
                format!("sessions/{session}"),
                None,
                "session_ended",
                Some("ended_by_admin"),
                Some(target),
            ),
            (
                Method::DELETE,
                format!("{account}/sessions"),
                None,
                "session_ended",
                Some("ended_by_admin"),
                Some(target),
            ),
            (
                Method::PATCH,
                account.clone(),
                edit(json!({ "email": "ada@example.org" })),
                "email_changed",
                None,
                Some(target),
            ),
            (Method::POST, format!("{account}/deactivate"), None, "account_deactivated", None, Some(target)),
            (Method::POST, format!("{account}/activate"), None, "account_activated", None, Some(target)),
            (Method::POST, "keys/rotate".to_owned(), None, "key_rotated", None, None),
            (Method::POST, "outbox/retry".to_owned(), None, "mail_retried", Some("0"), None),
        ];
        for (method, path, body, event, cause, to) in acts {
            app.pass(1).await;
            let call = root.admin(method, &path).header("user-agent", "a console").from(FROM);
            let answer = body.iter().fold(call, |call, body| call.json(body)).send(&app).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
            let found = root.act(&app, Method::GET, &format!("events?event={event}&limit=1"), None).await;
            let entry = &found["events"][0];
            for (member, value) in [
                ("at", json!(app.now())),
                ("event", json!(event)),
                ("account_id", json!(to)),
                ("actor", json!(actor)),
                ("ip", json!(FROM)),
                ("user_agent", json!("a console")),
                ("request_id", json!(answer.header("x-request-id"))),
            ] {
                assert_eq!(entry[member], value, "{path}: {member} of {entry}");
            }
            if event != "key_rotated" {
                assert_eq!(entry["cause"], json!(cause), "{path}");
            }
        }
        // What is refused changes nothing, and nothing is recorded of it.
        let before = root.act(&app, Method::GET, "events", None).await;
        root.admin(Method::POST, "accounts/999/deactivate").send(&app).await.refused(404, "not_found");
        root.admin(Method::PATCH, &account)
            .json(&json!({ "locale": "?" }))
            .send(&app)
            .await
            .refused(400, "validation_failed");
        assert_eq!(root.act(&app, Method::GET, "events", None).await, before);

        // The owner sees that it was the operator, and no more of who and from where.
        let activity = app.log_in("ada").await.get("/api/v1/activity?limit=100").await.json();
        let ours = activity["events"].as_array().unwrap().iter().filter(|event| event["by"] == "operator");
        let ours: Vec<_> = ours.collect();
        assert!(ours.len() >= 11, "{activity}");
        assert!(ours.iter().all(|event| event["ip"].is_null() && event["user_agent"].is_null()), "{ours:#?}");
    }
}
