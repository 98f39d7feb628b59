//! How often a password may be guessed: per account, however it is named and from wherever, over all nodes and restarts.
//!
//! It never keeps a name that somebody typed, and never tells whether there is such an account: the name of nobody is
//! counted like one of somebody. Every comparison of a password goes through [`compare`], which asks [`crate::rates`] as
//! well: how often one client address may try.
//!
//! Five attempts are free; from then on each has to wait, 1, 2, 4 and at most 900 seconds after the one before. After
//! 100 failures in a row the password opens nothing until a new one is set. A device on which the owner has signed in
//! before has ten free attempts of its own, whatever others do: nobody locks the owner out from elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hallpass_token::AccountId;

use crate::{
    Code, Ctx, Error, Hallpass, MacKey, Result,
    device::Device,
    passwords::{Password, hash::Verdict},
    rates::{self, Failure},
    store::{self, Tx},
};

/// Attempts on an account that need not wait.
const FREE: i64 = 5;
/// Attempts from a known device that need not wait.
const FREE_ON_DEVICE: i64 = 10;
/// Failures in a row that end sign-in by password.
const MOST: i64 = 100;
/// The longest wait, in seconds.
const LONGEST: i64 = 900;
/// Seconds after which a count that has not changed is forgotten.
const REMEMBERED: i64 = 86_400;

/// Whose password is guessed.
pub(crate) enum Whose<'a> {
    Account(AccountId),
    /// Nobody's: the name in the one form that all its spellings share.
    Name(&'a str),
}

/// A password that somebody gave, and what it is compared with.
pub(crate) struct Guess<'a> {
    pub(crate) whose: Whose<'a>,
    /// What the device shows to have signed in before.
    pub(crate) device: Option<&'a str>,
    pub(crate) password: &'a Password,
    /// The hash of the account, if it has one.
    pub(crate) stored: Option<&'a str>,
}

/// An attempt that is counted as a failure until it is forgiven; `None` where nothing is counted.
#[must_use]
pub(crate) struct Attempt(Option<Counted>);

/// Where it is counted: under the key of an account, a device or a name, and for the client address.
struct Counted {
    key: String,
    /// Which attempt in a row it is.
    number: i64,
    failure: Failure,
}

/// Compares a password, unless there were too many wrong ones. The attempt is counted before the comparison begins, so
/// many at once do not get further than one after the other.
///
/// # Errors
/// [`Code::RateLimited`] with the seconds to wait, before any work is done; [`Code::Busy`], [`Code::Unavailable`].
pub(crate) async fn compare(hallpass: &Hallpass, ctx: &Ctx, guess: Guess<'_>) -> Result<(Verdict, Attempt)> {
    let attempt = claim(hallpass, ctx, &guess).await?;
    let verdict = hallpass.0.hasher.verify(guess.password, guess.stored).await;
    Ok((attempt.unless_failed(hallpass, verdict).await?, attempt))
}

/// Proves from now on that the owner of the account has signed in on this device; none where nothing is counted.
pub(crate) fn device_token(hallpass: &Hallpass, account: AccountId) -> Result<Option<String>> {
    if !hallpass.0.config.throttle.enabled {
        return Ok(None);
    }
    Ok(Some(Device::new(account)?.encode(&hallpass.0.secrets.limits)))
}

/// Begins anew for an account whose password was set.
pub(crate) async fn clear(hallpass: &Hallpass, tx: &mut Tx, account: AccountId) -> Result<()> {
    store::attempts::clear(tx.conn(), &account_key(&hallpass.0.secrets.limits, account)).await?;
    Ok(())
}

/// Forgets counts that have not changed for a day, but not that sign-in by password has ended.
///
/// Those stay, whether or not there is such an account; each costs whoever makes it 100 attempts in most of a day.
pub(crate) async fn prune(tx: &mut Tx, now: i64) -> Result<()> {
    store::attempts::prune(tx.conn(), MOST, now - REMEMBERED).await?;
    Ok(())
}

impl Attempt {
    /// Begins anew at none, as part of what the right password brings about. No other count changes: the client address
    /// has one failure less, and still those before it.
    pub(crate) async fn forgive(self, tx: &mut Tx) -> Result<()> {
        if let Some(Counted { key, failure, .. }) = self.0 {
            failure.forgive(tx).await?;
            store::attempts::clear(tx.conn(), &key).await?;
        }
        Ok(())
    }

