//! The running server, seen by a verifier that was written from the standard and knows nothing of Hallpass.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};

use crate::program::{Home, PASSWORD, Server, finish, within_five_seconds};

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/status_lists/verifier.py");

async fn post(server: &Server, path: &str, body: Value) -> Value {
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let answer = client.post(format!("{}/api/v1/{path}", server.url)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap_or_default()
}

async fn sign_in(server: &Server, username: &str) -> Value {
    post(server, "login", json!({ "username": username, "password": PASSWORD })).await
}

#[tokio::test]
async fn a_verifier_that_knows_only_the_standard_sees_what_was_taken_back() {
    let Some(python) = std::env::var_os("HALLPASS_TEST_PYTHON") else {
        println!("skipped: HALLPASS_TEST_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let home = Home::new();
    home.create_superuser("ada");
    home.create_superuser("bob");
    let server = Server::start(&home);
    let (here, there) = (sign_in(&server, "ada").await, sign_in(&server, "ada").await);
    let (bob, root) = (sign_in(&server, "bob").await, sign_in(&server, "bob").await);
    let issuer = server.url.replace("127.0.0.1", "localhost");
    let statuses = |issued: &[&Value]| {
        let tokens: Vec<_> = issued.iter().map(|issued| issued["access_token"].as_str().unwrap()).collect();
        let mut verifier = Command::new(&python);
        verifier.args([VERIFIER, &issuer]).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(verifier, &tokens.join("\n"), Duration::from_secs(60)).json()
    };
    assert_eq!(statuses(&[&here, &there, &bob, &root]), json!([0, 0, 0, 0]));

    post(&server, "logout", json!({ "refresh_token": here["refresh_token"] })).await;
    home.json(&["accounts", "grant-role", "bob", "editor", "--json"]);
    let refreshed = post(&server, "refresh", json!({ "refresh_token": bob["refresh_token"] })).await;
    within_five_seconds("the lists", async || {
        statuses(&[&here, &there, &bob, &root, &refreshed]) == json!([1, 0, 3, 3, 0])
    })
    .await;
}
