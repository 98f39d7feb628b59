//! Algorithms, and the keys that signatures are verified with. A key has exactly one algorithm (RFC 8725 section 3.1);
//! nothing that arrives with a token ever changes it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    str::FromStr,
};

use aws_lc_rs::constant_time;
use jsonwebtoken::{
    Algorithm as Jwa, DecodingKey, DecodingKeyKind,
    crypto::{JwtVerifier, aws_lc::DEFAULT_PROVIDER},
};
use serde::{Deserialize, Serialize};

use crate::KeyError;

/// How a token is signed, by its name in RFC 7518 section 3.1 and RFC 8037 section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: short signatures, understood everywhere.
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSA PKCS #1 v1.5 with SHA-256.
    RS256,
    /// RSA-PSS with SHA-256.
    PS256,
    /// HMAC with SHA-256: whoever can verify can also issue.
    HS256,
}

/// The text is not the name of an algorithm of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of `ES256`, `EdDSA`, `RS256`, `PS256`, `HS256`")]
pub struct ParseAlgorithmError;

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [Self::ES256, Self::EdDSA, Self::RS256, Self::PS256, Self::HS256];

    /// The name in the `alg` of a token or of a JWK.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::HS256 => "HS256",
        }
    }

    fn jwa(self) -> Jwa {
        match self {
            Self::ES256 => Jwa::ES256,
            Self::EdDSA => Jwa::EdDSA,
            Self::RS256 => Jwa::RS256,
            Self::PS256 => Jwa::PS256,
            Self::HS256 => Jwa::HS256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or(ParseAlgorithmError)
    }
}

/// One key that signatures are verified with: the public half of a pair, or the secret of `HS256`.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// The secret of `HS256`, of at least 32 bytes (RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn from_secret(kid: impl Into<String>, secret: &[u8]) -> Result<Self, KeyError> {
        /// The output of SHA-256.
        const FLOOR: usize = 256;
        match secret.len().saturating_mul(8) {
            bits @ ..FLOOR => Err(KeyError::TooShort { bits, floor: FLOOR }),
            _ => Ok(Self::new(kid.into(), Algorithm::HS256, DecodingKey::from_secret(secret))),
        }
    }

    /// The caller has made sure that `key` is a sound key of `algorithm`.
    pub(crate) fn new(kid: String, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { kid, algorithm, key }
    }

    /// The same key by another name.
    pub(crate) fn named(self, kid: String) -> Self {
        Self { kid, ..self }
    }

    /// The key's name in tokens and key sets.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's signature of exactly these bytes, in the form of RFC 7518 section 3 (for ECDSA
    /// the two numbers side by side, not ASN.1).
    pub fn verify_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier().is_some_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }

    // The provider by its name: the default one is global to the process, and missing as soon as another crate in the
    // build asks `jsonwebtoken` for its other provider too.
    fn verifier(&self) -> Option<Box<dyn JwtVerifier>> {
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.jwa(), &self.key).ok()
    }

    pub(crate) fn material(&self) -> &DecodingKeyKind {
        self.key.kind()
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let same = |left: &[u8], right: &[u8]| constant_time::verify_slices_are_equal(left, right).is_ok();
        self.kid == other.kid
            && self.algorithm == other.algorithm
            && match (self.material(), other.material()) {
                (SecretOrDer(left), SecretOrDer(right)) => same(left, right),
                (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                    same(n, other_n) && same(e, other_e)
                }
                _ => false,
            }
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The keys that a verifier knows, by `kid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(BTreeMap<String, VerifyingKey>);

impl KeySet {
    /// A set of these keys. Where different keys go by one `kid`, neither is taken: the name would not say which.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        let mut named: BTreeMap<String, Option<VerifyingKey>> = BTreeMap::new();
        for key in keys {
            match named.entry(key.kid.clone()) {
                Entry::Vacant(free) => {
                    free.insert(Some(key));
                }
                Entry::Occupied(mut taken) if taken.get().as_ref() != Some(&key) => {
                    taken.insert(None);
                }
                Entry::Occupied(_) => {}
            }
        }
        Self(named.into_iter().filter_map(|(kid, key)| Some((kid, key?))).collect())
    }

    /// The key of exactly this name.
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.get(kid)
    }

    /// All keys, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.values()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key, and hence no token is good.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
