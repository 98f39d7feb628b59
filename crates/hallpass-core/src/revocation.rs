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
    sessions::EndCause,
    store::{self, Tx, events::EventRow, sessions::SessionRow},
};

/// Seconds of the log that are read again each time: more than any transaction takes, and clocks differ.
const OVERLAP: i64 = 60;

/// Lines that are read again when a bell rings: more than are written between the beginning and the end of one
/// transaction, in which numbers can come out of order.
const BACK: i64 = 512;

/// Seconds without a look at the log after which this server does not speak for it.
const PATIENCE: i64 = 10;

/// Seconds that a token can come after the change that kills it: the request that mints it may have begun before, and
/// verifiers forgive some clock difference.
const SLACK: i64 = 120;

/// When a line written at `now` can be forgotten: no token that it concerns lives longer.
pub(crate) fn forget_at(hallpass: &Hallpass, now: i64) -> i64 {
    now + hallpass.config().tokens.lifetime + hallpass.config().tokens.leeway + SLACK
}

/// What one transaction takes back and records: as soon as it is committed, it takes effect here and is logged.
#[derive(Default)]
pub(crate) struct Pending {
    lines: Vec<Revocation>,
    events: Vec<EventRow>,
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
        if ended {
            self.note(hallpass, ctx, tx, owner, session, cause).await?;
        }
        Ok(ended)
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
            self.note(hallpass, ctx, tx, AccountId(row.account_id), row.id(), cause).await?;
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
        for session in store::sessions::end_all(tx.conn(), account, keep, cause.as_str(), ctx.now).await? {
            self.note(hallpass, ctx, tx, account, session, cause).await?;
        }
        Ok(())
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
        self.events.iter().for_each(audit::log);
        Ok(())
    }

    async fn note(
        &mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        tx: &mut Tx,
        account: AccountId,
        session: SessionId,
        cause: EndCause,
    ) -> Result<()> {
        let note = Event::SessionEnded.of(account).on(session).because(cause.as_str());
        self.record(hallpass, ctx, tx, note).await?;
        let line = Revocation::Session { session, forget_at: forget_at(hallpass, ctx.now) };
        self.append(ctx, tx, line, cause.as_str()).await
    }
}

/// Reads what was appended to the log since the last time, by this process or another, and applies it.
///
/// Lines are found by their number, so a writer whose clock is behind is followed as well; and again by their time,
/// because one with a low number may be committed after one with a high number was read.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then nothing is lost, the next call reads the same lines.
pub async fn follow(hallpass: &Hallpass, now: i64) -> Result<()> {
    read(hallpass, 0, overlap(hallpass.0.followed_at.load(Ordering::Relaxed)), now).await?;
    hallpass.0.followed_at.store(now, Ordering::Relaxed);
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

/// From when on lines are read again, if the last time was `at`.
pub(crate) fn overlap(at: i64) -> i64 {
    at - OVERLAP
}

/// Refuses to speak for the log while it cannot be read.
pub(crate) fn demand_fresh(hallpass: &Hallpass, now: i64) -> Result<()> {
    if now - hallpass.0.followed_at.load(Ordering::Relaxed) > PATIENCE {
        let detail = "The revocation log has not been read for 10 seconds";
        return Err(Error::new(Code::Unavailable, detail).retry_after(1));
    }
    Ok(())
}
