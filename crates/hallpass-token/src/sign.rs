//! The keys that tokens are signed with. A private part leaves only through [`SigningKey::to_der`], for whoever stores
//! it, and is never printed.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac, rand,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use base64::Engine;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    Algorithm, Claims, KeyError, MAX_ISSUED_BYTES, Reason, SignError, VerifyingKey, claims, jwk,
    jws::{self, BASE64URL, TYPE},
};

/// The least bits of an RSA key of our own (NIST SP 800-57 part 1: 128 bits of strength).
const RSA_FLOOR: usize = 3_072;

/// The bytes of an `HS256` secret that we make ourselves: as many as its hash has.
const SECRET_BYTES: usize = 32;

/// One private key (or the secret of `HS256`) with its algorithm and its name.
pub struct SigningKey {
    private: Private,
    der: Zeroizing<Vec<u8>>,
    verifying: VerifyingKey,
}

// `jsonwebtoken` signs too, but reads the private key anew for every signature; these are read once.
enum Private {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Secret(Box<hmac::Key>),
}

impl SigningKey {
    /// Makes a new key. RSA keys have 3072 bits and take up to seconds to find.
    ///
    /// The `kid` of a pair is the thumbprint of its public key (RFC 7638), that of a secret is random.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Failed;
        let der = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
            // Version 1, without the public key: OpenSSL and most others cannot read version 2.
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            Algorithm::HS256 => random(SECRET_BYTES)?,
        };
        let random_kid = BASE64URL.encode(random(16)?);
        let key = Self::from_der(algorithm, random_kid, &der)?;
        let kid = key.verifying.thumbprint().unwrap_or_else(|| key.kid().to_owned());
        Ok(Self { verifying: key.verifying.named(kid), ..key })
    }

    /// Reads a key that [`SigningKey::to_der`] wrote, or one from elsewhere: unencrypted PKCS #8 (RFC 5208), or for
    /// `HS256` the bytes of the secret.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] for RSA below 3072 bits and secrets below 32 bytes; [`KeyError::Unusable`].
    pub fn from_der(algorithm: Algorithm, kid: impl Into<String>, der: &[u8]) -> Result<Self, KeyError> {
        let kid = kid.into();
        let (private, public) = match algorithm {
            Algorithm::ES256 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| KeyError::Unusable)?;
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).and_then(|both| both.split_at_checked(32)).ok_or(KeyError::Unusable)?;
                let public = jwk::p256(x, y)?;
                (Private::P256(pair), public)
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Unusable)?;
                let public = jwk::ed25519(pair.public_key().as_ref())?;
                (Private::Ed25519(pair), public)
            }
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Unusable)?;
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let bits = jwk::bits(&n).ok_or(KeyError::Unusable)?;
                if bits < RSA_FLOOR {
                    return Err(KeyError::TooShort { bits, floor: RSA_FLOOR });
                }
                let padding: &'static dyn RsaEncoding =
                    if algorithm == Algorithm::PS256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let public = jwk::rsa(&n, &e)?;
                (Private::Rsa(pair, padding), public)
            }
            Algorithm::HS256 => {
                let verifying = VerifyingKey::from_secret(kid, der)?;
                let private = Private::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, der)));
                return Ok(Self { private, der: Zeroizing::new(der.to_vec()), verifying });
            }
        };
        Ok(Self { private, der: Zeroizing::new(der.to_vec()), verifying: VerifyingKey::new(kid, algorithm, public) })
    }

    /// The private key as [`SigningKey::from_der`] reads it. Whoever has it can issue tokens.
    pub fn to_der(&self) -> Zeroizing<Vec<u8>> {
        self.der.clone()
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The key's name in tokens and key sets.
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// What verifies this key's signatures. For `HS256` it is the secret itself.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// Issues a token: header `typ`, `alg` and `kid`, and these claims.
    ///
    /// # Errors
    /// [`SignError`], where no verifier would take the token or other programs could not carry it.
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        if let Some(name) = claims::RESERVED.into_iter().find(|name| claims.extra.contains_key(*name)) {
            return Err(SignError::Reserved(name.to_owned()));
        }
        let object = claims.to_object();
        let payload = json!(object).to_string();
        // Reading it back, as a verifier will, finds what cannot be: an id of the wrong kind, a lifetime too long.
        Claims::from_object(object)?;
        let token = self.compact(TYPE, &payload)?;
        if token.len() > MAX_ISSUED_BYTES { Err(SignError::TooLong(token.len())) } else { Ok(token) }
    }

    /// Signs a JWT that is no access token: header `typ`, `alg` and `kid`, and this payload of any length. Its `typ`
    /// keeps it from being taken for an access token (RFC 8725 section 3.11).
    ///
    /// # Errors
    /// [`SignError::Refused`] for the `typ` of an access token; [`SignError::Failed`].
    pub fn sign_other(&self, typ: &str, payload: &Map<String, Value>) -> Result<String, SignError> {
        if jws::is_access_token(typ) {
            return Err(Reason::Header("typ").into());
        }
        self.compact(typ, &json!(payload).to_string())
    }

    /// The compact form (RFC 7515 section 7.1).
    fn compact(&self, typ: &str, payload: &str) -> Result<String, SignError> {
        let header = json!({ "typ": typ, "alg": self.algorithm().as_str(), "kid": self.kid() }).to_string();
        let mut token = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        BASE64URL.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // AWS-LC brings its own randomness; the argument is there for the sake of another library's interface.
        let random = rand::SystemRandom::new();
        match &self.private {
            Private::P256(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| SignError::Failed)
            }
            Private::Ed25519(pair) => {
                pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(|_| SignError::Failed)
            }
            Private::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, message, &mut signature).map_err(|_| SignError::Failed)?;
                Ok(signature)
            }
            Private::Secret(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

fn random(length: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rand::fill(&mut bytes).map_err(|_| KeyError::Failed)?;
    Ok(bytes)
}