    /// Whether nobody can try any more after this one, from wherever it came.
    pub(crate) fn was_the_last(&self, hallpass: &Hallpass, account: AccountId) -> bool {
        let ended = |counted: &Counted| {
            counted.number >= MOST && counted.key == account_key(&hallpass.0.secrets.limits, account)
        };
        self.0.as_ref().is_some_and(ended)
    }

    /// Gives the attempt back if what it was made for failed for another reason than a wrong password.
    pub(crate) async fn unless_failed<T>(&self, hallpass: &Hallpass, outcome: Result<T>) -> Result<T> {
        if outcome.is_err() {
            // If this fails as well, the next success makes good for it.
            let _ = self.give_back(hallpass).await;
        }
        outcome
    }

    async fn give_back(&self, hallpass: &Hallpass) -> Result<()> {
        if let Some(Counted { key, failure, .. }) = &self.0 {
            let mut tx = hallpass.0.db.begin().await?;
            failure.forgive(&mut tx).await?;
            store::attempts::give_back(tx.conn(), key).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

async fn claim(hallpass: &Hallpass, ctx: &Ctx, guess: &Guess<'_>) -> Result<Attempt> {
    if !hallpass.0.config.throttle.enabled {
        return Ok(Attempt(None));
    }
    rates::look(hallpass, ctx).await?;
    let mut tx = hallpass.0.db.begin().await?;
    rates::sign_in(hallpass, ctx, &mut tx).await?;
    let failure = rates::failed(hallpass, ctx, &mut tx).await?;
    let claimed = claim_key(hallpass, ctx, &mut tx, guess).await;
    if claimed.is_err() {
        // Nothing is compared, so nothing fails; but the address has asked.
        failure.forgive(&mut tx).await?;
    }
    tx.commit().await?;
    let (key, number) = claimed?;
    Ok(Attempt(Some(Counted { key, number, failure })))
}

/// The key under which the attempt is counted, and which in a row it is there.
async fn claim_key(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx, guess: &Guess<'_>) -> Result<(String, i64)> {
    let mac = &hallpass.0.secrets.limits;
    let (key, device) = match guess.whose {
        Whose::Account(id) => {
            let device = guess.device.and_then(|text| Device::decode(text, mac));
            (account_key(mac, id), device.filter(|device| device.account == id))
        }
        Whose::Name(name) => (key(mac, &[b"name", name.as_bytes()]), None),
    };
    if let Some(Device { account, nonce }) = device {
        let key = self::key(mac, &[b"tries", &account.0.to_be_bytes(), &nonce]);
        // A device that has used up its attempts is as good as unknown.
        if let Some(number) = take(ctx, tx, &key, FREE_ON_DEVICE).await? {
            return Ok((key, number));
        }
    }
    if let Some(number) = take(ctx, tx, &key, FREE).await? {
        return Ok((key, number));
    }
    let detail = "Too many wrong passwords in a row: nobody can sign in with this one until a new password is set";
    Err(Error::new(Code::RateLimited, detail).retry_after(LONGEST.unsigned_abs()))
}

/// Counts an attempt and says which in a row it is, unless there can be none any more.
///
/// # Errors
/// [`Code::RateLimited`] if it has to wait; [`Code::Unavailable`].
async fn take(ctx: &Ctx, tx: &mut Tx, key: &str, free: i64) -> Result<Option<i64>> {
    if let Some(number) = store::attempts::claim(tx.conn(), key, free, MOST, ctx.now).await? {
        return Ok(Some(number));
    }
    let row = store::attempts::get(tx.conn(), key).await?;
    if row.is_some_and(|row| row.failures >= MOST) {
        return Ok(None);
    }
    // Without a row the count was cleared this very moment.
    let wait = row.map_or(1, |row| row.blocked_until.saturating_sub(ctx.now).clamp(1, LONGEST));
    let detail = "Too many wrong passwords for this name: wait as many seconds as `retry_after` says";
    Err(Error::new(Code::RateLimited, detail).retry_after(wait.unsigned_abs()))
}

fn account_key(mac: &MacKey, id: AccountId) -> String {
    key(mac, &[b"account", &id.0.to_be_bytes()])
}

/// The first part says what is counted, and none is the beginning of another.
pub(crate) fn key(mac: &MacKey, parts: &[&[u8]]) -> String {
    BASE64.encode(mac.mac(&parts.concat()))
}
