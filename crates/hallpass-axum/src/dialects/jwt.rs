//! JSON Web Tokens as Django's packages make and read them (PyJWT): signed by a secret that the Django project has too,
//! without the name of a key, and with claims of the dialect's own.
//!
//! They are apart from our own access tokens by their key: nothing that verifies those ever sees this secret.

use aws_lc_rs::{
    hmac, rand,
    signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use axum::http::HeaderValue;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64URL},
};
use hallpass_core::Error;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use uuid::{Builder, Uuid};

/// Bytes of the longest token that is read.
const LONGEST: usize = 8 * 1024;

/// Bytes of the shortest secret that is taken: what Django itself warns below of (`security.W009`).
const SHORTEST: usize = 50;

/// What signs and verifies the tokens of a dialect.
pub(super) struct Secret {
    key: Key,
    text: SecretString,
}

/// RFC 7518 sections 3.2 and 3.3.
enum Key {
    Hmac(&'static str, Box<hmac::Key>),
    Rsa(Box<RsaKeyPair>),
}

/// Why a token is not taken, as far as the packages tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is no token, or its signature is wrong.
    Decoding,
    /// It is one of ours and not to be taken: another algorithm, not good yet, for somebody else.
    Invalid,
    /// It was good.
    Expired,
}

/// Whom the tokens are from and for, where the project says so, and the difference of clocks that is forgiven.
#[derive(Default)]
pub(super) struct Names {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) leeway: i64,
    /// Whether a token may name an audience although none is asked for.
    pub(super) any_audience: bool,
}

impl Key {
    /// The private key in PKCS #8 (RFC 5958) or PKCS #1 (RFC 8017 appendix A.1.2).
    fn rs256(pem: &str) -> Result<Self, &'static str> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).map_err(|_| "is no PEM file")?;
        let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
        Ok(Self::Rsa(Box::new(pair.map_err(|_| "has no RSA key that can be used")?)))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(name, _) => name,
            Self::Rsa(..) => "RS256",
        }
    }

    fn tag(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hmac(_, key) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // It fails for a key that does not fit itself, which was refused when it was read.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &rand::SystemRandom::new(), message, &mut signature);
                signed.map_or(Vec::new(), |()| signature)
            }
        }
    }

    fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        match self {
            Self::Hmac(_, key) => hmac::verify(key, message, tag).is_ok(),
            Self::Rsa(pair) => {
                let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
                public.verify(message, tag).is_ok()
            }
        }
    }
}

