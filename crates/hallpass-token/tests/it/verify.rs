//! The verifier: times, names, and that remembering a token never makes a bad one good.

use hallpass_token::{Algorithm, Claims, Effect, KeySet, Reason, Revocation, SigningKey, TokenError, Verifier};

use crate::support::{AUDIENCE, ISSUER, LEEWAY, NOW, claims, verifier};

const FOREVER: i64 = i64::MAX;

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn end_session(verifier: &Verifier) {
    verifier.revoked().apply(&Revocation::Session { session: claims().sid, forget_at: FOREVER });
}

#[test]
fn a_token_is_good_until_exp_plus_the_leeway() {
    let key = key();
    let (verifier, token, exp) = (verifier(&key), key.sign(&claims()).unwrap(), claims().exp);
    assert_eq!(verifier.verify(&token, exp + LEEWAY - 1).as_deref(), Ok(&claims()));
    assert_eq!(verifier.verify(&token, exp + LEEWAY), Err(TokenError::Expired));
    assert_eq!(verifier.verify(&token, i64::MAX), Err(TokenError::Expired));
}

#[test]
fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    let key = key();
    let verifier = verifier(&key);
    let far = NOW + LEEWAY + 1;
    let ahead = [
        ("iat", Claims { iat: far, exp: far + 60, ..claims() }),
        ("nbf", Claims { nbf: Some(far), ..claims() }),
        ("auth_time", Claims { auth_time: far, ..claims() }),
    ];
    for (name, claims) in ahead {
        let token = key.sign(&claims).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Invalid(Reason::NotYet(name))));
        assert!(verifier.verify(&token, NOW + 1).is_ok(), "{name}: within the leeway");
    }
}

#[test]
fn a_leeway_beyond_a_minute_or_below_nothing_is_not_had() {
    let key = key();
    let (token, exp) = (key.sign(&claims()).unwrap(), claims().exp);
    let with = |leeway| Verifier::new(ISSUER, AUDIENCE, leeway, KeySet::new(vec![key.verifying_key()]));
    assert!(with(3_600).verify(&token, exp + 59).is_ok());
    assert_eq!(with(3_600).verify(&token, exp + 60), Err(TokenError::Expired));
    assert!(with(-3_600).verify(&token, exp - 1).is_ok());
    assert_eq!(with(-3_600).verify(&token, exp), Err(TokenError::Expired));
}

#[test]
fn a_token_for_another_or_from_another_is_refused_however_old_it_is() {
    let key = key();
    let (verifier, late) = (verifier(&key), claims().exp + 3_600);
    let other_audience = key.sign(&Claims { aud: vec!["https://api.example/".into()], ..claims() }).unwrap();
    assert_eq!(verifier.verify(&other_audience, late), Err(TokenError::Invalid(Reason::Claim("aud"))));
    let other_issuer = key.sign(&Claims { iss: "https://ID.example".into(), ..claims() }).unwrap();
    assert_eq!(verifier.verify(&other_issuer, late), Err(TokenError::Invalid(Reason::Claim("iss"))));
}

#[test]
fn nothing_is_said_of_the_time_of_a_token_that_we_did_not_sign() {
    let (ours, theirs) = (key(), key());
    let late = claims().exp + 3_600;
    let unknown = theirs.sign(&claims()).unwrap();
    assert_eq!(verifier(&ours).verify(&unknown, late), Err(TokenError::Invalid(Reason::UnknownKey)));
    let renamed = SigningKey::from_der(Algorithm::ES256, ours.kid(), &theirs.to_der()).unwrap();
    let forged = renamed.sign(&claims()).unwrap();
    assert_eq!(verifier(&ours).verify(&forged, late), Err(TokenError::Invalid(Reason::Signature)));
}

#[test]
fn a_token_signed_with_the_public_key_as_hmac_secret_is_refused() {
    let key = key();
    let published = KeySet::new(vec![key.verifying_key()]).to_jwks();
    let confused = SigningKey::from_der(Algorithm::HS256, key.kid(), published.as_bytes()).unwrap();
    let token = confused.sign(&claims()).unwrap();
    assert_eq!(verifier(&key).verify(&token, NOW), Err(TokenError::Invalid(Reason::Algorithm)));
}

