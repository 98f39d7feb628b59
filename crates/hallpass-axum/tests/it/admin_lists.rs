//! What the lists of the administration show, how they go on, and what never stands in them.

use std::collections::BTreeSet;

use axum::http::Method;
use hallpass_core::{accounts, audit::Event, keys::KeyState, on_both_engines, testing::dump};
use serde_json::Value;

use crate::{mails::new_mails, support::*};

/// Every entry of a list, a part of `limit` after the other, with the number of parts.
async fn all(app: &TestApp, root: &Device<'_>, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut entries, mut parts, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let join = if path.contains('?') { '&' } else { '?' };
        let answer = root.admin(Method::GET, &format!("{path}{join}limit={limit}{cursor}")).send(app).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut part = answer.json();
        let list = part.as_object().unwrap().values().find_map(Value::as_array).unwrap().clone();
        assert!(list.len() == limit || part["next"].is_null(), "{path}: a part before the last is full");
        entries.extend(list);
        parts += 1;
        match part["next"].take() {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return (entries, parts),
        }
    }
}

fn texts(entries: &[Value], member: &str) -> Vec<String> {
    entries.iter().map(|entry| entry[member].as_str().unwrap_or_default().to_owned()).collect()
}

async fn usernames(app: &TestApp, root: &Device<'_>, query: &str) -> Vec<String> {
    texts(&all(app, root, &format!("accounts?{query}"), 100).await.0, "username")
}

