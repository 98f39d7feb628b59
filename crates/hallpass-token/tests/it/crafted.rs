//! Tokens made by hand, most of them signed with our own key, so that nothing but what a test names is wrong with them.
//! They need no data of others; the generator of forgeries tries the same and far more.

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_token::{Algorithm, KeySet, Reason, SigningKey, TokenError, Verifier};
use serde_json::{Value, json};

use crate::support::{NOW, Trap, claims, pem, spki, verifier};

/// A key that signs whatever it is given, and the verifier that knows it.
struct Hand {
    key: SigningKey,
    verifier: Verifier,
}

impl Hand {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        Self { verifier: verifier(&key), key }
    }

    /// The header of a token that is issued, with further members or with others in the place of its own; null takes
    /// one away.
    fn header(&self, members: Value) -> String {
        let mut header = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.key.kid() });
        let own = header.as_object_mut().unwrap();
        own.extend(members.as_object().unwrap().clone());
        own.retain(|_, value| !value.is_null());
        header.to_string()
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        compact(header, payload, |message| signature(&self.key, message))
    }

    fn answer(&self, token: &str) -> Result<(), Reason> {
        match self.verifier.verify(token, NOW) {
            Ok(_) => Ok(()),
            Err(TokenError::Invalid(reason)) => Err(reason),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A token of these texts (RFC 7515 section 7.1).
fn compact(header: &str, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(sign(message.as_bytes())))
}

fn signature(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    Ed25519KeyPair::from_pkcs8(&key.to_der()).unwrap().sign(message).as_ref().to_vec()
}

/// The claims of a token that is issued, as they are written.
fn payload() -> String {
    let token = SigningKey::generate(Algorithm::EdDSA).unwrap().sign(&claims()).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_token_made_by_hand_as_ours_are_is_taken() {
    let hand = Hand::new();
    let token = hand.sign(&hand.header(json!({})), &payload());
    assert_eq!(hand.verifier.verify(&token, NOW).as_deref(), Ok(&claims()));
}

#[test]
fn an_extension_that_changes_what_was_signed_or_what_it_means_is_refused() {
    let hand = Hand::new();
    for (members, named) in [
        (json!({ "crit": ["urn:example:unknown"], "urn:example:unknown": true }), "crit"),
        (json!({ "crit": ["exp"], "exp": NOW + 240 }), "crit"),
        (json!({ "crit": [] }), "crit"),
        (json!({ "crit": ["b64"], "b64": false }), "crit"),
        (json!({ "b64": false }), "b64"),
        (json!({ "b64": true }), "b64"),
        (json!({ "zip": "DEF" }), "zip"),
        (json!({ "cty": "JWT" }), "cty"),
    ] {
        let token = hand.sign(&hand.header(members.clone()), &payload());
        assert_eq!(hand.answer(&token), Err(Reason::Header(named)), "{members}");
    }
    // A payload that was signed as it is (RFC 7797).
    let header = hand.header(json!({ "crit": ["b64"], "b64": false }));
    let message = format!("{}.{{}}", URL_SAFE_NO_PAD.encode(header));
    let signed = URL_SAFE_NO_PAD.encode(signature(&hand.key, message.as_bytes()));
    assert_eq!(hand.answer(&format!("{message}.{signed}")), Err(Reason::Malformed));
}

#[test]
fn a_key_in_the_header_or_at_an_address_in_it_is_neither_used_nor_fetched() {
    let (hand, trap, thief) = (Hand::new(), Trap::set(), SigningKey::generate(Algorithm::EdDSA).unwrap());
    let jwks: Value = serde_json::from_str(&KeySet::new(vec![thief.verifying_key()]).to_jwks()).unwrap();
    let certificate = spki(&thief).map(|der| pem("CERTIFICATE", &der));
    for bait in [
        json!({ "jwk": jwks["keys"][0] }),
        json!({ "jku": trap.url() }),
        json!({ "x5u": trap.url() }),
        json!({ "x5c": [certificate] }),
        json!({ "jwk": jwks["keys"][0], "jku": trap.url(), "jwks_uri": trap.url(), "iss": trap.url() }),
    ] {
        for (kid, refused) in [
            (json!(hand.key.kid()), Reason::Signature),
            (json!(thief.kid()), Reason::UnknownKey),
            (json!(trap.url()), Reason::UnknownKey),
            (Value::Null, Reason::Header("kid")),
        ] {
            let mut members = bait.clone();
            members["kid"] = kid;
            let token = compact(&hand.header(members), &payload(), |message| signature(&thief, message));
            assert_eq!(hand.answer(&token), Err(refused), "{bait}");
        }
        let ours = hand.sign(&hand.header(bait.clone()), &payload());
        assert_eq!(hand.answer(&ours), Ok(()), "with our own signature it is not read: {bait}");
    }
    trap.assert_untouched();
}

#[test]
fn a_token_without_a_signature_is_refused_however_it_writes_none() {
    let hand = Hand::new();
    for none in ["none", "None", "NONE", "nOnE", "", " none", "none\0"] {
        let header = hand.header(json!({ "alg": none }));
        let (bare, signed) = (compact(&header, &payload(), |_| Vec::new()), hand.sign(&header, &payload()));
        assert_eq!(hand.answer(&bare), Err(Reason::Algorithm), "{none:?}");
        assert_eq!(hand.answer(&signed), Err(Reason::Algorithm), "{none:?}");
    }
    for no_text in [Value::Null, json!(["EdDSA"]), json!(0)] {
        let token = hand.sign(&hand.header(json!({ "alg": no_text })), &payload());
        assert_eq!(hand.answer(&token), Err(Reason::Header("alg")));
    }
    assert_eq!(hand.answer(&compact(&hand.header(json!({})), &payload(), |_| Vec::new())), Err(Reason::Signature));
}

#[test]
fn the_public_key_is_no_hmac_secret_in_any_form_that_it_is_published_in() {
    let hand = Hand::new();
    let der = spki(&hand.key).unwrap();
    let (text, jwks) = (pem("PUBLIC KEY", &der), KeySet::new(vec![hand.key.verifying_key()]).to_jwks());
    let jwk = serde_json::from_str::<Value>(&jwks).unwrap()["keys"][0].clone();
    let point = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let forms = [
        text.trim_end().as_bytes(),
        text.as_bytes(),
        jwks.as_bytes(),
        &jwk.to_string().into_bytes(),
        &point,
        &der,
        b"",
    ]
    .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret));
    for secret in &forms {
        for (algorithm, refused) in [("HS256", Reason::Algorithm), ("EdDSA", Reason::Signature)] {
            let header = hand.header(json!({ "alg": algorithm }));
            let token = compact(&header, &payload(), |message| hmac::sign(secret, message).as_ref().to_vec());
            assert_eq!(hand.answer(&token), Err(refused));
        }
    }
}

