use hallpass_core::{
    accounts::{self, NewAccount, Page, Standing},
    on_both_engines,
};
use serde_json::json;

use crate::support::*;

on_both_engines! {
    async fn a_program_gets_its_secret_in_the_body_and_no_cookie(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let answer = log_in("ada", PASSWORD).send(&app).await;
        assert_eq!(answer.status, 200);
        assert!(answer.json()["refresh_token"].is_string());
        assert!(answer.set_cookies().is_empty());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }

    async fn a_browser_gets_its_secret_in_the_cookie_and_never_in_the_body(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        for (name, value) in
            [("origin", FRONT_END), ("origin", API), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
        {
            let answer = log_in("ada", PASSWORD).header(name, value).send(&app).await;
            let secret = answer.cookie("__Host-refresh").unwrap();
            assert!(!answer.text().contains(&secret), "{name}: {value}");
            assert!(answer.json().get("refresh_token").is_none(), "{name}: {value}");
        }
    }

    async fn whatever_is_wrong_with_a_sign_in_the_answer_is_the_same(db) {
        let app = TestApp::new(db).await;
        let make = async |name: &str, password: Option<&str>| {
            let new = NewAccount {
                username: Some(name.into()),
                email: Some(format!("{name}@example.com")),
                password: password.map(Into::into),
                ..NewAccount::default()
            };
            accounts::create(&app.hallpass, &app.ctx(), new, Standing::default()).await.unwrap().id
        };
        make("ada", Some(PASSWORD)).await;
        make("cleo", None).await;
        let inactive = make("bob", Some(PASSWORD)).await;
        accounts::set_active(&app.hallpass, &app.ctx(), inactive, false).await.unwrap();
        let wrong = "wrong wrong wrong wrong";
        let mut answers = Vec::new();
        for (who, password) in [
            // A wrong password.
            (json!({ "username": "ada" }), wrong),
            (json!({ "username": "ADA@example.com" }), wrong),
            (json!({ "email": "ada@example.com" }), wrong),
            (json!({ "username": "ada", "email": "ada@example.com" }), wrong),
            // The right one under a name that belongs to somebody else.
            (json!({ "username": "bob", "email": "ada@example.com" }), PASSWORD),
            // Nobody.
            (json!({ "username": "nobody" }), PASSWORD),
            (json!({ "username": "nobody@example.com" }), PASSWORD),
            (json!({ "email": "nobody@example.com" }), PASSWORD),
            // Deactivated, with the right and with a wrong password.
            (json!({ "username": "bob" }), PASSWORD),
            (json!({ "email": "bob@example.com" }), PASSWORD),
            (json!({ "username": "bob" }), wrong),
            (json!({ "email": "bob@example.com" }), wrong),
            // Without a password.
            (json!({ "username": "cleo" }), PASSWORD),
            (json!({ "email": "cleo@example.com" }), PASSWORD),
            // Names that no account can have.
            (json!({ "username": "" }), PASSWORD),
            (json!({ "username": "a\u{202e}b \0" }), PASSWORD),
            (json!({ "username": "x".repeat(10_000) }), PASSWORD),
            (json!({ "email": "ada@" }), PASSWORD),
            (json!({ "email": "no address" }), PASSWORD),
        ] {
            let mut body = who.clone();
            body["password"] = json!(password);
            let mut answer = Call::post("/api/v1/login").json(&body).send(&app).await;
            answer.refused(401, "invalid_credentials");
            // Lengths are compared as well: the header `content-length` is one of them.
            let id = answer.header("x-request-id").unwrap().to_owned();
            answer.headers.remove("x-request-id");
            answer.headers.remove("date");
            answers.push((who, answer.headers.clone(), answer.text().replace(&id, "")));
        }
        for (who, headers, body) in &answers {
            assert_eq!((headers, body), (&answers[0].1, &answers[0].2), "{who}");
        }
    }

    async fn a_fresh_server_has_no_account(db) {
        let app = TestApp::new(db).await;
        let page = Page { after: None, limit: 10 };
        assert_eq!(accounts::list(&app.hallpass, page).await.unwrap(), []);
        let names = ["admin", "administrator", "root", "hallpass", "superuser", "user", "test", "guest"];
        for name in names.into_iter().chain(["admin@example.com"]) {
            for password in [name, "admin", "password", "hallpass", "changeme", "123456", "root"] {
                log_in(name, password).send(&app).await.refused(401, "invalid_credentials");
            }
        }
    }

    async fn a_stale_credential_never_stops_a_sign_in(db) {
        let app = TestApp::new(db).await;
        let old = app.sign_up("ada").await;
        old.log_out().await.done();
        for call in [
            log_in("ada", PASSWORD).bearer(&old.access),
            log_in("ada", PASSWORD).header("authorization", "Bearer garbage"),
            log_in("ada", PASSWORD).header("authorization", "Basic YTpi"),
            log_in("ada", PASSWORD).header("cookie", &old.cookies()).header("origin", FRONT_END),
            log_in("ada", PASSWORD)
                .header("cookie", "__Host-refresh=garbage; __Host-refresh=twice")
                .header("origin", FRONT_END),
        ] {
            assert_eq!(call.send(&app).await.status, 200);
        }
    }

    async fn each_sign_in_is_a_new_session_whatever_cookie_was_there_before(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let first = app.log_in_browser("ada").await;
        let planted =
            log_in("ada", PASSWORD).header("origin", FRONT_END).header("cookie", &first.cookies()).send(&app).await;
        let second = planted.cookie("__Host-refresh").unwrap();
        assert_ne!(first.refresh, second);
        assert_ne!(first.csrf, planted.cookie("__Host-csrf"));
        assert_eq!(first.get("/api/v1/sessions").await.json()["sessions"].as_array().unwrap().len(), 3);
    }

    async fn a_name_or_an_address_is_enough_and_both_must_belong_together(db) {
        let app = TestApp::new(db).await;
        let body = json!({ "username": "ada", "email": "ada@example.com", "password": PASSWORD });
        Call::post("/api/v1/signup").json(&body).send(&app).await;
        app.sign_up("bob").await;
        for (who, status) in [
            (json!({ "username": "ada" }), 200),
            (json!({ "username": "ADA@example.com" }), 200),
            (json!({ "email": "ada@example.com" }), 200),
            (json!({ "username": "ada", "email": "ada@example.com" }), 200),
            (json!({ "username": "bob", "email": "ada@example.com" }), 401),
            (json!({}), 400),
        ] {
            let mut body = who.clone();
            body["password"] = json!(PASSWORD);
            assert_eq!(Call::post("/api/v1/login").json(&body).send(&app).await.status, status, "{who}");
        }
    }
}
