//! The sessions of all accounts at once: for a database that was restored, in which some live again that had ended.
//!
//! It never ends one by itself: that a database fell back is said, and what to do about it is the operator's choice.

use std::sync::atomic::Ordering;

use super::EndCause;
use crate::{Ctx, Hallpass, Result, revocation::Pending};

/// Sessions that [`end_some`] ends in one transaction.
const AT_ONCE: usize = 500;

/// What [`end_some`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How many sessions it ended.
    pub count: usize,
    /// Whether there may be more.
    pub more: bool,
}

/// Ends some hundred of all live sessions, whosever they are, and says whether there may be more: for an operator who
/// signs everybody out, with the time of the moment for each call. What was ended stays so if it is interrupted.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then none of these is over.
pub async fn end_some(hallpass: &Hallpass, ctx: &Ctx) -> Result<Ended> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    let count = pending.end_some(hallpass, ctx, &mut tx, EndCause::EndedByAdmin, AT_ONCE).await?;
    pending.commit(hallpass, tx).await?;
    Ok(Ended { count, more: count == AT_ONCE })
}

/// Says, at most once an hour, that the database is older than what a client holds: nobody is signed out by that, but what
/// ended meanwhile lives again.
pub(super) fn warn_of_old_copy(hallpass: &Hallpass, now: i64) {
    let last = hallpass.0.warned_at.load(Ordering::Relaxed);
    if now.abs_diff(last) < 3600 || hallpass.0.warned_at.swap(now, Ordering::Relaxed) != last {
        return;
    }
    tracing::warn!(
        "a client holds a newer refresh secret than the database knows: the database was restored or fell back to an \
         older copy, so sessions that ended since then live again; `hallpass sessions end-all` ends all of them"
    );
}
