//! Every way of forging a token that the generator of forgeries knows, against a verifier whose key it was given. It
//! never passes by finding nothing: each run must hold controls that are taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    fs,
    process::Command,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_token::{Algorithm, KeySet, Reason, SigningKey, TokenError, Verifier};
use serde::Deserialize;

use crate::support::{AUDIENCE, ISSUER, LEEWAY, NOW, Trap, claims, pem, shared, spki};

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
    let (choices, trap) = (choices(), Trap::set());
    let forgeries = forge(&key, &other.sign(&claims()).unwrap(), &keys.to_jwks(), &trap)?;
    let baits = forgeries.iter().filter(|forgery| header_of(&forgery.token).contains(trap.url())).count();
    assert!(baits >= 3, "{algorithm}: only {baits} headers name the address that must not be fetched");
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
    trap.assert_untouched();
    Some(chosen)
}

/// Runs the generator once, with everything that it can use.
fn forge(key: &SigningKey, other_token: &str, jwks: &str, trap: &Trap) -> Option<Vec<Forgery>> {
    let script = shared("forge.py")?;
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let mut command = Command::new(python);
    command.arg(script).args(["--now", &NOW.to_string(), "--big", "200000", "--evil-url", trap.url()]);
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

/// The interpreter that `HALLPASS_TEST_PYTHON` names, which has to have what the generator needs; else the machine's
/// own, if that happens to have it.
fn python() -> Option<OsString> {
    let named = env::var_os("HALLPASS_TEST_PYTHON");
    let python = named.clone().unwrap_or_else(|| "python3".into());
    let tried = Command::new(&python).args(["-c", "import cryptography"]).output();
    if tried.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(named.is_none(), "the interpreter of `HALLPASS_TEST_PYTHON` has no `cryptography`: {tried:?}");
    println!("skipped: no `python3` with `cryptography`, and `HALLPASS_TEST_PYTHON` is not set");
    None
}

/// The first part of a token as text; nothing where it is not base64url.
fn header_of(token: &str) -> String {
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    String::from_utf8_lossy(&header.unwrap_or_default()).into_owned()
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
