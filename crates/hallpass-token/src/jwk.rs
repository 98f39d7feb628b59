//! Keys as JSON: reading and writing a JWK Set (RFC 7517, RFC 7518 section 6, RFC 8037 section 2) and naming a key by
//! its thumbprint (RFC 7638). A private or secret part is never written, and never read.

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    },
};
use base64::Engine;
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde_json::{Map, Value, json};

use crate::{Algorithm, KeyError, KeySet, VerifyingKey, json, jws::BASE64URL};

/// The least bits of an RSA key whose signatures are verified (RFC 7518 section 3.3). Keys of our own have more.
const RSA_FLOOR: usize = 2_048;

/// The most that are: beyond, one signature costs an attacker nothing and us a lot.
const RSA_CEILING: usize = 8_192;

impl KeySet {
    /// Reads a JWK Set.
    ///
    /// A key that cannot verify tokens is passed over, as RFC 7517 section 5 asks: one without `kid`, for encryption,
    /// of another algorithm, too short, or not sound. An RSA key must say its `alg`.
    ///
    /// # Errors
    /// [`KeyError::NotAKeySet`]; [`KeyError::Private`] if any key shows a private or secret part, since then the
    /// document is not what it should be.
    pub fn from_jwks(document: &str) -> Result<Self, KeyError> {
        let document = json::object(document.as_bytes()).ok_or(KeyError::NotAKeySet)?;
        let listed = document.get("keys").and_then(Value::as_array).ok_or(KeyError::NotAKeySet)?;
        let mut keys = Vec::new();
        for jwk in listed {
            let jwk = jwk.as_object().ok_or(KeyError::NotAKeySet)?;
            refuse_private(jwk)?;
            keys.extend(read(jwk).ok());
        }
        Ok(Self::new(keys))
    }

    /// Writes a JWK Set with the public keys, in the order of their `kid`. A secret of `HS256` is left out.
    pub fn to_jwks(&self) -> String {
        let keys: Vec<Value> = self.iter().filter_map(write).collect();
        json!({ "keys": keys }).to_string()
    }
}

impl VerifyingKey {
    /// Reads one public key as a JWK. It must have a `kid`, and an RSA key its `alg`.
    ///
    /// # Errors
    /// [`KeyError::Private`] if it shows a private or secret part; [`KeyError::TooShort`]; [`KeyError::Unusable`].
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk = json::object(jwk.as_bytes()).ok_or(KeyError::Unusable)?;
        refuse_private(&jwk)?;
        read(&jwk)
    }

    /// The SHA-256 thumbprint of the public key (RFC 7638), in base64url. A secret has none.
    pub fn thumbprint(&self) -> Option<String> {
        // In lexicographic order and without blanks, which is also how `serde_json` writes them.
        let canonical = Value::from(public_members(self)?).to_string();
        Some(BASE64URL.encode(digest::digest(&digest::SHA256, canonical.as_bytes())))
    }
}

/// The private members of RSA and of the curves, and the secret (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
fn refuse_private(jwk: &Map<String, Value>) -> Result<(), KeyError> {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) { Err(KeyError::Private) } else { Ok(()) }
}

fn read(jwk: &Map<String, Value>) -> Result<VerifyingKey, KeyError> {
    let member = |name| jwk.get(name).and_then(Value::as_str).ok_or(KeyError::Unusable);
    let bytes = |name| BASE64URL.decode(member(name)?).map_err(|_| KeyError::Unusable);

    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::Unusable);
    }
    let verifies = |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    if jwk.get("key_ops").is_some_and(|operations| !verifies(operations)) {
        return Err(KeyError::Unusable);
    }
    let said = match jwk.get("alg") {
        Some(_) => Some(member("alg")?.parse::<Algorithm>().map_err(|_| KeyError::Unusable)?),
        None => None,
    };
    let (algorithm, key) = match (member("kty")?, jwk.get("crv").and_then(Value::as_str), said) {
        ("EC", Some("P-256"), None | Some(Algorithm::ES256)) => (Algorithm::ES256, p256(&bytes("x")?, &bytes("y")?)?),
        ("OKP", Some("Ed25519"), None | Some(Algorithm::EdDSA)) => (Algorithm::EdDSA, ed25519(&bytes("x")?)?),
        ("RSA", None, Some(algorithm @ (Algorithm::RS256 | Algorithm::PS256))) => {
            (algorithm, rsa(&bytes("n")?, &bytes("e")?)?)
        }
        _ => return Err(KeyError::Unusable),
    };
    Ok(VerifyingKey::new(member("kid")?.to_owned(), algorithm, key))
}

fn write(key: &VerifyingKey) -> Option<Value> {
    let mut jwk = public_members(key)?;
    jwk.insert("use".into(), "sig".into());
    jwk.insert("alg".into(), key.algorithm().as_str().into());
    jwk.insert("kid".into(), key.kid().into());
    Some(jwk.into())
}

/// The members that make the key, and no others: those that RFC 7638 section 3.2 hashes. A secret has none.
fn public_members(key: &VerifyingKey) -> Option<Map<String, Value>> {
    let text = |bytes: &[u8]| Value::from(BASE64URL.encode(bytes));
    let members = match (key.algorithm(), key.material()) {
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            let (x, y) = point.get(1..)?.split_at_checked(32)?;
            vec![("crv", "P-256".into()), ("kty", "EC".into()), ("x", text(x)), ("y", text(y))]
        }
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(x)) => {
            vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", text(x))]
        }
        (Algorithm::RS256 | Algorithm::PS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            vec![("e", text(e)), ("kty", "RSA".into()), ("n", text(n))]
        }
        _ => return None,
    };
    Some(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A point of the curve P-256 by its two coordinates of 32 bytes.
pub(crate) fn p256(x: &[u8], y: &[u8]) -> Result<DecodingKey, KeyError> {
    if x.len() != 32 || y.len() != 32 {
        return Err(KeyError::Unusable);
    }
    let point = [&[4], x, y].concat();
    // Reading it also proves that it lies on the curve.
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| KeyError::Unusable)?;
    Ok(DecodingKey::from_ec_der(&point))
}

/// A point of Ed25519 by its 32 bytes.
pub(crate) fn ed25519(x: &[u8]) -> Result<DecodingKey, KeyError> {
    if x.len() != 32 {
        return Err(KeyError::Unusable);
    }
    ParsedPublicKey::new(&ED25519, x).map_err(|_| KeyError::Unusable)?;
    Ok(DecodingKey::from_ed_der(x))
}

/// An RSA key by modulus and exponent, big-endian, without leading zeros (RFC 7518 section 6.3.1).
pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<DecodingKey, KeyError> {
    match bits(n) {
        Some(RSA_FLOOR..=RSA_CEILING) => {}
        Some(bits @ ..RSA_FLOOR) => return Err(KeyError::TooShort { bits, floor: RSA_FLOOR }),
        _ => return Err(KeyError::Unusable),
    }
    // An odd exponent above 2^16 (FIPS 186-5 section A.1.1): with 1, the padding alone would be a signature.
    if bits(e).is_none_or(|bits| bits < 17) || e.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyError::Unusable);
    }
    let components = RsaPublicKeyComponents { n, e };
    components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| KeyError::Unusable)?;
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

/// The length of a big-endian number without leading zeros.
pub(crate) fn bits(number: &[u8]) -> Option<usize> {
    let leading = number.first().filter(|first| **first != 0)?.leading_zeros();
    number.len().checked_mul(8)?.checked_sub(leading.try_into().ok()?)
}
