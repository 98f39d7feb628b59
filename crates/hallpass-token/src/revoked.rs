//! What was taken back before its time: sessions that are over, and accounts whose older tokens are out of date. It is
//! a set and not a cache; an entry leaves only when nothing that it could concern can still be good.
//!
//! A million sessions take about 50 MiB, however long they come and go (`benches/revoked.rs`). The set is cut into
//! [`SHARDS`] maps, each behind a lock of the standard library: a check holds one of them for one look-up and never
//! across an await, and when a map grows, or drops what is over, the requests that fall into the others go on.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{AccountId, Claims, SessionId};

const SHARDS: usize = 16;

/// What a revocation does to the tokens that it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The session is over.
    Ended,
    /// The claims are out of date; the session is fine.
    Stale,
}

/// Something that was taken back. Applying it twice, or late, or out of order, does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// Every token of the session is dead.
    Session {
        /// The session.
        session: SessionId,
        /// When none of its tokens can be good any more: the last `exp`, plus the leeway of the most forgiving verifier
        /// ([`MAX_LEEWAY`](crate::MAX_LEEWAY)). Seconds since 1970 (UTC).
        forget_at: i64,
    },
    /// The account's tokens of an older version are out of date.
    Account {
        /// The account.
        account: AccountId,
        /// Tokens with a smaller `account_version` are out of date.
        below_version: i64,
        /// When none of those tokens can be good any more, as for a session.
        forget_at: i64,
    },
}

/// The set of what was taken back. It never drops an entry before its `forget_at`.
#[derive(Debug, Default)]
pub struct Revoked {
    /// By session: when to forget it.
    sessions: Sharded<SessionId, i64>,
    accounts: Sharded<AccountId, Outdated>,
}

#[derive(Debug, Clone, Copy)]
struct Outdated {
    below_version: i64,
    forget_at: i64,
}

impl Revoked {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes something back, from the next check on. Of several about one thing, the later `forget_at` and the higher
    /// version count. Whether that was news.
    pub fn apply(&self, revocation: &Revocation) -> bool {
        match *revocation {
            Revocation::Session { session, forget_at } => {
                let mut sessions = self.sessions.write(&session);
                let known = sessions.entry(session).or_insert(i64::MIN);
                if forget_at <= *known {
                    return false;
                }
                *known = forget_at;
            }
            Revocation::Account { account, below_version, forget_at } => {
                let mut accounts = self.accounts.write(&account);
                let none = Outdated { below_version: i64::MIN, forget_at: i64::MIN };
                let known = accounts.entry(account).or_insert(none);
                if below_version <= known.below_version && forget_at <= known.forget_at {
                    return false;
                }
                known.below_version = below_version.max(known.below_version);
                known.forget_at = forget_at.max(known.forget_at);
            }
        }
        true
    }

    /// What was done to the token of these claims. A session that is over outweighs claims that are out of date.
    pub fn check(&self, claims: &Claims) -> Option<Effect> {
        if self.has_ended(claims.sid) {
            return Some(Effect::Ended);
        }
        let accounts = self.accounts.read(&claims.sub);
        let outdated = accounts.get(&claims.sub).is_some_and(|known| claims.account_version < known.below_version);
        outdated.then_some(Effect::Stale)
    }

    /// Whether the session is over.
    pub fn has_ended(&self, session: SessionId) -> bool {
        self.sessions.read(&session).contains_key(&session)
    }

    /// Drops what has nothing left to concern at `now` (seconds since 1970, UTC).
    pub fn forget(&self, now: i64) {
        self.sessions.retain(|forget_at| now < *forget_at);
        self.accounts.retain(|outdated| now < outdated.forget_at);
    }

    /// How many sessions and accounts are in the set.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.accounts.len()
    }

    /// Whether nothing was taken back, or all of it is forgotten.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One map in several parts, each behind its own lock.
#[derive(Debug)]
struct Sharded<K, V> {
    // Not the hasher of any part: if it were, the keys of a part would all agree in the bits by which they were put
    // there, and crowd in a few places of it.
    part_of: RandomState,
    parts: [RwLock<HashMap<K, V>>; SHARDS],
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { part_of: RandomState::new(), parts: Default::default() }
    }
}

// A thread that panics can leave no part half changed, hence a poisoned lock holds what it should.
impl<K: Eq + Hash, V> Sharded<K, V> {
    fn part(&self, key: &K) -> &RwLock<HashMap<K, V>> {
        let index = self.part_of.hash_one(key) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "the remainder is smaller than the number of parts")]
        &self.parts[index]
    }

    fn read(&self, key: &K) -> RwLockReadGuard<'_, HashMap<K, V>> {
        self.part(key).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of this key, with room for one more.
    fn write(&self, key: &K) -> RwLockWriteGuard<'_, HashMap<K, V>> {
        let mut part = self.part(key).write().unwrap_or_else(PoisonError::into_inner);
        // An entry that leaves a crowded map still takes its place. Of itself the map would double for such places; a
        // new one has none, and is as large as what is in it needs.
        if part.len() == part.capacity() {
            let mut roomy = HashMap::with_capacity(part.len() + part.len() / 8 + 1);
            roomy.extend(part.drain());
            *part = roomy;
        }
        part
    }

    fn retain(&self, keep: impl Fn(&V) -> bool) {
        for part in &self.parts {
            let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
            part.retain(|_, value| keep(value));
            // After a wave of revocations the memory is given back.
            if part.capacity() / 4 > part.len() {
                let room = part.len() * 2;
                part.shrink_to(room);
            }
        }
    }

    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}
