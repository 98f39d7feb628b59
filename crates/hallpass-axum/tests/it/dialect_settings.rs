//! What the settings of dialects come to: addresses that are each answered once, claims that are true.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use hallpass_axum::{
    AppState, Clock, Web,
    dialects::{Dialect, DjRestAuth, DrfJwt, SimpleJwt},
};
use hallpass_core::{Config, Hallpass, MasterKey, config::NameRules, on_both_engines, testing::TestDb};
use serde_json::{Value, json};

use crate::support::*;

on_both_engines! {
    async fn a_claim_about_the_account_is_true_again_at_the_next_refresh(db) {
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::with(db, |_, web| web.dialects = vec![simplejwt(&folder, true)]).await;
        let ada = app.sign_up("ada").await;
        let body = json!({ "username": "ada", "password": PASSWORD });
        let pair = Call::post("/api/token/").json(&body).send(&app).await.json();
        let says = |token: &serde_json::Value| claims(token.as_str().unwrap())["first_name"].clone();
        assert_eq!((says(&pair["access"]), says(&pair["refresh"])), (json!(""), json!("")));
        ada.change_me(&json!({ "first_name": "Augusta" })).await;
        let body = json!({ "refresh": pair["refresh"] });
        let next = Call::post("/api/token/refresh/").json(&body).send(&app).await.json();
        assert_eq!((says(&next["access"]), says(&next["refresh"])), (json!("Augusta"), json!("Augusta")));
    }

    async fn a_token_opens_nothing_of_whoever_took_over_the_user_name(db) {
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::with(db, |config, web| {
            config.accounts.names = NameRules::Django;
            web.dialects = by_name(&folder);
        })
        .await;
        app.sign_up("ada").await;
        let body = json!({ "username": "ada", "password": PASSWORD });
        let obtain = async |path: &str| Call::post(path).json(&body).send(&app).await.json();
        let token = |answer: &Value, member: &str| answer[member].as_str().unwrap().to_owned();
        let id = token(&obtain("/id/token-auth/").await, "token");
        let name = token(&obtain("/name/token-auth/").await, "token");
        let pair = obtain("/pair/token/").await;
        let (access, refresh) = (token(&pair, "access"), token(&pair, "refresh"));
        let open = async |path: &str, token: &str| {
            Call::get(path).header("authorization", &format!("Bearer {token}")).send(&app).await.status
        };
        let exchange = async |path: &str, field: &str, token: &str| {
            Call::post(path).json(&json!({ field: token })).send(&app).await.status
        };
        let opened = [("/id/me/", &id), ("/name/me/", &name), ("/pair/me/", &access)];
        let exchanged = [
            ("/id/refresh/", "token", &id), ("/name/refresh/", "token", &name), ("/id/verify/", "token", &id),
            ("/name/verify/", "token", &name), ("/pair/token/refresh/", "refresh", &refresh),
        ];
        for (path, token) in opened {
            assert_eq!(open(path, token).await, StatusCode::OK, "{path}");
        }
        for (path, field, token) in exchanged {
            assert!(exchange(path, field, token).await.is_success(), "{path}");
        }

        let dj = token(&obtain("/dj/login/").await, "access");
        let rename = Call::new(Method::PATCH, "/dj/user/").header("authorization", &format!("Bearer {dj}"));
        assert_eq!(rename.json(&json!({ "username": "countess" })).send(&app).await.status, StatusCode::OK);
        app.sign_up("ada").await;
        for (path, token) in opened {
            assert_eq!(open(path, token).await, StatusCode::UNAUTHORIZED, "{path}");
        }
        for (path, field, token) in exchanged {
            assert!(exchange(path, field, token).await.is_client_error(), "{path}");
        }
    }

    async fn a_token_of_another_package_is_none_of_drf_jwt(db) {
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::with(db, |_, web| web.dialects = by_name(&folder)).await;
        app.sign_up("ada").await;
        let body = json!({ "username": "ada", "password": PASSWORD });
        let pair = Call::post("/pair/token/").json(&body).send(&app).await.json();
        for member in ["access", "refresh"] {
            let bearer = format!("Bearer {}", pair[member].as_str().unwrap());
            for path in ["/id/me/", "/name/me/"] {
                let refused = Call::get(path).header("authorization", &bearer).send(&app).await;
                assert_eq!(refused.json(), json!({ "detail": "Invalid token." }), "{path} {member}");
            }
        }
    }
}

