//! Why a token or a key was refused. Nothing here ever holds a part of a token or of a key.

/// Why a request is not let in with the token that it brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token was sent.
    #[error("no access token was sent")]
    Missing,
    /// The token is malformed, forged, or for somebody else. Why is for the log, never for the client.
    #[error("the access token is not valid: {0}")]
    Invalid(Reason),
    /// The token was good and is over: the client refreshes.
    #[error("the access token has expired")]
    Expired,
    /// The token's claims are out of date while its session is fine: the client refreshes.
    #[error("the access token is out of date")]
    Stale,
    /// The session behind the token is over: the person signs in again.
    #[error("the session has ended")]
    Ended,
}

impl TokenError {
    /// The stable name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Invalid(_) => "token_invalid",
            Self::Expired => "token_expired",
            Self::Stale => "token_stale",
            Self::Ended => "session_ended",
        }
    }
}

/// What is wrong with a token that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The `Authorization` header is not one `Bearer` and one token (RFC 6750 section 2.1).
    #[error("the `Authorization` header is not `Bearer` and one token")]
    Authorization,
    /// It has more than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES) bytes.
    #[error("it is too long")]
    TooLong,
    /// It is not three parts of strict base64url (RFC 7515 section 2), or a part is not a strict JSON object.
    #[error("it is malformed")]
    Malformed,
    /// This member of the header is missing, has the wrong type, or is not allowed here.
    #[error("header member `{0}`")]
    Header(&'static str),
    /// No key goes by its `kid`.
    #[error("its key is not known")]
    UnknownKey,
    /// `alg` is not the algorithm of the key that `kid` names.
    #[error("its algorithm is not that of its key")]
    Algorithm,
    /// The signature does not belong to it.
    #[error("its signature is wrong")]
    Signature,
    /// This claim is missing, has the wrong type, or a value that cannot be.
    #[error("claim `{0}`")]
    Claim(&'static str),
    /// This claim of time lies in the future.
    #[error("claim `{0}` lies in the future")]
    NotYet(&'static str),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not encode a key of this algorithm, or the key is not sound.
    #[error("not a sound key of this algorithm")]
    Unusable,
    /// It is shorter than is safe.
    #[error("the key has {bits} bits, at least {floor} are needed")]
    TooShort {
        /// What it has.
        bits: usize,
        /// What it needs.
        floor: usize,
    },
    /// The document is not a JWK Set (RFC 7517 section 5).
    #[error("not a JWK Set")]
    NotAKeySet,
    /// The document, which is meant for everybody, holds a private or secret key.
    #[error("a JWK Set holds a private or secret key")]
    Private,
    /// The machine gave no randomness, or the cryptographic library failed.
    #[error("the cryptographic library failed")]
    Failed,
}

/// Why a token cannot be issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No verifier would take these claims.
    #[error("no verifier would take the token: {0}")]
    Refused(#[from] Reason),
    /// A claim of [`Claims::extra`](crate::Claims::extra) has the name of a claim with a meaning of its own.
    #[error("the further claim `{0}` has a name with a meaning of its own")]
    Reserved(String),
    /// The token would have more than [`MAX_ISSUED_BYTES`](crate::MAX_ISSUED_BYTES) bytes.
    #[error("the token would have {0} bytes")]
    TooLong(usize),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Failed,
}