#[test]
fn one_rsa_key_does_not_verify_the_other_padding() {
    let pkcs1 = SigningKey::generate(Algorithm::RS256).unwrap();
    let pss = SigningKey::from_der(Algorithm::PS256, pkcs1.kid(), &pkcs1.to_der()).unwrap();
    let token = pss.sign(&claims()).unwrap();
    assert_eq!(verifier(&pkcs1).verify(&token, NOW), Err(TokenError::Invalid(Reason::Algorithm)));
    assert!(verifier(&pss).verify(&token, NOW).is_ok());
}

#[test]
fn a_token_over_the_limit_is_refused_unread() {
    let verifier = verifier(&key());
    assert_eq!(verifier.verify(&".".repeat(8_193), NOW), Err(TokenError::Invalid(Reason::TooLong)));
    assert_eq!(verifier.verify(&".".repeat(8_192), NOW), Err(TokenError::Invalid(Reason::Malformed)));
}

#[test]
fn a_remembered_token_is_refused_once_it_has_expired() {
    let key = key();
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    assert!(verifier.verify(&token, NOW).is_ok());
    assert_eq!(verifier.verify(&token, claims().exp + LEEWAY), Err(TokenError::Expired));
    assert!(verifier.verify(&token, NOW).is_ok(), "a clock that is set back finds it as it was");
}

#[test]
fn a_remembered_token_is_refused_once_its_session_ends() {
    let key = key();
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    assert!(verifier.verify(&token, NOW).is_ok());
    end_session(&verifier);
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Ended));
}

#[test]
fn a_remembered_token_is_refused_once_its_account_has_changed() {
    let key = key();
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    assert!(verifier.verify(&token, NOW).is_ok());
    let Claims { sub: account, account_version, .. } = claims();
    verifier.revoked().apply(&Revocation::Account { account, below_version: account_version + 1, forget_at: FOREVER });
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Stale));
    let newer = key.sign(&Claims { account_version: account_version + 1, ..claims() }).unwrap();
    assert!(verifier.verify(&newer, NOW).is_ok());
    end_session(&verifier);
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Ended), "the end outweighs");
}

#[test]
fn a_remembered_token_is_refused_once_its_key_is_gone() {
    let (old, new) = (key(), key());
    let (verifier, token) = (verifier(&old), old.sign(&claims()).unwrap());
    let clone = verifier.clone();
    assert!(verifier.verify(&token, NOW).is_ok());
    clone.set_keys(KeySet::new(vec![old.verifying_key(), new.verifying_key()]));
    assert!(verifier.verify(&token, NOW).is_ok());
    clone.set_keys(KeySet::new(vec![new.verifying_key()]));
    assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Invalid(Reason::UnknownKey)));
    assert!(verifier.verify(&new.sign(&claims()).unwrap(), NOW).is_ok(), "the clone's keys are this one's");
}

#[test]
fn a_remembered_token_does_not_vouch_for_one_with_another_signature() {
    let key = key();
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    assert!(verifier.verify(&token, NOW).is_ok());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let other = key.sign(&Claims { jti: "another".into(), ..claims() }).unwrap();
    let mixed = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(verifier.verify(&mixed, NOW), Err(TokenError::Invalid(Reason::Signature)));
}

#[test]
fn whose_token_it_was_can_be_asked_when_it_is_over_but_not_when_it_is_forged() {
    let (ours, theirs) = (key(), key());
    let verifier = verifier(&ours);
    let token = ours.sign(&claims()).unwrap();
    end_session(&verifier);
    assert_eq!(verifier.verify(&token, claims().exp + 3_600), Err(TokenError::Expired));
    assert_eq!(verifier.identify(&token).as_deref(), Ok(&claims()));
    let forged = theirs.sign(&claims()).unwrap();
    assert_eq!(verifier.identify(&forged), Err(TokenError::Invalid(Reason::UnknownKey)));
    assert_eq!(verifier.revoked().check(&claims()), Some(Effect::Ended));
}

#[test]
fn every_refusal_has_its_code() {
    let codes = [
        (TokenError::Missing, "token_missing"),
        (TokenError::Invalid(Reason::Malformed), "token_invalid"),
        (TokenError::Expired, "token_expired"),
        (TokenError::Stale, "token_stale"),
        (TokenError::Ended, "session_ended"),
    ];
    for (error, code) in codes {
        assert_eq!(error.code(), code);
    }
}
