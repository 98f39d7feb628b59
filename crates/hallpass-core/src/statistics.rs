//! How much happened: sign-ups, sign-ins, failures, refreshes and ends of sessions, for each hour.
//!
//! It is counted in memory and written down now and then, so that no request pays for it with a write; what was not
//! written down when a server dies is lost. It never knows who it was.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError, atomic::Ordering},
};

use crate::{
    Ctx, Hallpass, Result,
    audit::Event,
    store::{self, events::EventRow},
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Seconds for which numbers are kept: 180 days.
pub(crate) const KEPT: i64 = 180 * DAY;
/// Seconds after which what was counted is written down.
const HELD: i64 = 10;
/// Days that are shown hour by hour, at most.
const DAYS_IN_HOURS: u32 = 2;

/// How much happened, and how much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// How many accounts there are.
    pub accounts: i64,
    /// How many sessions can be refreshed.
    pub sessions: i64,
    /// Seconds from one bucket to the next: an hour or a day.
    pub step: i64,
    /// The oldest first; the last one has not ended yet.
    pub buckets: Vec<Bucket>,
}

/// How much happened within an hour or a day (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins, in seconds since 1970 (UTC).
    pub at: i64,
    /// Accounts that people made for themselves.
    pub signed_up: i64,
    /// Sign-ins.
    pub signed_in: i64,
    /// Wrong passwords, and right ones of accounts that may not sign in.
    pub sign_in_failed: i64,
    /// Refresh secrets that were answered with a token.
    pub refreshed: i64,
    /// Sessions that ended.
    pub revoked: i64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    SignedUp,
    SignedIn,
    SignInFailed,
    Refreshed,
    Revoked,
}

impl Kind {
    const ALL: [Self; 5] = [Self::SignedUp, Self::SignedIn, Self::SignInFailed, Self::Refreshed, Self::Revoked];

    /// The name in the database.
    fn as_str(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::Refreshed => "refreshed",
            Self::Revoked => "revoked",
        }
    }
}

impl Bucket {
    fn add(&mut self, kind: Kind, number: i64) {
        *match kind {
            Kind::SignedUp => &mut self.signed_up,
            Kind::SignedIn => &mut self.signed_in,
            Kind::SignInFailed => &mut self.sign_in_failed,
            Kind::Refreshed => &mut self.refreshed,
            Kind::Revoked => &mut self.revoked,
        } += number;
    }
}

/// What this server has counted and not written down, by the hour.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<BTreeMap<(i64, Kind), i64>>);

impl Counted {
    /// Counts one more.
    pub(crate) fn add(&self, now: i64, kind: Kind) {
        self.put([((start(now, HOUR), kind), 1)]);
    }

    /// Counts an event, if it is one that counts.
    pub(crate) fn note(&self, event: &EventRow) {
        let kind = match Event::parse(&event.event) {
            Some(Event::SignedUp) => Kind::SignedUp,
            Some(Event::SignedIn) => Kind::SignedIn,
            Some(Event::SignInFailed) => Kind::SignInFailed,
            Some(Event::SessionEnded) => Kind::Revoked,
            _ => return,
        };
        self.add(event.at, kind);
    }

    fn put(&self, numbers: impl IntoIterator<Item = ((i64, Kind), i64)>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, number) in numbers {
            *counted.entry(place).or_default() += number;
        }
    }

    fn take(&self) -> BTreeMap<(i64, Kind), i64> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self) -> BTreeMap<(i64, Kind), i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes down what was counted here: every ten seconds by [`crate::tasks::tidy`], and once more before a server ends.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then it is still counted.
pub async fn flush(hallpass: &Hallpass) -> Result<()> {
    let mut taken = Taken { of: &hallpass.0.counted, numbers: hallpass.0.counted.take() };
    write(hallpass, &taken.numbers).await?;
    taken.numbers.clear();
    Ok(())
}

/// What is being written down; what is left when that fails, or is given up, counts on.
struct Taken<'c> {
    of: &'c Counted,
    numbers: BTreeMap<(i64, Kind), i64>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.of.put(mem::take(&mut self.numbers));
    }
}

/// In the order of the table, so that no two servers wait for each other.
async fn write(hallpass: &Hallpass, counted: &BTreeMap<(i64, Kind), i64>) -> Result<()> {
    if counted.is_empty() {
        return Ok(());
    }
    let mut tx = hallpass.0.db.begin().await?;
    for ((hour, kind), number) in counted {
        store::statistics::add(tx.conn(), *hour, kind.as_str(), *number).await?;
    }
    tx.commit().await
}

/// Writes down what was counted, if that is due.
pub(crate) async fn keep_up(hallpass: &Hallpass, now: i64) -> Result<()> {
    if now.abs_diff(hallpass.0.flushed_at.load(Ordering::Relaxed)) < HELD.unsigned_abs() {
        return Ok(());
    }
    hallpass.0.flushed_at.store(now, Ordering::Relaxed);
    flush(hallpass).await
}

/// What happened within the last `days`, today included, and what there is.
pub(crate) async fn read(hallpass: &Hallpass, ctx: &Ctx, days: u32) -> Result<Statistics> {
    let (step, number) = if days <= DAYS_IN_HOURS { (HOUR, 24 * i64::from(days)) } else { (DAY, i64::from(days)) };
    let first = start(ctx.now, step) - (number - 1) * step;
    let mut buckets: BTreeMap<i64, Bucket> =
        (0..number).map(|n| first + n * step).map(|at| (at, Bucket { at, ..Bucket::default() })).collect();
    let mut reader = hallpass.0.db.read().await?;
    let mut put = |hour, kind, number| {
        if let Some(bucket) = buckets.get_mut(&start(hour, step)) {
            bucket.add(kind, number);
        }
    };
    for row in store::statistics::since(reader.conn(), first).await? {
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.kind) {
            put(row.hour, kind, row.number);
        }
    }
    for ((hour, kind), number) in hallpass.0.counted.look() {
        put(hour, kind, number);
    }
    Ok(Statistics {
        accounts: store::accounts::count(reader.conn()).await?,
        sessions: store::sessions::count_live(reader.conn(), ctx.now).await?,
        step,
        buckets: buckets.into_values().collect(),
    })
}

/// When the hour or day begins in which `at` is.
fn start(at: i64, step: i64) -> i64 {
    at - at.rem_euclid(step)
}
