//! The test vectors of Project Wycheproof and of the RFCs, through the same code that tokens go through. Where we
//! knowingly answer otherwise, the case is listed with its reason.

use base64::{
    Engine, alphabet,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, URL_SAFE_NO_PAD},
    },
};
use hallpass_token::{Algorithm, KeyError, KeySet, Reason, TokenError, Verifier, VerifyingKey};
use serde_json::{Value, json};

use crate::support::{AUDIENCE, ISSUER, NOW, shared_json};

fn vectors(name: &str) -> Option<Value> {
    shared_json(&format!("vectors/wycheproof/{name}_test.json"))
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// The members of a public key, with the algorithm that the file is about.
fn public_key(mut jwk: Value, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
    jwk["alg"] = algorithm.as_str().into();
    jwk["kid"] = "kid".into();
    VerifyingKey::from_jwk(&jwk.to_string())
}

/// How many cases of a file were taken, how many refused, and how many had a key that we do not read.
type Counted = (usize, usize, usize);

/// Runs every case of a file of signatures by keys that `jwk` finds in the groups.
fn signatures(name: &str, algorithm: Algorithm, jwk: fn(&Value) -> Value) -> Option<Counted> {
    let (mut taken, mut refused, mut unread) = (0, 0, 0);
    for group in array(&vectors(name)?, "testGroups") {
        let key = public_key(jwk(group), algorithm);
        for case in array(group, "tests") {
            let Ok(key) = &key else {
                unread += 1;
                continue;
            };
            let good = key.verify_signature(&hex(&case["msg"]), &hex(&case["sig"]));
            // The one that is "acceptable" leaves out a NULL in the PKCS #1 encoding: refused, as RFC 8017 has it.
            assert_eq!(good, case["result"] == "valid", "{name} {}: {}", case["tcId"], case["comment"]);
            if good { taken += 1 } else { refused += 1 }
        }
    }
    Some((taken, refused, unread))
}

#[test]
fn ecdsa_signatures_are_exact() {
    let jwk = |group: &Value| {
        let point = hex(&group["publicKey"]["uncompressed"]);
        let text = |half: &[u8]| URL_SAFE_NO_PAD.encode(half);
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
    };
    let Some(counted) = signatures("ecdsa_secp256r1_sha256_p1363", Algorithm::ES256, jwk) else { return };
    assert_eq!(counted, (173, 89, 0));
}

#[test]
fn ed25519_signatures_are_exact() {
    let Some(counted) = signatures("ed25519", Algorithm::EdDSA, |group| group["publicKeyJwk"].clone()) else { return };
    assert_eq!(counted, (88, 63, 0));
}

#[test]
fn rsa_pkcs1_signatures_are_exact() {
    let Some(counted) = signatures("rsa_signature_2048_sha256", Algorithm::RS256, |group| group["keyJwk"].clone())
    else {
        return;
    };
    // Two keys have the exponent 3.
    assert_eq!(counted, (7, 250, 2));
}

#[test]
fn rsa_pss_signatures_are_exact() {
    let Some(counted) =
        signatures("rsa_pss_2048_sha256_mgf1_32", Algorithm::PS256, |group| group["publicKeyJwk"].clone())
    else {
        return;
    };
    assert_eq!(counted, (63, 45, 0));
}

#[test]
fn macs_are_exact_never_truncated_and_never_made_with_a_short_key() {
    let Some(file) = vectors("hmac_sha256") else { return };
    let (mut taken, mut refused, mut short) = (0, 0, 0);
    for group in array(&file, "testGroups") {
        for case in array(group, "tests") {
            let Ok(key) = VerifyingKey::from_secret("kid", &hex(&case["key"])) else {
                assert!(group["keySize"].as_u64().unwrap() < 256);
                short += 1;
                continue;
            };
            let good = key.verify_signature(&hex(&case["msg"]), &hex(&case["tag"]));
            assert_eq!(good, case["result"] == "valid" && group["tagSize"] == 256, "{}", case["tcId"]);
            if good { taken += 1 } else { refused += 1 }
        }
    }
    assert!(taken > 0 && refused > 0 && short > 0, "{taken} {refused} {short}");
}

/// What these files call valid and we refuse.
const REFUSED_THOUGH_VALID: [(&str, &str); 4] = [
    ("Figure20", "the file says `PS256` for the key and `PS384` for the token; a key has one algorithm"),
    ("Figure27", "P-521 is no curve of ours"),
    ("InvalidCharacterInsertedInHeader", "the character is no base64url, though the MAC covers it"),
    ("InvalidCharacterInsertedInPayload", "the character is no base64url, though the MAC covers it"),
];

/// What these files call invalid and we take, up to the signature.
const TAKEN_THOUGH_INVALID: [(&str, &str); 4] = [
    ("invalidBase64Padding", "the very bytes that the file calls `ValidMac`"),
    ("invalidBase64PaddingInPayload", "the same"),
    ("rejectsKeyWithRocaVulnerability", "a flaw of the issuer's key generator; ours are made by AWS-LC"),
    (
        "rejectsValid",
        "a secret beside public keys is safe where each key has its own algorithm; from a JWK Set it is refused",
    ),
];

/// The secrets of the files are not all in canonical base64url.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The keys of a group, each by its own kind: an `oct` of HS256 is a secret, the rest are read as JWKs.
fn key_set(group: &Value) -> KeySet {
    let material = if group["public"].is_null() { &group["private"] } else { &group["public"] };
    let listed = material["keys"].as_array().cloned().unwrap_or_else(|| vec![material.clone()]);
    let keys = listed.iter().filter_map(|jwk| {
        if jwk["kty"] == "oct" {
            let secret = LENIENT.decode(jwk["k"].as_str().unwrap()).ok().filter(|_| jwk["alg"] == "HS256")?;
            VerifyingKey::from_secret(jwk["kid"].as_str().unwrap(), &secret).ok()
        } else {
            let mut jwk = jwk.clone();
            jwk.as_object_mut().unwrap().remove("d");
            VerifyingKey::from_jwk(&jwk.to_string()).ok()
        }
    });
    KeySet::new(keys.collect())
}

/// Runs every case of a file of JWS and returns how many had a good signature.
///
/// None of them is an access token, hence all are refused; those whose form, key and signature are good are refused for
/// their `typ`, which is looked at next.
fn compact_forms(name: &str) -> Option<usize> {
    let ours = ["HS256", "ES256", "EdDSA", "RS256", "PS256"];
    let mut good = 0;
    for group in array(&vectors(name)?, "testGroups") {
        let verifier = Verifier::new(ISSUER, AUDIENCE, 0, key_set(group));
        for case in array(group, "tests") {
            let (comment, valid) = (case["comment"].as_str().unwrap(), case["result"] == "valid");
            let token = match (&case["jws"], &case["jwe"]) {
                (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
                (Value::Null, document) | (document, _) => document.to_string(),
            };
            let signed = match verifier.verify(&token, NOW) {
                Err(TokenError::Invalid(reason)) => reason == Reason::Header("typ"),
                other => panic!("{name} {}: {other:?}", case["tcId"]),
            };
            let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap_or_default();
            let algorithm = serde_json::from_slice(&header).map_or(Value::Null, |header: Value| header["alg"].clone());
            let expected = valid && ours.iter().any(|ours| algorithm == *ours) && case["jwe"].is_null();
            let listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == comment);
            let expected = (expected && !listed(&REFUSED_THOUGH_VALID)) || listed(&TAKEN_THOUGH_INVALID);
            assert_eq!(signed, expected, "{name} {} {comment}", case["tcId"]);
            good += usize::from(signed);
        }
    }
    Some(good)
}

#[test]
fn signed_documents_that_are_no_access_tokens_are_refused() {
    let Some(good) = compact_forms("json_web_signature") else { return };
    assert!(good >= 20, "{good}");
}

#[test]
fn mixed_and_encrypted_documents_are_refused() {
    let Some(good) = compact_forms("json_web_crypto") else { return };
    assert!(good >= 4, "{good}");
}

#[test]
fn keys_that_must_not_verify_do_not() {
    let Some(good) = compact_forms("json_web_key") else { return };
    assert!(good >= 3, "{good}");
}

#[test]
fn a_key_set_that_shows_a_secret_or_private_part_is_refused() {
    let Some(file) = vectors("json_web_key") else { return };
    let mut sets = 0;
    for group in array(&file, "testGroups") {
        assert_eq!(KeySet::from_jwks(&group["private"].to_string()), Err(KeyError::Private), "{}", group["comment"]);
        sets += 1;
    }
    assert!(sets > 20, "{sets}");
}

#[test]
fn the_examples_of_the_rfcs_have_the_signatures_and_thumbprints_that_they_say() {
    let Some(file) = shared_json("vectors/rfc_vectors.json") else { return };
    let (mut tokens, mut signatures, mut thumbprints) = (0, 0, 0);
    for vector in array(&file, "vectors") {
        let id = vector["id"].as_str().unwrap();
        let key = match vector["key"]["kty"].as_str() {
            Some("oct") => {
                let secret = URL_SAFE_NO_PAD.decode(vector["key"]["k"].as_str().unwrap()).unwrap();
                Some(VerifyingKey::from_secret("kid", &secret).unwrap())
            }
            Some(_) => {
                Some(public_key(vector["key"].clone(), vector["alg"].as_str().unwrap().parse().unwrap()).unwrap())
            }
            None => None,
        };
        if let Some(jws) = vector["jws"].as_str() {
            let verifier = Verifier::new(ISSUER, AUDIENCE, 0, KeySet::new(key.iter().cloned().collect()));
            assert!(verifier.verify(jws, NOW).is_err(), "{id}: none of them is an access token");
            tokens += 1;
            if vector["signature"] == "valid" {
                let (signed, signature) = jws.rsplit_once('.').unwrap();
                let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
                assert!(key.unwrap().verify_signature(signed.as_bytes(), &signature), "{id}");
                signatures += 1;
            }
        }
        if let Some(thumbprint) = vector["thumbprint_sha256"].as_str().or(vector["jkt"].as_str()) {
            let algorithm = match vector["jwk"]["kty"].as_str() {
                Some("RSA") => Algorithm::RS256,
                Some("EC") => Algorithm::ES256,
                _ => Algorithm::EdDSA,
            };
            let key = public_key(vector["jwk"].clone(), algorithm).unwrap();
            assert_eq!(key.thumbprint().as_deref(), Some(thumbprint), "{id}");
            thumbprints += 1;
        }
    }
    assert_eq!((tokens, signatures, thumbprints), (5, 3, 3));
}
