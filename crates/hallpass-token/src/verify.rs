//! Whether a token is good: the one function between a request and a signed-in account. It does no I/O, holds no lock
//! across an await, and never lets the token say how it is to be verified.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use quick_cache::sync::Cache;

use crate::{Claims, Effect, KeySet, MAX_LEEWAY, MAX_TOKEN_BYTES, Reason, Revoked, TokenError, jws};

/// How many tokens are remembered as verified, for one set of keys; some 10 MB when full.
const REMEMBERED: usize = 10_000;

/// Verifies access tokens of one issuer for one audience. Clones share keys, memory and revocations.
///
/// # The order of the checks
///
/// 1. At most [`MAX_TOKEN_BYTES`], before anything else is done with it.
/// 2. Three parts of strict base64url: no padding, no other alphabet, no set bits behind the last byte.
/// 3. The header: strict JSON (UTF-8, no name twice at any depth, at most 32 levels) without `crit`, `b64`, `zip` or
///    `cty`; `kid` is the name of a key that is here; `alg` is that key's algorithm.
/// 4. The signature, over the bytes as they came; then `typ`, which is that of an access token.
/// 5. The claims: strict JSON, all there and of their types; `exp` after `iat` by at most
///    [`MAX_LIFETIME`](crate::MAX_LIFETIME); `iss` ours byte for byte; `aud` contains ours.
/// 6. The times, with the leeway. [`TokenError::Expired`] is only ever said of a token that is ours.
/// 7. What was taken back: [`TokenError::Ended`], [`TokenError::Stale`].
///
/// What 1 to 5 find does not change while the keys stay the same. It is remembered by the SHA-256 of the whole token,
/// so that a signature is checked once and not with every request; 6 and 7 are done every time.
///
/// # Where the standards leave a choice
///
/// Each by the name that it has in the tests.
///
#[doc = include_str!("choices.md")]
#[derive(Clone)]
pub struct Verifier(Arc<Shared>);

struct Shared {
    issuer: String,
    audience: String,
    leeway: i64,
    ring: ArcSwap<Ring>,
    revoked: Revoked,
}

/// Keys, and what was verified with them: one thing, so that a token that is verified while the keys change is
/// remembered beside the keys that it was verified with, and forgotten with them.
struct Ring {
    keys: KeySet,
    verified: Cache<[u8; 32], Arc<Claims>>,
}

impl Ring {
    fn new(keys: KeySet) -> Self {
        Self { keys, verified: Cache::new(REMEMBERED) }
    }
}

impl Verifier {
    /// A verifier of tokens with this `iss` and an `aud` that contains this one, both byte for byte.
    ///
    /// `leeway` is the clock difference that is forgiven, in seconds, from 0 to [`MAX_LEEWAY`]; 5 is enough where
    /// clocks are kept by NTP.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, leeway: i64, keys: KeySet) -> Self {
        Self(Arc::new(Shared {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: leeway.clamp(0, MAX_LEEWAY),
            ring: ArcSwap::from_pointee(Ring::new(keys)),
            revoked: Revoked::new(),
        }))
    }

    /// Replaces the keys, for all clones, and forgets what was verified with the old ones. The same keys again change
    /// nothing.
    pub fn set_keys(&self, keys: KeySet) {
        if self.0.ring.load().keys != keys {
            self.0.ring.store(Arc::new(Ring::new(keys)));
        }
    }

    /// What was taken back before its time. Whatever is applied to it counts from the next [`Verifier::verify`] on.
    pub fn revoked(&self) -> &Revoked {
        &self.0.revoked
    }

    /// The claims of `token`, if it is good at `now` (seconds since 1970, UTC).
    ///
    /// # Errors
    /// Any [`TokenError`] but `Missing`.
    pub fn verify(&self, token: &str, now: i64) -> Result<Arc<Claims>, TokenError> {
        let claims = self.identify(token)?;
        let latest = now.saturating_add(self.0.leeway);
        for (name, moment) in [("iat", Some(claims.iat)), ("nbf", claims.nbf), ("auth_time", Some(claims.auth_time))] {
            if moment.is_some_and(|moment| moment > latest) {
                return Err(TokenError::Invalid(Reason::NotYet(name)));
            }
        }
        // "On or after" `exp` it is over (RFC 7519 section 4.1.4).
        if now >= claims.exp.saturating_add(self.0.leeway) {
            return Err(TokenError::Expired);
        }
        match self.0.revoked.check(&claims) {
            None => Ok(claims),
            Some(Effect::Ended) => Err(TokenError::Ended),
            Some(Effect::Stale) => Err(TokenError::Stale),
        }
    }

    /// Whose token this was: the claims of a token that we signed, though it may be over or taken back.
    ///
    /// For signing out only. Whoever lets a request in calls [`Verifier::verify`].
    ///
    /// # Errors
    /// [`TokenError::Invalid`].
    pub fn identify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid(Reason::TooLong));
        }
        let ring = self.0.ring.load();
        let name = fingerprint(token);
        if let Some(claims) = ring.verified.get(&name) {
            return Ok(claims);
        }
        let claims = self.open(token, &ring.keys).map(Arc::new).map_err(TokenError::Invalid)?;
        ring.verified.insert(name, Arc::clone(&claims));
        Ok(claims)
    }

    /// Everything about the token that neither time nor revocations change.
    fn open(&self, token: &str, keys: &KeySet) -> Result<Claims, Reason> {
        let claims = jws::open(token, keys).and_then(Claims::from_object)?;
        if claims.iss != self.0.issuer {
            return Err(Reason::Claim("iss"));
        }
        if !claims.aud.contains(&self.0.audience) {
            return Err(Reason::Claim("aud"));
        }
        Ok(claims)
    }
}

/// All of the token goes in, its signature too, and nobody can find two tokens with one fingerprint.
fn fingerprint(token: &str) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    name
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.0.issuer)
            .field("audience", &self.0.audience)
            .finish_non_exhaustive()
    }
}
