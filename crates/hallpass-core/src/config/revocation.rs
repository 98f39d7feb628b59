//! How what was taken back reaches other servers.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::hidden;
use crate::bell::redis::Rope;

/// How servers of one database tell each other to look at the revocation log at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bell {
    /// By `NOTIFY` of PostgreSQL; on SQLite there is nobody to tell.
    Notify,
    /// By `PUBLISH` of Redis or Valkey.
    Redis,
    /// Not at all: each looks every second.
    Off,
}

/// What to do with good tokens while it is not known what was taken back lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhenStale {
    /// Say so: the request gets 503, and nobody is signed out.
    Refuse,
    /// Go on with what is known.
    Accept,
}

/// How what was taken back reaches other servers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Revocation {
    /// How servers of one database tell each other to look at the log at once: `notify` by PostgreSQL's `NOTIFY`, `redis` by a Redis or Valkey, where the database has no `NOTIFY` or what stands before it drops it, or `off`. Without a bell each looks every second; SQLite needs none.
    pub bell: Bell,
    /// Where the Redis or Valkey is, for the `redis` bell: `redis://USER:PASSWORD@HOST:PORT`, or `rediss://…` for TLS, which trusts the authorities that this machine trusts. Nothing is kept there, and nothing but the bell depends on it.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "String")]
    pub redis: SecretString,
    /// Seconds without a look at the log after which this server does not know any more what was taken back, 2 to 300; it is then not ready, and tells verifiers elsewhere nothing.
    pub max_staleness: i64,
    /// What to do then with good tokens: `refuse` them with 503, or `accept` them by what is known.
    pub when_stale: WhenStale,
}

impl Default for Revocation {
    fn default() -> Self {
        Self { bell: Bell::Notify, redis: SecretString::default(), max_staleness: 10, when_stale: WhenStale::Refuse }
    }
}

impl Revocation {
    /// What cannot be used.
    pub(super) fn problem(&self) -> Option<String> {
        let named = !self.redis.expose_secret().is_empty();
        let problem = match (self.bell, named) {
            (Bell::Redis, false) => {
                "`revocation.bell = \"redis\"` needs an address: set `revocation.redis`, such as `redis://127.0.0.1:6379`"
            }
            (Bell::Redis, true) => Rope::to(&self.redis).err()?,
            (Bell::Notify | Bell::Off, true) => {
                "`revocation.redis` has no effect: set `revocation.bell` to `redis`, or remove it"
            }
            (Bell::Notify | Bell::Off, false) => return None,
        };
        Some(problem.to_owned())
    }
}
