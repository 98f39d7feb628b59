//! What is issued: the form of a token, its claims, and the ids in it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_token::{
    AccountId, Algorithm, Claims, MAX_LIFETIME, Reason, SessionId, SignError, SigningKey, TokenError,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, claims, verifier};

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

#[test]
fn a_token_says_what_rfc_9068_asks_for_and_nothing_of_the_person() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let (header, payload) = parts(&key.sign(&claims()).unwrap());
    assert_eq!(header, json!({ "typ": "at+jwt", "alg": "ES256", "kid": key.kid() }));
    let expected = json!({
        "iss": "https://id.example", "sub": "7", "aud": "https://api.example", "client_id": "hallpass",
        "exp": NOW + 240, "iat": NOW - 60, "jti": "7bD0kC6y0W1m", "sid": "0198c0de-7a11-7000-8000-00000000002a",
        "auth_time": NOW - 600, "amr": ["pwd"], "roles": ["support"], "account_version": 3,
    });
    assert_eq!(payload, expected);
}

#[test]
fn further_claims_and_several_audiences_come_back_as_they_went() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let mut claims = claims();
    claims.nbf = Some(NOW - 60);
    claims.aud.push("https://other.example".into());
    claims.extra.insert("plan".into(), json!({ "name": "large", "seats": 12 }));
    let token = key.sign(&claims).unwrap();
    assert_eq!(parts(&token).1["aud"], json!(["https://api.example", "https://other.example"]));
    assert_eq!(*verifier(&key).verify(&token, NOW).unwrap(), claims);
}

#[test]
fn a_token_that_no_verifier_would_take_is_not_issued() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let iat = claims().iat;
    let refused = |claims: Claims| key.sign(&claims).unwrap_err();
    assert_eq!(refused(Claims { exp: iat + MAX_LIFETIME + 1, ..claims() }), SignError::Refused(Reason::Claim("exp")));
    assert_eq!(refused(Claims { exp: iat - 1, ..claims() }), SignError::Refused(Reason::Claim("exp")));
    assert_eq!(refused(Claims { iat: i64::MIN, ..claims() }), SignError::Refused(Reason::Claim("iat")));
    assert_eq!(refused(Claims { sub: AccountId(-7), ..claims() }), SignError::Refused(Reason::Claim("sub")));
    assert_eq!(refused(Claims { sid: SessionId(Uuid::nil()), ..claims() }), SignError::Refused(Reason::Claim("sid")));
    for name in ["sub", "roles", "cnf"] {
        let mut claims = claims();
        claims.extra.insert(name.into(), json!("8"));
        assert_eq!(key.sign(&claims).unwrap_err(), SignError::Reserved(name.into()));
    }
    assert!(matches!(refused(Claims { jti: "j".repeat(4_000), ..claims() }), SignError::TooLong(5_000..)));
    assert!(key.sign(&Claims { exp: iat + MAX_LIFETIME, ..claims() }).is_ok());
}

#[test]
fn an_id_has_one_spelling() {
    assert_eq!("7".parse(), Ok(AccountId(7)));
    assert_eq!(i64::MAX.to_string().parse(), Ok(AccountId(i64::MAX)));
    for text in ["", "0", "007", "+7", "-7", "7 ", " 7", "7.0", "0x7", "٧", "9223372036854775808"] {
        assert!(text.parse::<AccountId>().is_err(), "{text}");
    }
    let session = "0198c0de-7a11-7000-8000-00000000002a";
    assert_eq!(session.parse::<SessionId>().unwrap().to_string(), session);
    for text in [
        "0198C0DE-7A11-7000-8000-00000000002A",
        "0198c0de7a1170008000000000000002a",
        "0198c0de7a11700080000000000002a0",
        "{0198c0de-7a11-7000-8000-00000000002a}",
        "urn:uuid:0198c0de-7a11-7000-8000-00000000002a",
        "0198c0de-7a11-4000-8000-00000000002a",
        "00000000-0000-0000-0000-000000000000",
        "",
    ] {
        assert!(text.parse::<SessionId>().is_err(), "{text}");
    }
}

#[test]
fn ids_in_json_are_a_number_and_a_string() {
    let session = claims().sid;
    assert_eq!(serde_json::to_value((AccountId(7), session)).unwrap(), json!([7, session.to_string()]));
    assert_eq!(
        serde_json::from_value::<(AccountId, SessionId)>(json!([7, session.to_string()])).unwrap(),
        (AccountId(7), session)
    );
    assert!(serde_json::from_value::<AccountId>(json!("7")).is_err());
    assert!(serde_json::from_value::<SessionId>(json!(session.to_string().to_uppercase())).is_err());
}

#[test]
fn algorithms_go_by_exactly_their_names() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
    }
    for name in ["es256", "ES256 ", "none", "", "Ed25519", "HS512"] {
        assert!(name.parse::<Algorithm>().is_err(), "{name}");
    }
}

#[test]
fn what_is_signed_as_something_else_is_no_access_token_whatever_it_says() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let (_, payload) = parts(&key.sign(&claims()).unwrap());
        let other = key.sign_other("statuslist+jwt", payload.as_object().unwrap()).unwrap();
        let header = json!({ "typ": "statuslist+jwt", "alg": algorithm.as_str(), "kid": key.kid() });
        assert_eq!(parts(&other), (header, payload.clone()));
        assert_eq!(verifier(&key).verify(&other, NOW), Err(TokenError::Invalid(Reason::Header("typ"))));
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            let refused = key.sign_other(typ, payload.as_object().unwrap());
            assert_eq!(refused, Err(SignError::Refused(Reason::Header("typ"))), "{typ}");
        }
    }
}
