//! How often one client address may ask, and how much mail one mail address gets: over all servers and restarts.
//!
//! It never keeps an address, only a MAC of one. A success never makes good for failures, and whoever has no address, as
//! an operator has none, is not counted.
//!
//! A transaction takes its rows in the order in which the limits stand here, and the first two before those of
//! [`crate::limits`]: no two wait for each other.

use std::net::IpAddr;

use crate::{
    Code, Ctx, Error, Hallpass, Result, limits,
    store::{self, Conn, Tx},
};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

const SIGN_INS: Limit = Limit { what: b"sign-ins", most: 30, period: MINUTE };
const FAILURES: Limit = Limit { what: b"failures", most: 10, period: MINUTE };
const SIGN_UPS: Limit = Limit { what: b"sign-ups", most: 20, period: MINUTE };
const CLIENT_FAILURES: Limit = Limit { what: b"client-failures", most: 10, period: MINUTE };
const MAIL_REQUESTS: Limit = Limit { what: b"mail-requests", most: 20, period: MINUTE };
const MAILS_A_MINUTE: Limit = Limit { what: b"mails-a-minute", most: 5, period: MINUTE };
const MAILS_A_DAY: Limit = Limit { what: b"mails-a-day", most: 20, period: DAY };

/// Refuses an address that has used up its sign-ins or its failures, and counts nothing. It begins no transaction, so a
/// flood from such an address never takes the one writer that SQLite has.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn look(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    let mut reader = hallpass.0.db.read().await?;
    for limit in [FAILURES, SIGN_INS] {
        limit.look(reader.conn(), &limit.key(hallpass, &address), ctx.now).await?;
    }
    Ok(())
}

/// Takes one of an address's sign-ins, unless too many of them have failed. Until the transaction ends, others from this
/// address wait.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn sign_in(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    SIGN_INS.take(tx, &SIGN_INS.key(hallpass, &address), ctx.now).await?;
    FAILURES.look(tx.conn(), &FAILURES.key(hallpass, &address), ctx.now).await
}

/// Counts the sign-in that this transaction has taken as one that failed.
pub(crate) async fn failed(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx) -> Result<Failure> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(Failure(None)) };
    let key = FAILURES.key(hallpass, &address);
    FAILURES.take(tx, &key, ctx.now).await?;
    Ok(Failure(Some(key)))
}

/// A failure of an address, until it is forgiven; without a key where nothing is counted.
pub(crate) struct Failure(Option<String>);

impl Failure {
    /// It was none. Those before it still count.
    pub(crate) async fn forgive(&self, tx: &mut Tx) -> Result<()> {
        if let Some(key) = &self.0 {
            store::rates::give_back(tx.conn(), key, FAILURES.interval()).await?;
        }
        Ok(())
    }
}

/// Takes one of an address's sign-ups.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn sign_up(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    let key = SIGN_UPS.key(hallpass, &address);
    SIGN_UPS.look(hallpass.0.db.read().await?.conn(), &key, ctx.now).await?;
    let mut tx = hallpass.0.db.begin().await?;
    SIGN_UPS.take(&mut tx, &key, ctx.now).await?;
    tx.commit().await
}

/// Counts a wrong client secret, apart from what people fail at: who is refused here has guessed, and a program that is
/// set up wrongly keeps nobody from signing in.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn client_failed(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    let key = CLIENT_FAILURES.key(hallpass, &address);
    CLIENT_FAILURES.look(hallpass.0.db.read().await?.conn(), &key, ctx.now).await?;
    let mut tx = hallpass.0.db.begin().await?;
    CLIENT_FAILURES.take(&mut tx, &key, ctx.now).await?;
    tx.commit().await
}

/// Refuses an address that has asked for too much mail, and counts nothing; it begins no transaction either.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn look_mail(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    let key = MAIL_REQUESTS.key(hallpass, &address);
    MAIL_REQUESTS.look(hallpass.0.db.read().await?.conn(), &key, ctx.now).await
}

/// Takes one of the mails that a client address may ask for.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait; [`Code::Unavailable`].
pub(crate) async fn mail_request(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let Some(address) = counted(hallpass, ctx) else { return Ok(()) };
    MAIL_REQUESTS.take(tx, &MAIL_REQUESTS.key(hallpass, &address), ctx.now).await
}

/// Takes one of the mails that may go to an address, by the key of the address; false if it gets too many. Then nothing
/// is taken, and nobody is to be told.
pub(crate) async fn mail_to(hallpass: &Hallpass, tx: &mut Tx, email_key: &str, now: i64) -> Result<bool> {
    if !hallpass.config().throttle.enabled {
        return Ok(true);
    }
    let [minute, day] = [MAILS_A_MINUTE, MAILS_A_DAY].map(|limit| limit.key(hallpass, email_key.as_bytes()));
    if !MAILS_A_MINUTE.admits(tx, &minute, now).await? {
        return Ok(false);
    }
    let both = MAILS_A_DAY.admits(tx, &day, now).await?;
    if !both {
        store::rates::give_back(tx.conn(), &minute, MAILS_A_MINUTE.interval()).await?;
    }
    Ok(both)
}

/// Forgets what says nothing any more. The transaction is its own: it holds nothing else that a sign-in could wait for.
pub(crate) async fn prune(hallpass: &Hallpass, now: i64) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    store::rates::prune(tx.conn(), now).await?;
    tx.commit().await
}

