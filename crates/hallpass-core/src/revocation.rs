//! Taking tokens back: lines are appended to the log in the transaction that causes them, and applied to memory before
//! anybody is told that it happened. What is recorded of it ([`crate::audit`]) goes the same way.
//!
//! The log is the truth. Memory is only ahead of nothing: what another process wrote arrives by [`follow`], which reads
//! the last lines again, so that one that was committed late is not missed. Applying a line twice is harmless.

use std::sync::atomic::Ordering;

use hallpass_token::{AccountId, Revocation, SessionId};

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    audit::{self, Event, Note},
    config::WhenStale,
    sessions::EndCause,
    store::{self, Tx, events::EventRow, sessions::SessionRow},
};

/// Seconds of the log that are read again each time: more than any transaction takes, and clocks differ.
const OVERLAP: i64 = 60;

/// Lines that are read again when a bell rings: more than are written between the beginning and the end of one
/// transaction, in which numbers can come out of order.
const BACK: i64 = 512;

/// Seconds after a look at the log in which verifiers elsewhere are told what it says: it is read every second.
const NEWS: i64 = 3;

/// Seconds by which the last look at the log may seem to be in the future: clocks are read in whole seconds. A look
/// further ahead was made before the clock was set back.
const SLIP: i64 = 2;

/// Seconds for which lines stay in the table after they could be forgotten: when a clock that was wrong by days is set
/// back, tokens that had expired are good again, and what was taken back of them has to be found.
pub(crate) const KEPT: i64 = 3 * 86_400;

/// Seconds that a token can come after the change that kills it: the request that mints it may have begun before, and
/// verifiers forgive some clock difference.
const SLACK: i64 = 120;

/// When what was issued until `issued` can be forgotten: no such token lives longer.
pub(crate) fn forget_at(hallpass: &Hallpass, issued: i64) -> i64 {
    issued + hallpass.config().tokens.lifetime + hallpass.config().tokens.leeway + SLACK
}

/// Until when tokens of a session may have been issued that was last used at `used`: until now, unless the clock was set
/// back since. Then there may be some that are good only when that time comes again.
pub(crate) fn last_issued(hallpass: &Hallpass, now: i64, used: i64) -> i64 {
    if used > now { used + hallpass.config().sessions.replay_window } else { now }
}

/// What one transaction takes back and records: as soon as it is committed, it takes effect here and is logged.
#[derive(Default)]
pub(crate) struct Pending {
    lines: Vec<Revocation>,
    events: Vec<EventRow>,
}

/// A session that is over.
struct Ended {
    session: SessionId,
    /// When it was last used.
    used: i64,
    cause: EndCause,
}

impl Pending {
    /// Appends a line within the transaction.
    pub(crate) async fn append(&mut self, ctx: &Ctx, tx: &mut Tx, line: Revocation, cause: &str) -> Result<()> {
        store::revocations::append(tx.conn(), &line, cause, ctx.now).await?;
        self.lines.push(line);
        Ok(())
    }

    /// Records what happened within the transaction; the line in the log comes after the commit.
    pub(crate) async fn record(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        note: impl Into<Note>,
    ) -> Result<()> {
        let row = note.into().row(hallpass, ctx)?;
        store::events::insert(tx.conn(), &row).await?;
        self.events.push(row);
        Ok(())
    }

    /// Ends one session of `owner`'s; false if it was over already or is not theirs.
    pub(crate) async fn end(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        owner: AccountId,
        session: SessionId,
        cause: EndCause,
    ) -> Result<bool> {
        let ended = store::sessions::end(tx.conn(), session, Some(owner), cause.as_str(), ctx.now).await?;
        if let Some(used) = ended {
            self.note(hallpass, ctx, tx, owner, Ended { session, used, cause }).await?;
        }
        Ok(ended.is_some())
    }

    /// Ends a session, unless it changed since `row` was read.
    pub(crate) async fn end_as_read(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        row: &SessionRow,
        cause: EndCause,
    ) -> Result<bool> {
        let ended = store::sessions::end_as_read(tx.conn(), row, cause.as_str(), ctx.now).await?;
        if ended {
            let over = Ended { session: row.id(), used: row.last_used_at, cause };
            self.note(hallpass, ctx, tx, AccountId(row.account_id), over).await?;
        }
        Ok(ended)
    }

    /// Ends all sessions of an account but `keep`.
    pub(crate) async fn end_all(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        account: AccountId,
        keep: Option<SessionId>,
        cause: EndCause,
    ) -> Result<()> {
        for (session, used) in store::sessions::end_all(tx.conn(), account, keep, cause.as_str(), ctx.now).await? {
            self.note(hallpass, ctx, tx, account, Ended { session, used, cause }).await?;
        }
        Ok(())
    }

    /// Ends some of all live sessions, `limit` at most, and says how many.
    pub(crate) async fn end_some(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        cause: EndCause,
        limit: usize,
    ) -> Result<usize> {
        // One that ran out a moment ago may still have tokens.
        let live_at = ctx.now - hallpass.config().tokens.lifetime;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ended = store::sessions::end_some(tx.conn(), cause.as_str(), ctx.now, live_at, limit).await?;
        for &(session, account, used) in &ended {
            self.note(hallpass, ctx, tx, account, Ended { session, used, cause }).await?;
        }
        Ok(ended.len())
    }