/// With the account's id in tokens at `/id`, without it at `/name`, with the user name for it at `/pair`.
fn by_name(folder: &tempfile::TempDir) -> Vec<Dialect> {
    let drf = |path: &str, user_id| {
        Dialect::DrfJwt(DrfJwt {
            path: path.into(),
            secret_key_file: secret(folder),
            user_id,
            refresh: "refresh/".into(),
            verify: "verify/".into(),
            user: "me/".into(),
            ..DrfJwt::default()
        })
    };
    let pair = SimpleJwt {
        path: "/pair".into(),
        signing_key_file: secret(folder),
        user_id_claim: "username".into(),
        user_id_is_username: true,
        user: "me/".into(),
        ..SimpleJwt::default()
    };
    let dj = DjRestAuth { path: "/dj".into(), secret_key_file: secret(folder), ..DjRestAuth::default() };
    vec![drf("/id", true), drf("/name", false), Dialect::SimpleJwt(pair), Dialect::DjRestAuth(dj)]
}

#[tokio::test]
async fn tokens_that_say_nothing_but_a_user_name_are_refused_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let drf = DrfJwt { secret_key_file: secret(&folder), original: true, user_id: false, ..DrfJwt::default() };
    let said = refusal(vec![Dialect::DrfJwt(drf)]).await;
    assert!(said.contains("`dialects.user_id` is off with `original`"), "{said}");
}

fn simplejwt(folder: &tempfile::TempDir, rotate: bool) -> Dialect {
    let claims = BTreeMap::from([("first_name".to_owned(), "first_name".to_owned())]);
    let path = "/api/".into();
    Dialect::SimpleJwt(SimpleJwt { path, signing_key_file: secret(folder), rotate, claims, ..SimpleJwt::default() })
}

fn secret(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("secret");
    std::fs::write(&path, "the secret key of a Django project, long enough for it").unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is said of dialects that cannot be served together.
async fn refusal(dialects: Vec<Dialect>) -> String {
    let db = TestDb::sqlite().await;
    let config = Config::for_issuer(API);
    let hallpass = Hallpass::open(db.db.clone(), &MasterKey::generate().unwrap(), config, BEGIN).await;
    let web = Web { public_url: API.into(), dialects, ..Web::default() };
    let problems = AppState::new(hallpass.unwrap(), &web, Clock::system()).err().unwrap();
    problems.join("\n")
}

#[tokio::test]
async fn an_address_that_two_would_answer_is_refused_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let drf = |path: &str, obtain: &str| {
        let (path, obtain) = (path.to_owned(), obtain.to_owned());
        Dialect::DrfJwt(DrfJwt { path, obtain, secret_key_file: secret(&folder), ..DrfJwt::default() })
    };
    for (dialects, address) in [
        (vec![simplejwt(&folder, true), simplejwt(&folder, false)], "/api/token"),
        (vec![simplejwt(&folder, true), drf("/", "api/token/")], "/api/token"),
        (vec![drf("/api/v1", "login")], "/api/v1/login"),
        (vec![drf("/", "reset")], "/reset"),
        (vec![drf("/", "dev/mail")], "/dev/mail"),
    ] {
        let said = refusal(dialects).await;
        assert!(said.contains(&format!("`{address}`")), "{said}");
        assert_eq!(said.contains("`pages.enabled = false`"), address == "/reset", "{said}");
    }
}
