//! Every way of forging a token that the generator of forgeries knows, against a verifier whose key it was given. It
//! never passes by finding nothing: each run must hold controls that are taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use aws_lc_rs::{
    encoding::AsDer,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hallpass_token::{Algorithm, KeySet, Reason, SigningKey, TokenError, Verifier};
use serde::Deserialize;

use crate::support::{AUDIENCE, ISSUER, LEEWAY, NOW, claims, shared};

/// The table of the documentation: where the standards leave a choice, this is ours.
const CHOICES: &str = include_str!("../../src/choices.md");

#[derive(Deserialize)]
struct Forgery {
    id: String,
    token: String,
    group: String,
    expect: String,
    needs: String,
}

/// What the table says: whether the token of this name is taken.
fn choices() -> BTreeMap<&'static str, bool> {
    let rows = CHOICES.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [names, taken, because] = cells[..] else { panic!("not three cells: {line}") };
        assert!(!because.is_empty(), "no reason: {line}");
        let names = names.split_once(':').unwrap().0.split(", ").map(|name| name.trim_matches('`'));
        (
            names,
            match taken {
                "taken" => true,
                "refused" => false,
                other => panic!("neither taken nor refused: {other}"),
            },
        )
    });
    rows.flat_map(|(names, taken)| names.map(move |name| (name, taken))).collect()
}

/// The ids of the choices that the generator offered for a key of this algorithm; `None` where it cannot run.
fn every_forgery_is_answered_as_documented(algorithm: Algorithm) -> Option<BTreeSet<String>> {
    let key = SigningKey::generate(algorithm).unwrap();
    // A second good key, as during a rotation: parts of its tokens must not fit into those of the first.
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let keys = KeySet::new(vec![key.verifying_key(), other.verifying_key()]);
    let verifier = Verifier::new(ISSUER, AUDIENCE, LEEWAY, keys.clone());
    let choices = choices();
    let forgeries = forge(&key, &other.sign(&claims()).unwrap(), &keys.to_jwks())?;
    let (mut taken, mut refused, mut chosen) = (0, 0, BTreeSet::new());
    for forgery in forgeries {
        let Forgery { id, token, group, expect, needs } = forgery;
        let first = verifier.verify(&token, NOW);
        assert_eq!(first, verifier.verify(&token, NOW), "{algorithm} {id}: the second answer is another one");
        let good = match expect.as_str() {
            "accept" => true,
            "reject" => false,
            "policy" => {
                chosen.insert(id.clone());
                *choices.get(id.as_str()).unwrap_or_else(|| panic!("{algorithm} {id}: no row in `choices.md`"))
            }
            other => panic!("{id}: what is `{other}`?"),
        };
        assert_eq!(first.is_ok(), good, "{algorithm} {id}: {first:?}");
        if let Err(error) = first {
            assert!(
                needs == "signer" || matches!(error, TokenError::Invalid(_)),
                "{id}: {error:?} tells of a token not ours"
            );
            if ["jwe", "shape", "big"].contains(&group.as_str()) {
                let unread =
                    matches!(error, TokenError::Invalid(Reason::Malformed | Reason::TooLong | Reason::Signature));
                assert!(unread, "{algorithm} {id}: {error:?}");
            }
        }
        if good { taken += 1 } else { refused += 1 }
    }
    println!("{algorithm}: {taken} taken, {refused} refused");
    assert!(taken >= 5 && refused >= 300, "{algorithm}: only {taken} taken and {refused} refused");
    Some(chosen)
}

/// Runs the generator once, with everything that it can use.
fn forge(key: &SigningKey, other_token: &str, jwks: &str) -> Option<Vec<Forgery>> {
    let script = shared("forge.py")?;
    let ready = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        println!("skipped: no `python3` with `cryptography`");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let mut command = Command::new("python3");
    command.arg(script).args(["--now", &NOW.to_string(), "--big", "200000"]);
    command.args(["--token", &key.sign(&claims()).unwrap(), "--other-token", other_token]);
    command.arg("--jwks").arg(put("jwks.json", jwks.as_bytes()));
    match spki(key) {
        Some(public) => {
            command.arg("--pem").arg(put("public.pem", pem("PUBLIC KEY", &public).as_bytes()));
            command.arg("--sign-key").arg(put("private.pem", pem("PRIVATE KEY", &key.to_der()).as_bytes()));
        }
        None => {
            command.arg("--hs-secret-file").arg(put("secret", &key.to_der()));
        }
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The public key as a SubjectPublicKeyInfo (RFC 5280); a secret has none.
fn spki(key: &SigningKey) -> Option<Vec<u8>> {
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

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn every_forgery_for_es256_is_answered_as_documented() {
    every_forgery_is_answered_as_documented(Algorithm::ES256);
}

#[test]
fn every_forgery_for_rs256_is_answered_as_documented() {
    every_forgery_is_answered_as_documented(Algorithm::RS256);
}

#[test]
fn every_forgery_for_ps256_is_answered_as_documented() {
    every_forgery_is_answered_as_documented(Algorithm::PS256);
}

#[test]
fn every_forgery_for_hs256_is_answered_as_documented() {
    every_forgery_is_answered_as_documented(Algorithm::HS256);
}

#[test]
fn every_forgery_for_eddsa_is_answered_as_documented_and_no_documented_choice_is_idle() {
    let Some(mut offered) = every_forgery_is_answered_as_documented(Algorithm::EdDSA) else { return };
    // The one choice that only another algorithm has.
    offered.insert("ecdsa-malleable-s".into());
    let documented: BTreeSet<String> = choices().into_keys().map(String::from).collect();
    assert_eq!(offered, documented);
}