/// So many of something within a period of so many seconds, and then one after each interval.
#[derive(Clone, Copy)]
struct Limit {
    what: &'static [u8],
    most: i64,
    period: i64,
}

impl Limit {
    fn key(self, hallpass: &Hallpass, whose: &[u8]) -> String {
        limits::key(&hallpass.0.secrets.limits, &[self.what, whose])
    }

    fn interval(self) -> i64 {
        self.period / self.most
    }

    /// Counts one more, unless there were too many.
    async fn admits(self, tx: &mut Tx, key: &str, now: i64) -> Result<bool> {
        Ok(store::rates::take(tx.conn(), key, self.interval(), self.period, now).await?)
    }

    /// Counts one more, or says how long to wait.
    async fn take(self, tx: &mut Tx, key: &str, now: i64) -> Result<()> {
        if self.admits(tx, key, now).await? {
            return Ok(());
        }
        let empty_at = store::rates::get(tx.conn(), key).await?;
        Err(too_many(self.wait(empty_at, now).max(1)))
    }

    /// Says how long to wait if one more would be too many.
    async fn look(self, conn: Conn<'_>, key: &str, now: i64) -> Result<()> {
        match self.wait(store::rates::get(conn, key).await?, now) {
            ..=0 => Ok(()),
            wait => Err(too_many(wait)),
        }
    }

    /// The seconds until one more fits; none if it does.
    fn wait(self, empty_at: Option<i64>, now: i64) -> i64 {
        let empty_at = empty_at.filter(|moment| (now..=now + self.period).contains(moment)).unwrap_or(now);
        empty_at + self.interval() - now - self.period
    }
}

/// What is counted as one client address: an IPv4 address, or the /64 that an IPv6 host has to itself.
fn counted(hallpass: &Hallpass, ctx: &Ctx) -> Option<[u8; 16]> {
    match ctx.ip.filter(|_| hallpass.config().throttle.enabled)?.to_canonical() {
        IpAddr::V4(v4) => Some(v4.to_ipv6_mapped().octets()),
        IpAddr::V6(v6) => Some((v6.to_bits() & (u128::MAX << 64)).to_be_bytes()),
    }
}

fn too_many(wait: i64) -> Error {
    let detail = "Too many attempts from your address: wait as many seconds as `retry_after` says";
    Error::new(Code::RateLimited, detail).retry_after(wait.unsigned_abs())
}

#[cfg(test)]
#[expect(clippy::allow_attributes, reason = "the macro for both engines is written for tests of other crates")]
mod tests {
    use super::*;
    use crate::{Config, MasterKey, on_both_engines};

    const NOW: i64 = 1_790_000_000;
    const ADA: &str = "ada@example.com";

    async fn open(db: &crate::Db, throttled: bool) -> Hallpass {
        let mut config = Config::for_issuer("https://api.example.com");
        config.throttle.enabled = throttled;
        Hallpass::open(db.clone(), &MasterKey::generate().unwrap(), config, NOW).await.unwrap()
    }

    async fn mail(hallpass: &Hallpass, email_key: &str, now: i64) -> bool {
        let mut tx = hallpass.0.db.begin().await.unwrap();
        let sent = mail_to(hallpass, &mut tx, email_key, now).await.unwrap();
        tx.commit().await.unwrap();
        sent
    }

    on_both_engines! {
        async fn an_address_gets_five_mails_a_minute_and_twenty_a_day(database) {
            let hallpass = open(&database.db, true).await;
            for minute in 0..4 {
                let now = NOW + minute * MINUTE;
                for _ in 0..5 {
                    assert!(mail(&hallpass, ADA, now).await);
                }
                // What is refused takes nothing, of the day either: there are five in each of the minutes.
                for _ in 0..5 {
                    assert!(!mail(&hallpass, ADA, now).await);
                }
            }
            let next = NOW + DAY / 20;
            for second in [3 * MINUTE, 10 * MINUTE, DAY / 20 - 1] {
                for _ in 0..10 {
                    assert!(!mail(&hallpass, ADA, NOW + second).await, "{second}");
                }
            }
            assert!(mail(&hallpass, "bob@example.com", next).await);
            // Nor does what the day refuses take anything of the minute.
            assert!(mail(&hallpass, ADA, next).await);
            assert!(!mail(&hallpass, ADA, next).await);
        }

        async fn fifty_mails_at_once_are_five(database) {
            let hallpass = open(&database.db, true).await;
            let sent = futures_util::future::join_all((0..50).map(|_| mail(&hallpass, ADA, NOW))).await;
            assert_eq!(sent.into_iter().filter(|sent| *sent).count(), 5);
        }

        async fn a_client_address_asks_for_twenty_mails_a_minute(database) {
            let hallpass = open(&database.db, true).await;
            let home = Ctx { ip: Some("192.0.2.1".parse().unwrap()), ..Ctx::operator(NOW) };
            let mut tx = hallpass.0.db.begin().await.unwrap();
            for _ in 0..20 {
                mail_request(&hallpass, &home, &mut tx).await.unwrap();
            }
            let refused = mail_request(&hallpass, &home, &mut tx).await.unwrap_err();
            assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(3)));
            for other in [Ctx::operator(NOW), Ctx { now: NOW + 3, ..home }] {
                mail_request(&hallpass, &other, &mut tx).await.unwrap();
            }
        }

        async fn switched_off_mail_is_not_counted(database) {
            let hallpass = open(&database.db, false).await;
            for _ in 0..30 {
                assert!(mail(&hallpass, ADA, NOW).await);
            }
        }
    }
}