impl Secret {
    /// Reads it from the file that the setting `name` names: a text, or for `RS256` an RSA key in PEM.
    ///
    /// # Errors
    /// One sentence that says what to do; it never repeats the secret.
    pub(super) fn read(name: &str, file: &str, algorithm: &str) -> Result<Self, String> {
        if file.is_empty() {
            return Err(format!(
                "`{name}` is not set: write the secret of the Django project into a file and name the file here"
            ));
        }
        let wrong = |what: &str| format!("`{name}`: `{file}` {what}");
        let text = std::fs::read_to_string(file).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let text = SecretString::from(text.trim_end_matches(['\n', '\r']));
        let secret = text.expose_secret();
        if secret.len() < SHORTEST {
            return Err(wrong(&format!(
                "has fewer than {SHORTEST} characters, and whoever guesses them signs in as anybody: give the Django \
                 project a longer secret"
            )));
        }
        let key = match algorithm {
            "HS256" => Key::Hmac("HS256", Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))),
            "HS512" => Key::Hmac("HS512", Box::new(hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()))),
            "RS256" => Key::rs256(secret).map_err(wrong)?,
            other => return Err(format!("`dialects.algorithm` must be `HS256`, `HS512` or `RS256`, and is `{other}`")),
        };
        Ok(Self { key, text })
    }

    /// What is in the file: Django signs other things by it as well.
    pub(super) fn text(&self) -> &SecretString {
        &self.text
    }

    /// A token of these claims.
    pub(super) fn sign(&self, claims: &Map<String, Value>) -> String {
        let part = |json: &Value| BASE64URL.encode(json.to_string());
        let claims = Value::Object(claims.clone());
        let mut token = format!("{}.{}", part(&json!({ "alg": self.key.algorithm(), "typ": "JWT" })), part(&claims));
        let tag = self.key.tag(token.as_bytes());
        token.push('.');
        BASE64URL.encode_string(tag, &mut token);
        token
    }

    /// The claims of a token that is good at `now`, looked at in the order in which PyJWT does.
    pub(super) fn open(&self, token: &str, names: &Names, now: i64) -> Result<Map<String, Value>, Flaw> {
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| Flaw::Decoding);
        let object = |bytes: &[u8]| match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(members),
            _ => Err(Flaw::Decoding),
        };
        if token.len() > LONGEST {
            return Err(Flaw::Decoding);
        }
        let (signed, tag) = token.rsplit_once('.').ok_or(Flaw::Decoding)?;
        let (header, payload) = signed.split_once('.').filter(|(_, rest)| !rest.contains('.')).ok_or(Flaw::Decoding)?;
        let (header, payload, tag) = (object(&decode(header)?)?, decode(payload)?, decode(tag)?);
        // `crit` changes what a token means, and the algorithm is ours to choose.
        if header.contains_key("crit") || header.get("alg") != Some(&json!(self.key.algorithm())) {
            return Err(Flaw::Invalid);
        }
        if !self.key.verifies(signed.as_bytes(), &tag) {
            return Err(Flaw::Decoding);
        }
        let claims = object(&payload)?;
        check(&claims, names, now)?;
        Ok(claims)
    }
}

fn check(claims: &Map<String, Value>, names: &Names, now: i64) -> Result<(), Flaw> {
    let latest = now + names.leeway;
    for name in ["iat", "nbf"] {
        match claims.get(name).map(moment) {
            None => {}
            Some(Some(moment)) if moment <= latest => {}
            // `iat` that is no number is invalid, `nbf` cannot be decoded.
            Some(None) if name == "nbf" => return Err(Flaw::Decoding),
            Some(_) => return Err(Flaw::Invalid),
        }
    }
    match claims.get("exp").map(moment) {
        None => {}
        Some(None) => return Err(Flaw::Decoding),
        Some(Some(moment)) if moment <= now - names.leeway => return Err(Flaw::Expired),
        Some(Some(_)) => {}
    }
    let is = |claim: &Value, name: &String| claim.as_str() == Some(name.as_str());
    let from_us = names.issuer.as_ref().is_none_or(|issuer| claims.get("iss").is_some_and(|iss| is(iss, issuer)));
    let for_us = match (&names.audience, claims.get("aud")) {
        (Some(name), Some(Value::Array(all))) => all.iter().any(|one| is(one, name)),
        (Some(name), Some(one)) => is(one, name),
        (None, None) => true,
        (None, Some(_)) => names.any_audience,
        // Whoever names nobody is not meant by a token that names somebody.
        _ => false,
    };
    let texts = ["sub", "jti"].into_iter().all(|name| claims.get(name).is_none_or(Value::is_string));
    if from_us && for_us && texts { Ok(()) } else { Err(Flaw::Invalid) }
}

/// A moment in whole seconds; a fraction is cut off.
fn moment(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// A name for one token: a random UUID (RFC 9562 section 5.4).
pub(super) fn new_jti() -> Result<Uuid, Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Error::internal("there is no randomness"))?;
    Ok(Builder::from_random_bytes(bytes).into_uuid())
}

