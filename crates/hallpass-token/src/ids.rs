//! The names of accounts and sessions, as they stand in tokens, paths and tables. A text is never an id unless it is
//! the one canonical spelling, so that two spellings cannot name one thing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// An account: a positive 64-bit integer, so that it can be another framework's primary key.
///
/// In JSON it is a number; as the `sub` of a token it is its decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

/// A session: a version 7 UUID (RFC 9562). In JSON it is its lower-case, hyphenated text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

/// The text is not an id in its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id in its canonical form")]
pub struct ParseIdError;

impl FromStr for AccountId {
    type Err = ParseIdError;

    /// Decimal digits without sign or leading zero, from 1 to 2^63 - 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with(|first: char| matches!(first, '1'..='9')) {
            return Err(ParseIdError);
        }
        text.parse().map(Self).map_err(|_| ParseIdError)
    }
}

impl FromStr for SessionId {
    type Err = ParseIdError;

    /// 36 characters, hyphenated, lower case, version 7.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uuid = Uuid::try_parse(text).map_err(|_| ParseIdError)?;
        let canonical = uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
        (canonical && uuid.get_version_num() == 7).then_some(Self(uuid)).ok_or(ParseIdError)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
