//! How many attempts one client address has: sign-ins, failed sign-ins, sign-ups.
//!
//! A change of password counts as a sign-in, since it tells as well whether a password is right. It counts in memory,
//! per node, and slows one address down; what holds across addresses, nodes and restarts is the core's count per
//! account, which one switch turns off together with this. A success never gives attempts back.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use hallpass_core::{Code, Error, Result};

/// Addresses that are counted at a time. Whoever has more of them within a minute is not held by a limit per address.
const MOST: usize = 100_000;

/// The limits of one node.
pub(crate) struct Limits {
    enabled: bool,
    sign_ins: Limit,
    failures: Limit,
    sign_ups: Limit,
}

impl Limits {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            sign_ins: Limit::per_minute(30),
            failures: Limit::per_minute(10),
            sign_ups: Limit::per_minute(20),
        }
    }

    /// Takes one of an address's sign-ins, unless too many of them have failed.
    ///
    /// # Errors
    /// [`Code::RateLimited`], with the seconds to wait.
    pub(crate) fn sign_in(&self, ip: Option<IpAddr>, now: i64) -> Result<()> {
        let Some(address) = self.counted(ip) else { return Ok(()) };
        self.failures.look(address, now).and_then(|()| self.sign_ins.take(address, now)).map_err(too_many)
    }

    /// Counts a sign-in that failed.
    pub(crate) fn failed(&self, ip: Option<IpAddr>, now: i64) {
        if let Some(address) = self.counted(ip) {
            // The attempt was let in already: this only moves the end of the queue.
            let _ = self.failures.take(address, now);
        }
    }

    /// Takes one of an address's sign-ups.
    ///
    /// # Errors
    /// [`Code::RateLimited`], with the seconds to wait.
    pub(crate) fn sign_up(&self, ip: Option<IpAddr>, now: i64) -> Result<()> {
        let Some(address) = self.counted(ip) else { return Ok(()) };
        self.sign_ups.take(address, now).map_err(too_many)
    }

    /// What is counted as one address: an IPv4 address, or the /64 that an IPv6 host has to itself.
    fn counted(&self, ip: Option<IpAddr>) -> Option<IpAddr> {
        match ip.filter(|_| self.enabled)?.to_canonical() {
            IpAddr::V6(v6) => Some(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)))),
            v4 => Some(v4),
        }
    }
}

fn too_many(wait: i64) -> Error {
    let detail = "Too many attempts from your address: wait as many seconds as `retry_after` says";
    Error::new(Code::RateLimited, detail).retry_after(wait.unsigned_abs())
}

const MINUTE: i64 = 60;

/// One limit, by the generic cell rate algorithm (ITU-T I.371): each address has a moment at which its queue is empty
/// again; an attempt moves it back by one interval, and one that would move it more than a minute ahead is refused.
struct Limit {
    interval: i64,
    empty_at: Mutex<HashMap<IpAddr, i64>>,
}

impl Limit {
    fn per_minute(attempts: i64) -> Self {
        Self { interval: MINUTE / attempts, empty_at: Mutex::default() }
    }

    /// Whether an attempt would be let in; otherwise the seconds to wait.
    fn look(&self, address: IpAddr, now: i64) -> Result<(), i64> {
        let empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.admit(empty_at.get(&address), now).map(drop)
    }

    /// Lets an attempt in and counts it; otherwise the seconds to wait.
    fn take(&self, address: IpAddr, now: i64) -> Result<(), i64> {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.admit(empty_at.get(&address), now)?;
        if empty_at.len() >= MOST && !empty_at.contains_key(&address) {
            empty_at.retain(|_, moment| *moment > now);
            if empty_at.len() >= MOST {
                return Ok(());
            }
        }
        empty_at.insert(address, next);
        Ok(())
    }

    /// When the queue will be empty with one attempt more.
    fn admit(&self, empty_at: Option<&i64>, now: i64) -> Result<i64, i64> {
        // A moment more than a minute ahead was counted before the clock was set back: it says nothing any more.
        let empty_at = empty_at.copied().filter(|moment| (now..=now + MINUTE).contains(moment)).unwrap_or(now);
        let next = empty_at + self.interval;
        let wait = next - now - MINUTE;
        if wait > 0 { Err(wait) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

    #[test]
    fn the_thirty_first_sign_in_of_a_minute_waits_until_there_is_room() {
        let limits = Limits::new(true);
        for _ in 0..30 {
            limits.sign_in(HOME, 1_000).unwrap();
        }
        let refused = limits.sign_in(HOME, 1_000).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(2)));
        limits.sign_in(HOME, 1_002).unwrap();
        limits.sign_in(HOME, 1_002).unwrap_err();
    }

    #[test]
    fn ten_failures_stop_sign_ins_and_a_success_gives_none_of_them_back() {
        let limits = Limits::new(true);
        for _ in 0..10 {
            limits.sign_in(HOME, 0).unwrap();
            limits.failed(HOME, 0);
        }
        assert_eq!(limits.sign_in(HOME, 0).unwrap_err().retry_after, Some(6));
        limits.sign_in(HOME, 6).unwrap();
        limits.failed(HOME, 6);
        limits.sign_in(HOME, 6).unwrap_err();
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_address() {
        let limits = Limits::new(true);
        for host in 0..20 {
            limits.sign_up(Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host))), 0).unwrap();
        }
        limits.sign_up(Some("2001:db8:0:1::ffff".parse().unwrap()), 0).unwrap_err();
        limits.sign_up(Some("2001:db8:0:2::1".parse().unwrap()), 0).unwrap();
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = Limits::new(true);
        for _ in 0..20 {
            limits.sign_up(HOME, 1_000_000).unwrap();
        }
        limits.sign_up(HOME, 1_000_000).unwrap_err();
        limits.sign_up(HOME, 900_000).unwrap();
    }

    #[test]
    fn switched_off_it_lets_everybody_in() {
        let limits = Limits::new(false);
        for _ in 0..1_000 {
            limits.sign_up(HOME, 0).unwrap();
        }
    }
}
