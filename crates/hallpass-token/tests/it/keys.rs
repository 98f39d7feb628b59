//! Keys: made, stored, read back, and published without what must stay here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_token::{Algorithm, KeyError, KeySet, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use crate::support::{NOW, claims, verifier};

#[test]
fn a_key_of_every_algorithm_is_read_back_and_signs_what_it_verified_before() {
    for algorithm in Algorithm::ALL {
        let made = SigningKey::generate(algorithm).unwrap();
        let read = SigningKey::from_der(algorithm, made.kid(), &made.to_der()).unwrap();
        assert_eq!((read.algorithm(), read.kid()), (algorithm, made.kid()));
        assert_eq!(read.verifying_key(), made.verifying_key());
        let token = read.sign(&claims()).unwrap();
        assert_eq!(*verifier(&made).verify(&token, NOW).unwrap(), claims(), "{algorithm}");
    }
}

#[test]
fn a_pair_is_named_by_its_thumbprint_and_a_secret_is_not() {
    let pair = SigningKey::generate(Algorithm::ES256).unwrap();
    assert_eq!(Some(pair.kid()), pair.verifying_key().thumbprint().as_deref());
    let secret = SigningKey::generate(Algorithm::HS256).unwrap();
    assert_eq!(secret.verifying_key().thumbprint(), None);
    assert_ne!(secret.kid(), SigningKey::generate(Algorithm::HS256).unwrap().kid());
}

#[test]
fn no_private_or_secret_part_is_published() {
    let keys: Vec<SigningKey> = Algorithm::ALL.into_iter().map(|one| SigningKey::generate(one).unwrap()).collect();
    let set = KeySet::new(keys.iter().map(SigningKey::verifying_key).collect());
    let document: Value = serde_json::from_str(&set.to_jwks()).unwrap();
    let published = document["keys"].as_array().unwrap();
    assert_eq!(published.len(), 4, "the secret is left out");
    for jwk in published {
        let members: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match jwk["kty"].as_str().unwrap() {
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            "OKP" => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        assert_eq!(members, expected);
    }
}

#[test]
fn a_published_set_is_read_back_as_it_was() {
    let keys = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256].map(|one| SigningKey::generate(one).unwrap());
    let set = KeySet::new(keys.iter().map(SigningKey::verifying_key).collect());
    assert_eq!(KeySet::from_jwks(&set.to_jwks()).unwrap(), set);
}

#[test]
fn a_short_secret_and_a_short_rsa_key_are_refused() {
    assert_eq!(
        SigningKey::from_der(Algorithm::HS256, "kid", &[7; 31]).unwrap_err(),
        KeyError::TooShort { bits: 248, floor: 256 }
    );
    let short = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = aws_lc_rs::encoding::AsDer::as_der(&short).unwrap();
    assert_eq!(
        SigningKey::from_der(Algorithm::RS256, "kid", der.as_ref()).unwrap_err(),
        KeyError::TooShort { bits: 2048, floor: 3072 }
    );
}

#[test]
fn an_rsa_key_from_elsewhere_has_2048_to_8192_bits_and_no_leading_zeros() {
    let with = |n: &[u8]| {
        let jwk = json!({ "kty": "RSA", "alg": "RS256", "kid": "kid", "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB" });
        VerifyingKey::from_jwk(&jwk.to_string()).map(|key| key.algorithm())
    };
    assert_eq!(with(&[0xff; 256]), Ok(Algorithm::RS256));
    assert_eq!(with(&[0xff; 1_024]), Ok(Algorithm::RS256));
    assert_eq!(with(&[0xff; 128]), Err(KeyError::TooShort { bits: 1_024, floor: 2_048 }));
    assert_eq!(
        with(&[[0x7f].as_slice(), &[0xff; 255]].concat()),
        Err(KeyError::TooShort { bits: 2_047, floor: 2_048 })
    );
    assert_eq!(with(&[0xff; 1_025]), Err(KeyError::Unusable));
    assert_eq!(with(&[[0].as_slice(), &[0xff; 256]].concat()), Err(KeyError::Unusable));
    assert_eq!(with(&[]), Err(KeyError::Unusable));
}

#[test]
fn a_key_of_another_algorithm_is_refused() {
    let pair = SigningKey::generate(Algorithm::ES256).unwrap().to_der();
    for other in [Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256] {
        assert_eq!(SigningKey::from_der(other, "kid", &pair).unwrap_err(), KeyError::Unusable);
    }
    assert_eq!(SigningKey::from_der(Algorithm::ES256, "kid", b"").unwrap_err(), KeyError::Unusable);
}

#[test]
fn a_key_that_cannot_verify_tokens_is_passed_over_and_the_others_stay() {
    let good = SigningKey::generate(Algorithm::ES256).unwrap();
    let mut document: Value = serde_json::from_str(&KeySet::new(vec![good.verifying_key()]).to_jwks()).unwrap();
    let jwk = document["keys"][0].clone();
    let with = |name: &str, value: Value| {
        let mut changed = jwk.clone();
        changed["kid"] = "other".into();
        changed[name] = value;
        changed
    };
    for unusable in [
        with("kid", Value::Null),
        with("use", "enc".into()),
        with("key_ops", json!(["sign"])),
        with("alg", "RS256".into()),
        with("alg", "ES384".into()),
        with("alg", 1.into()),
        with("crv", "P-384".into()),
        with("kty", "OKP".into()),
        with("x", jwk["y"].clone()),
        with("x", "".into()),
        with("kty", "AKP".into()),
    ] {
        assert!(VerifyingKey::from_jwk(&unusable.to_string()).is_err(), "{unusable}");
        document["keys"].as_array_mut().unwrap().push(unusable);
    }
    let set = KeySet::from_jwks(&document.to_string()).unwrap();
    assert_eq!(set.iter().map(VerifyingKey::kid).collect::<Vec<_>>(), [good.kid()]);
}

#[test]
fn what_is_no_key_set_is_refused() {
    for document in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#, "{\"keys\":[]} x"]
    {
        assert_eq!(KeySet::from_jwks(document), Err(KeyError::NotAKeySet), "{document}");
    }
}

#[test]
fn a_name_that_two_different_keys_share_selects_neither() {
    let key = |secret: u8| VerifyingKey::from_secret("shared", &[secret; 32]).unwrap();
    let alone = VerifyingKey::from_secret("alone", &[1; 32]).unwrap();
    let set = KeySet::new(vec![key(1), alone.clone(), key(2), key(1)]);
    assert_eq!(set, KeySet::new(vec![alone]));
    assert_eq!(KeySet::new(vec![key(1), key(1)]).len(), 1, "the same key twice is one key");
}

#[test]
fn nothing_secret_is_printed() {
    let key = SigningKey::from_der(Algorithm::HS256, "kid", b"a secret that nobody should read").unwrap();
    let printed = format!("{key:?} {:?} {:?}", key.verifying_key(), KeySet::new(vec![key.verifying_key()]));
    assert!(!printed.contains("97") && !printed.contains("secret"), "{printed}");
    assert!(printed.contains("kid") && printed.contains("HS256"));
}
