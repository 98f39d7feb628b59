//! What every test starts from: one moment, one issuer, one person. It never reads the clock.

use std::{env, path::PathBuf};

use hallpass_token::{AccountId, Claims, KeySet, SigningKey, Verifier};
use serde_json::{Map, Value};

/// The moment at which all tests take place.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const LEEWAY: i64 = 5;

/// Claims of a token that was issued a minute ago and is good for four more.
pub(crate) fn claims() -> Claims {
    Claims {
        iss: ISSUER.into(),
        sub: AccountId(7),
        aud: vec![AUDIENCE.into()],
        client_id: "hallpass".into(),
        exp: NOW + 240,
        nbf: None,
        iat: NOW - 60,
        jti: "7bD0kC6y0W1m".into(),
        sid: "0198c0de-7a11-7000-8000-00000000002a".parse().unwrap(),
        auth_time: NOW - 600,
        amr: vec!["pwd".into()],
        roles: vec!["support".into()],
        account_version: 3,
        extra: Map::new(),
    }
}

/// A verifier that knows this key alone.
pub(crate) fn verifier(key: &SigningKey) -> Verifier {
    Verifier::new(ISSUER, AUDIENCE, LEEWAY, KeySet::new(vec![key.verifying_key()]))
}

/// A file of the standards' test data, if the data is here.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = env::var_os("HALLPASS_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = folder.join("security").join(path);
    if !file.exists() {
        println!("skipped: no `{path}` in the folder that `HALLPASS_SHARED` names");
        return None;
    }
    Some(file)
}

/// The same, read as JSON.
pub(crate) fn shared_json(path: &str) -> Option<Value> {
    let text = std::fs::read(shared(path)?).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}
