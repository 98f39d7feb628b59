//! What the settings of dialects come to: addresses that are each answered once, claims that are true.

use std::collections::BTreeMap;

use hallpass_axum::{
    AppState, Clock, Web,
    dialects::{Dialect, DrfJwt, SimpleJwt},
};
use hallpass_core::{Config, Hallpass, MasterKey, on_both_engines, testing::TestDb};
use serde_json::json;

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
    }
}