on_both_engines! {
    async fn every_list_goes_on_to_its_end_and_says_nothing_twice(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        for n in 0..6 {
            app.sign_up(&format!("person-{n}")).await;
            app.clock_forward(1);
        }
        for (path, member) in [
            ("accounts", "id"),
            ("accounts?order=oldest", "id"),
            ("accounts?search=person", "id"),
            ("sessions", "id"),
            ("events", "id"),
            ("events?event=signed_up", "id"),
        ] {
            let (whole, parts) = all(&app, &root, path, 100).await;
            assert!(whole.len() >= 6 && parts == 1, "{path}");
            for limit in [1, 2, 3, whole.len(), whole.len() - 1] {
                let (entries, parts) = all(&app, &root, path, limit).await;
                assert_eq!(entries, whole, "{path} by {limit}");
                assert_eq!(parts, whole.len().div_ceil(limit), "{path} by {limit}");
            }
            let ids: BTreeSet<String> = whole.iter().map(|entry| entry[member].to_string()).collect();
            assert_eq!(ids.len(), whole.len(), "{path}");
        }
        let oldest = all(&app, &root, "accounts?order=oldest", 2).await.0;
        let mut newest = all(&app, &root, "accounts?order=newest", 2).await.0;
        newest.reverse();
        assert_eq!(oldest, newest);
        assert_eq!(all(&app, &root, "accounts", 100).await.0[0]["username"], "person-5");
    }

    async fn a_list_goes_on_over_what_is_made_and_ended_meanwhile(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        for n in 0..4 {
            app.sign_up(&format!("person-{n}")).await;
        }
        let first = root.admin(Method::GET, "accounts?limit=2").send(&app).await.json();
        let next = format!("accounts?limit=100&cursor={}", first["next"].as_str().unwrap());
        app.sign_up("newcomer").await;
        let rest = root.admin(Method::GET, &next).send(&app).await.json();
        let seen =
            [first["accounts"].as_array().unwrap().clone(), rest["accounts"].as_array().unwrap().clone()].concat();
        assert_eq!(texts(&seen, "username"), ["person-3", "person-2", "person-1", "person-0", "root"]);
    }

    async fn a_cursor_is_good_for_its_own_list_alone(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        for n in 0..3 {
            app.sign_up(&format!("person-{n}")).await;
        }
        let cursor = async |path: &str| {
            let answer = root.admin(Method::GET, path).send(&app).await.json();
            answer["next"].as_str().unwrap().to_owned()
        };
        let lists = [
            "accounts?limit=1",
            "accounts?limit=1&order=oldest",
            "accounts?limit=1&search=person",
            "accounts?limit=1&status=active",
            "accounts?limit=1&verified=false",
            "sessions?limit=1",
            "events?limit=1",
            "events?limit=1&since=1",
            "events?limit=1&event=signed_up",
        ];
        for own in lists {
            let cursor = cursor(own).await;
            for list in lists {
                let answer = root.admin(Method::GET, &format!("{list}&cursor={cursor}")).send(&app).await;
                if list == own {
                    assert_eq!(answer.status, 200, "{own}");
                } else {
                    assert_eq!(answer.problem(), (400, "invalid_request".into()), "{own} for {list}");
                }
            }
            let (head, last) = cursor.split_at(cursor.len() - 1);
            let changed = if last == "A" { "B" } else { "A" };
            for wrong in [
                format!("{head}{changed}"),
                head.to_owned(),
                format!("{cursor}A"),
                cursor.to_uppercase(),
                format!("A{cursor}"),
                "AAAA".into(),
                "1".into(),
                "0199a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b".into(),
                "'+or+1=1+--".into(),
                "A".repeat(64),
            ] {
                let answer = root.admin(Method::GET, &format!("{own}&cursor={wrong}")).send(&app).await;
                assert_eq!(answer.problem(), (400, "invalid_request".into()), "{own}: {wrong}");
            }
        }
        // It names a place, not a size.
        let next = cursor("accounts?limit=1").await;
        let rest = root.admin(Method::GET, &format!("accounts?limit=3&cursor={next}")).send(&app).await.json();
        assert_eq!(rest["accounts"].as_array().unwrap().len(), 3);
    }

    async fn accounts_are_found_by_what_is_known_of_them(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        app.helper("helper").await;
        let ada = app.sign_up_at("Ada", "ada@example.com").await;
        app.redeem("verify-email", &app.mailed("verify").await).await.done();
        app.sign_up_at("adam", "first+one@example.org").await;
        app.sign_up("bob").await;
        let bob = accounts::find(&app.hallpass, "bob").await.unwrap().id;
        accounts::set_active(&app.hallpass, &app.ctx(), bob, false).await.unwrap();
        accounts::grant_role(&app.hallpass, &app.ctx(), bob, "a/b:c").await.unwrap();
        for (query, found) in [
            ("search=ada", &["adam", "Ada"][..]),
            ("search=ADA", &["adam", "Ada"]),
            ("search=ada%40example.com", &["Ada"]),
            ("search=Ada%40EXAMPLE.com", &["Ada"]),
            ("search=first%2Bone%40example", &["adam"]),
            ("search=first+one", &[]),
            ("search=%61dam", &["adam"]),
            ("search=da", &[]),
            ("search=%25", &[]),
            ("search=_da", &[]),
            ("search='+or+1=1+--", &[]),
            ("search=ada';drop+table+accounts;--", &[]),
            ("search=%F0%9F%A6%84", &[]),
            ("search=ada&order=oldest", &["Ada", "adam"]),
            ("search=ada&verified=true", &["Ada"]),
            ("search=ada&verified=false", &["adam"]),
            ("status=deactivated", &["bob"]),
            ("status=deactivated&search=a", &[]),
            ("status=active", &["adam", "Ada", "helper", "root"]),
            ("status=deletion", &[]),
            ("role=a%2Fb:c", &["bob"]),
            ("role=a/b:c", &["bob"]),
            ("role=hallpass:helpdesk", &["helper"]),
            ("role=a", &[]),
            ("role=%22", &[]),
            ("level=superuser", &["root"]),
            ("level=staff", &[]),
        ] {
            assert_eq!(usernames(&app, &root, query).await, found, "{query}");
        }
        assert_eq!(usernames(&app, &root, &format!("search={bob}")).await, ["bob"]);
        assert_eq!(ada.delete_account(PASSWORD).await.status, 202);
        assert_eq!(usernames(&app, &root, "status=deletion").await, ["Ada"]);
        let one = root.admin(Method::GET, &format!("accounts/{bob}")).send(&app).await.json();
        let (listed, _) = all(&app, &root, "accounts?search=bob", 100).await;
        assert_eq!(listed, std::slice::from_ref(&one));
        assert_eq!((one["is_active"].as_bool(), one["has_password"].as_bool()), (Some(false), Some(true)));
    }

    async fn who_is_signed_in_is_listed_with_whose_device_it_is(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        app.clock_forward(1);
        let phone = log_in("ada", PASSWORD).header("user-agent", "a phone").from("192.0.2.7").send(&app).await;
        assert_eq!(phone.status, 200);
        let id = accounts::find(&app.hallpass, "ada").await.unwrap().id;
        let (sessions, _) = all(&app, &root, &format!("sessions?account={id}"), 100).await;
        assert_eq!(sessions.len(), 2);
        let [phone, other] = [&sessions[0], &sessions[1]];
        assert_eq!(other["id"].as_str(), Some(ada.session().await.as_str()));
        for (member, value) in
            [("username", "ada"), ("email", "ada@example.com"), ("ip", "192.0.2.7"), ("user_agent", "a phone")]
        {
            assert_eq!(phone[member], value);
        }
        assert_eq!((phone["account_id"].as_i64(), phone["created_at"].as_i64()), (Some(id.0), Some(BEGIN + 1)));
        assert_eq!(all(&app, &root, "sessions", 100).await.0.len(), 3);
        ada.log_out().await.done();
        assert_eq!(all(&app, &root, "sessions", 100).await.0.len(), 2, "what is over is not listed");
        assert_eq!(all(&app, &root, "sessions?account=999", 100).await.0, [Value::Null; 0]);
    }

    async fn what_happened_is_found_by_account_kind_and_time(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        app.pass(10).await;
        app.sign_up("ada").await;
        app.pass(10).await;
        app.log_in("ada").await;
        app.log_in("root").await;
        let id = accounts::find(&app.hallpass, "ada").await.unwrap().id;
        let (ten, twenty) = (BEGIN + 10, BEGIN + 20);
        for (query, found) in [
            (format!("account={id}"), &["signed_in", "signed_up"][..]),
            (format!("account={id}&event=signed_in"), &["signed_in"]),
            ("event=signed_in".into(), &["signed_in", "signed_in", "signed_in"]),
            (format!("since={ten}"), &["signed_in", "signed_in", "signed_up"]),
            (format!("since={twenty}"), &["signed_in", "signed_in"]),
            (format!("until={BEGIN}"), &["signed_in", "account_created"]),
            (format!("since={ten}&until={ten}"), &["signed_up"]),
            (format!("since={twenty}&until={ten}"), &[]),
            ("event=key_revoked".into(), &[]),
        ] {
            let entries = all(&app, &root, &format!("events?{query}"), 100).await.0;
            assert_eq!(texts(&entries, "event"), found, "{query}");
        }
        for event in Event::ALL {
            let answer = root.admin(Method::GET, &format!("events?event={}", event.as_str())).send(&app).await;
            assert_eq!(answer.status, 200, "{}", event.as_str());
        }
    }

    async fn how_much_happened_is_told_by_the_hour_or_the_day(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let mut ada = app.sign_up("ada").await;
        log_in("ada", "not the password at all").send(&app).await.refused(401, "invalid_credentials");
        app.pass(60).await;
        ada.refresh().await;
        ada.log_out().await.done();
        for (query, step, many) in
            [("?days=1", 3600, 24), ("?days=2", 3600, 48), ("", 86_400, 7), ("?days=90", 86_400, 90)]
        {
            let told = root.admin(Method::GET, &format!("statistics{query}")).send(&app).await.json();
            let buckets = told["buckets"].as_array().unwrap();
            assert_eq!((told["step"].as_i64(), buckets.len()), (Some(step), many), "{query}");
            for pair in buckets.windows(2) {
                assert_eq!(pair[1]["at"].as_i64(), Some(pair[0]["at"].as_i64().unwrap() + step));
            }
            for (kind, number) in
                [("signed_up", 1), ("signed_in", 1), ("sign_in_failed", 1), ("refreshed", 1), ("revoked", 1)]
            {
                let sum: i64 = buckets.iter().map(|bucket| bucket[kind].as_i64().unwrap()).sum();
                assert_eq!(sum, number, "{kind} {query}");
            }
            assert_eq!((told["accounts"].as_i64(), told["sessions"].as_i64()), (Some(2), Some(1)));
        }
    }

    async fn a_key_is_followed_by_another_and_nobody_is_signed_out(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let states = |answer: &Answer| texts(answer.json()["keys"].as_array().unwrap(), "state");
        let before = root.admin(Method::GET, "keys").send(&app).await;
        assert_eq!(states(&before).len(), 2);
        let kid = |answer: &Answer, state: KeyState| {
            let keys = answer.json()["keys"].clone();
            let key = keys.as_array().unwrap().iter().find(|key| key["state"] == state.as_str()).cloned();
            key.unwrap()["kid"].as_str().unwrap().to_owned()
        };
        let rotated = root.admin(Method::POST, "keys/rotate").send(&app).await;
        assert_eq!(rotated.status, 200, "{}", rotated.text());
        assert_eq!(kid(&rotated, KeyState::Current), kid(&before, KeyState::Next));
        assert_eq!(kid(&rotated, KeyState::Retired), kid(&before, KeyState::Current));
        assert_eq!(root.admin(Method::GET, "keys").send(&app).await.json(), rotated.json());
        assert_eq!(root.me().await.status, 200);
    }

    async fn what_was_given_up_is_mailed_after_all(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let root = app.superuser("root").await;
        sink.refuse_next(550);
        app.sign_up_at("ada", "ada@example.com").await;
        app.send_mail().await;
        assert_eq!(sink.mails().len(), 0);
        let waiting = root.admin(Method::GET, "outbox").send(&app).await.json();
        let mail = &waiting["mails"][0];
        assert_eq!((mail["kind"].as_str(), mail["attempts"].as_i64()), (Some("verify_email"), Some(1)), "{waiting}");
        assert!(mail["due_at"].is_null() && mail["last_error"].as_str().unwrap().contains("550"), "{waiting}");
        assert!(!waiting.to_string().contains("ada"), "to whom is not told: {waiting}");
        assert_eq!(root.admin(Method::POST, "outbox/retry").send(&app).await.json()["retried"], 1);
        assert_eq!(new_mails(&app, &sink).await.len(), 1);
        let waiting = root.admin(Method::GET, "outbox").send(&app).await.json();
        assert_eq!(waiting["mails"].as_array().unwrap().len(), 0);
        assert_eq!(root.admin(Method::POST, "outbox/retry").send(&app).await.json()["retried"], 0);
    }

    async fn no_answer_has_a_secret_or_the_hash_of_one_in_it(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let ada = app.sign_up_at("ada", "ada@example.com").await;
        let browser = app.log_in_browser("ada").await;
        let id = accounts::find(&app.hallpass, "ada").await.unwrap().id;
        root.admin(Method::POST, &format!("accounts/{id}/password-reset")).send(&app).await.accepted();
        let reset = app.mailed("reset").await;
        let stored = dump(app.hallpass.db()).await;
        let mut told = String::new();
        for path in
            ["access", "accounts", &format!("accounts/{id}"), "sessions", "events", "keys", "outbox", "statistics"]
        {
            told += &root.admin(Method::GET, path).send(&app).await.text();
        }
        told += &root.admin(Method::POST, "keys/rotate").send(&app).await.text();
        told += &root.admin(Method::POST, &format!("accounts/{id}/deactivate")).send(&app).await.text();
        for secret in [
            PASSWORD,
            &ada.access,
            &ada.refresh,
            &browser.refresh,
            browser.csrf.as_deref().unwrap(),
            &root.access,
            &reset,
        ] {
            assert!(!told.contains(secret), "{secret}");
        }
        for mark in ["$argon2", "hpr_", "hpt_", "eyJ", "password\":\"", "hash", "sealed", "PRIVATE"] {
            assert!(!told.contains(mark), "{mark}: {told}");
        }
        assert!(stored.contains("$argon2"), "the database has what would be found");
    }
}
