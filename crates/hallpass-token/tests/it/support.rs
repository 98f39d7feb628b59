//! What every test starts from: one moment, one issuer, one person. It never reads the clock.

use std::{env, io::ErrorKind, net::TcpListener, path::PathBuf};

use aws_lc_rs::{
    encoding::AsDer,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hallpass_token::{AccountId, Algorithm, Claims, KeySet, SigningKey, Verifier};
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

/// The public key as a SubjectPublicKeyInfo (RFC 5280); a secret has none.
pub(crate) fn spki(key: &SigningKey) -> Option<Vec<u8>> {
    let der = key.to_der();
    let public = match key.algorithm() {
        Algorithm::ES256 => {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap().public_key().as_der()
        }
        Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(&der).unwrap().public_key().as_der(),
        Algorithm::RS256 | Algorithm::PS256 => RsaKeyPair::from_pkcs8(&der).unwrap().public_key().as_der(),
        Algorithm::HS256 => return None,
    };
    Some(public.unwrap().as_ref().to_vec())
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// An address on this machine at which nobody may call.
pub(crate) struct Trap {
    listener: TcpListener,
    url: String,
}

impl Trap {
    pub(crate) fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        Self { listener, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The kernel completes connections without us, so one that was made is waiting here, even if it was closed again.
    pub(crate) fn assert_untouched(&self) {
        let caller = self.listener.accept();
        assert!(matches!(&caller, Err(error) if error.kind() == ErrorKind::WouldBlock), "somebody called: {caller:?}");
    }
}
