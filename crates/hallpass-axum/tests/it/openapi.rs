use std::fs;

use hallpass_core::{Code, on_both_engines};
use serde_json::Value;

use crate::support::*;

#[test]
fn the_committed_document_is_the_one_that_the_server_gives() {
    let committed = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json"));
    let committed: Value = serde_json::from_str(&committed.unwrap_or_default()).unwrap_or_default();
    let current: Value = serde_json::from_str(&hallpass_axum::openapi_json()).unwrap();
    assert!(committed == current, "openapi.json is out of date: write it anew with `cargo xtask generated`");
}

#[test]
fn the_document_lists_every_code_and_describes_every_member() {
    let document: Value = serde_json::from_str(&hallpass_axum::openapi_json()).unwrap();
    let codes = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(codes.len(), Code::ALL.len());
    assert_eq!(document["x-errors"].as_array().unwrap().len(), Code::ALL.len());
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["type"] == "object", "{name}: {schema}");
    }
    let text = document.to_string();
    for pointer in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

on_both_engines! {
    async fn a_server_under_a_path_says_so_in_its_document(db) {
        let app = TestApp::with(db, |_, web| web.public_url = "https://api.example.com/auth".into()).await;
        let document = Call::get("/openapi.json").send(&app).await.json();
        assert_eq!(document["servers"][0]["url"], "/auth");
    }
}