#[test]
fn a_token_of_more_or_fewer_than_three_parts_is_refused() {
    let hand = Hand::new();
    let token = hand.sign(&hand.header(json!({})), &payload());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{token}") };
    for other in [
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        // A JWE has five (RFC 7516 section 3.1).
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!("{header}..{payload}..{signature}"),
    ] {
        assert_eq!(hand.answer(&other), Err(Reason::Malformed), "{other}");
    }
    assert_eq!(hand.answer(&token), Ok(()));
}

#[test]
fn a_name_that_comes_twice_is_refused_though_we_signed_it() {
    let hand = Hand::new();
    let (header, payload) = (hand.header(json!({})), payload());
    let twice = |object: &str, member: &str| format!("{{{member},{}", object.strip_prefix('{').unwrap());
    for member in [r#""sub":"1""#, r#""sub":"7""#, r#""s\u0075b":"1""#, r#""exp":1"#, r#""x":{"y":1,"y":1}"#] {
        assert_eq!(hand.answer(&hand.sign(&header, &twice(&payload, member))), Err(Reason::Malformed), "{member}");
    }
    for member in [r#""alg":"none""#, r#""alg":"EdDSA""#, r#""k\u0069d":"x""#] {
        assert_eq!(hand.answer(&hand.sign(&twice(&header, member), &payload)), Err(Reason::Malformed), "{member}");
    }
    assert_eq!(hand.answer(&hand.sign(&header, &twice(&payload, r#""once":1"#))), Ok(()));
}

#[test]
fn what_was_signed_for_another_purpose_is_no_access_token() {
    let hand = Hand::new();
    for typ in ["JWT", "id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "rt+jwt", "at+jwt ", "application/jwt", ""] {
        let token = hand.sign(&hand.header(json!({ "typ": typ })), &payload());
        assert_eq!(hand.answer(&token), Err(Reason::Header("typ")), "{typ:?}");
    }
    let untyped = hand.sign(&hand.header(json!({ "typ": null })), &payload());
    assert_eq!(hand.answer(&untyped), Err(Reason::Header("typ")));
}