/// The token in an `Authorization` header of the scheme `prefix`, in whatever letter case, with one blank between.
pub(super) fn after_prefix<'h>(value: &'h HeaderValue, prefix: &str) -> Option<&'h [u8]> {
    let mut words = value.as_bytes().split(|byte| *byte == b' ');
    let (scheme, token) = (words.next()?, words.next()?);
    let alone = words.next().is_none() && !token.is_empty();
    (alone && scheme.eq_ignore_ascii_case(prefix.as_bytes())).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hs256(secret: &str) -> Secret {
        let key = Key::Hmac("HS256", Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())));
        Secret { key, text: secret.into() }
    }

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn open(given: Value, names: &Names) -> Result<(), Flaw> {
        let secret = hs256("a secret of the project");
        secret.open(&secret.sign(&claims(given)), names, 1000).map(drop)
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_not_before_it_begins() {
        let names = Names::default();
        assert_eq!(open(json!({ "username": "ada" }), &names), Ok(()));
        assert_eq!(open(json!({ "exp": 1001, "iat": 1000, "nbf": 1000 }), &names), Ok(()));
        assert_eq!(open(json!({ "exp": 1000 }), &names), Err(Flaw::Expired));
        assert_eq!(open(json!({ "exp": 1000.9 }), &names), Err(Flaw::Expired));
        assert_eq!(open(json!({ "exp": "1001" }), &names), Err(Flaw::Decoding));
        assert_eq!(open(json!({ "iat": 1001 }), &names), Err(Flaw::Invalid));
        assert_eq!(open(json!({ "iat": "x" }), &names), Err(Flaw::Invalid));
        assert_eq!(open(json!({ "nbf": 1001 }), &names), Err(Flaw::Invalid));
        assert_eq!(open(json!({ "jti": 5 }), &names), Err(Flaw::Invalid));
        let forgiving = Names { leeway: 10, ..Names::default() };
        assert_eq!(open(json!({ "exp": 991, "iat": 1010 }), &forgiving), Ok(()));
        assert_eq!(open(json!({ "exp": 990 }), &forgiving), Err(Flaw::Expired));
    }

    #[test]
    fn a_token_is_from_and_for_whom_the_project_says() {
        let names = Names { issuer: Some("us".into()), audience: Some("you".into()), ..Names::default() };
        assert_eq!(open(json!({ "iss": "us", "aud": "you" }), &names), Ok(()));
        assert_eq!(open(json!({ "iss": "us", "aud": ["x", "you"] }), &names), Ok(()));
        for other in [json!({ "aud": "you" }), json!({ "iss": "us" }), json!({ "iss": "us", "aud": ["x"] }), json!({})]
        {
            assert_eq!(open(other.clone(), &names), Err(Flaw::Invalid), "{other}");
        }
        assert_eq!(open(json!({ "aud": "you" }), &Names::default()), Err(Flaw::Invalid));
    }

    #[test]
    fn what_this_secret_did_not_sign_is_not_taken() {
        let (ours, other) = (hs256("ours"), hs256("another"));
        let token = ours.sign(&claims(json!({ "username": "ada" })));
        assert_eq!(other.open(&token, &Names::default(), 0), Err(Flaw::Decoding));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let payload = signed.split_once('.').unwrap().1;
        let none = BASE64URL.encode(r#"{"alg":"none"}"#);
        for forged in ["", "a.b", "a.b.c", &format!("{signed}."), signed, &format!("{token}.x"), &token.repeat(50)] {
            assert_eq!(ours.open(forged, &Names::default(), 0), Err(Flaw::Decoding), "{forged}");
        }
        assert_eq!(ours.open(&format!("{none}.{payload}."), &Names::default(), 0), Err(Flaw::Invalid));
    }

    #[test]
    fn one_blank_stands_between_the_scheme_and_the_token() {
        let after = |value: &'static str| {
            let value = HeaderValue::from_static(value);
            after_prefix(&value, "JWT").map(|token| String::from_utf8(token.to_vec()).unwrap())
        };
        assert_eq!(after("JWT abc").as_deref(), Some("abc"));
        assert_eq!(after("jwt abc").as_deref(), Some("abc"));
        for other in ["JWT", "JWT ", "JWT  abc", "JWT abc x", "abc", "Bearer abc", ""] {
            assert_eq!(after(other), None, "{other}");
        }
    }
}