    /// Commits, and applies every line to this process's memory before it returns.
    pub(crate) async fn commit(self, hallpass: &Hallpass, tx: Tx) -> Result<()> {
        tx.commit().await?;
        for line in &self.lines {
            apply(hallpass, line);
        }
        if !self.lines.is_empty() {
            hallpass.0.to_ring.notify_one();
        }
        for event in &self.events {
            audit::log(event);
            hallpass.0.counted.note(event);
        }
        Ok(())
    }

    async fn note(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        account: AccountId,
        Ended { session, used, cause }: Ended,
    ) -> Result<()> {
        let note = Event::SessionEnded.of(account).on(session).because(cause.as_str());
        self.record(hallpass, ctx, tx, note).await?;
        let forget_at = forget_at(hallpass, last_issued(hallpass, ctx.now, used));
        let line = Revocation::Session { session, forget_at };
        self.append(ctx, tx, line, cause.as_str()).await
    }
}

/// Reads what was appended to the log since the last time, by this process or another, and applies it; what is over is
/// forgotten, once a minute.
///
/// Lines are found by their number, so a writer whose clock is behind is followed as well; and again by their time,
/// because one with a low number may be committed after one with a high number was read. If the clock was set back, all
/// that is live is read again: it may have been forgotten, or not read, as over.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then nothing is lost, the next call reads the same lines.
pub async fn follow(hallpass: &Hallpass, now: i64) -> Result<()> {
    let last = hallpass.0.followed_at.load(Ordering::Relaxed);
    let since = if last - now > SLIP { 0 } else { overlap(last) };
    read(hallpass, 0, since, now).await?;
    hallpass.0.followed_at.store(now, Ordering::Relaxed);
    // Here and nowhere else: what is forgotten by a clock that is wrong has to be read again by the next look.
    if !is_same_minute(last, now) {
        hallpass.verifier().revoked().forget(now);
    }
    Ok(())
}

/// The same for the moment at which a bell rings: what was written just now, without the long look back that
/// [`follow`] does every second.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then nothing is lost, [`follow`] comes by.
pub async fn catch_up(hallpass: &Hallpass, now: i64) -> Result<()> {
    read(hallpass, BACK, i64::MAX, now).await
}

/// Reads and applies the lines that are new by their number, or that were written at or after `since`; of those with
/// numbers that were read already, the last `back`.
async fn read(hallpass: &Hallpass, back: i64, since: i64, now: i64) -> Result<()> {
    let last = hallpass.0.last_line.load(Ordering::Relaxed);
    let mut reader = hallpass.0.db.read().await?;
    let (lines, newest) = store::revocations::since(reader.conn(), last - back, since, now).await?;
    for line in &lines {
        apply(hallpass, line);
    }
    hallpass.0.last_line.fetch_max(newest.unwrap_or(last), Ordering::Relaxed);
    Ok(())
}

fn apply(hallpass: &Hallpass, line: &Revocation) {
    if hallpass.verifier().revoked().apply(line) {
        hallpass.0.held.push(*line);
    }
}

pub(crate) fn is_same_minute(one: i64, other: i64) -> bool {
    one.div_euclid(60) == other.div_euclid(60)
}

/// From when on lines are read again, if the last time was `at`.
pub(crate) fn overlap(at: i64) -> i64 {
    at - OVERLAP
}

/// Whether a token may be let in at `now` by what this server remembers of the log: it was read less than
/// `revocation.max_staleness` ago, or the settings say not to mind.
pub fn is_known(hallpass: &Hallpass, now: i64) -> bool {
    hallpass.config().revocation.when_stale == WhenStale::Accept
        || is_fresh(hallpass, hallpass.config().revocation.max_staleness, now)
}

/// Refuses to be ready while the log cannot be read.
pub(crate) fn demand_known(hallpass: &Hallpass, now: i64) -> Result<()> {
    demand(hallpass, hallpass.config().revocation.max_staleness, now)
}

/// Refuses to speak for the log to verifiers elsewhere unless it was read just now: their own patience begins when they
/// are told.
pub(crate) fn demand_news(hallpass: &Hallpass, now: i64) -> Result<()> {
    demand(hallpass, NEWS.min(hallpass.config().revocation.max_staleness), now)
}

fn demand(hallpass: &Hallpass, within: i64, now: i64) -> Result<()> {
    if !is_fresh(hallpass, within, now) {
        let detail = format!("The revocation log has not been read for {within} seconds");
        return Err(Error::new(Code::Unavailable, detail).retry_after(1));
    }
    Ok(())
}

/// Whether the last look at the log was made lately. It is asked with every request, so a server that slept knows it as
/// soon as it wakes up.
fn is_fresh(hallpass: &Hallpass, within: i64, now: i64) -> bool {
    let age = now - hallpass.0.followed_at.load(Ordering::Relaxed);
    (-SLIP..=within).contains(&age)
}
