//! Signs and verifies Hallpass access tokens: JWTs (RFC 7519) of the profile `at+jwt` (RFC 9068), the keys they are
//! signed with, and the set of what was taken back before its time. Nothing here touches a database or the disk, nor the
//! network but in the feature `remote`, and only [`Clock`] reads the time.
//!
//! A back end that takes Hallpass tokens needs this crate alone. With the feature `remote` it keeps up with the Hallpass
//! server by itself: [`Remote`]. Without, it is told:
//!
//! ```
//! use hallpass_token::{KeySet, TokenError, Verifier};
//!
//! # fn main() -> Result<(), hallpass_token::KeyError> {
//! let keys = KeySet::from_jwks(r#"{"keys":[]}"#)?; // what `/.well-known/jwks.json` answered
//! let verifier = Verifier::new("https://id.example", "https://api.example", 5, keys);
//! assert!(matches!(verifier.verify("not.a.token", 1_700_000_000), Err(TokenError::Invalid(_))));
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `axum`, [`CurrentUser`] is an argument of a handler, and a [`Gate`] is a layer of tower.

mod claims;
mod clock;
mod error;
mod ids;
mod json;
mod jwk;
mod jws;
mod keys;
mod revoked;
mod sign;
mod verify;

#[cfg(feature = "axum")]
pub mod extract;
#[cfg(feature = "axum")]
pub mod layer;
#[cfg(feature = "remote")]
pub mod remote;

pub use claims::Claims;
pub use clock::Clock;
pub use error::{KeyError, Reason, SignError, TokenError};
#[cfg(feature = "axum")]
pub use extract::{CurrentUser, Gate, Rejection, bearer};
pub use ids::{AccountId, ParseIdError, SessionId};
pub use keys::{Algorithm, KeySet, ParseAlgorithmError, VerifyingKey};
#[cfg(feature = "remote")]
pub use remote::{Remote, RemoteError};
pub use revoked::{Effect, Revocation, Revoked};
pub use sign::SigningKey;
pub use verify::Verifier;

/// The most bytes of a token that are looked at; a longer one is refused unread.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The most bytes of a token that is issued, so that it passes the header limits of common proxies.
pub const MAX_ISSUED_BYTES: usize = 4 * 1024;

/// The most seconds between `iat` and `exp` (RFC 6750 section 5.3). It bounds how long a revocation must be remembered.
pub const MAX_LIFETIME: i64 = 3_600;

/// The most seconds of clock difference that a verifier forgives.
pub const MAX_LEEWAY: i64 = 60;
