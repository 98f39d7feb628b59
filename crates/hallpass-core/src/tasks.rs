//! What has to be done from time to time, whoever asks: following the log and the keys, and forgetting what is over.
//!
//! It holds no timer: the edge calls [`follow`] and [`tidy`] every second, beside each other, so that a test can call
//! [`run`] at any moment it likes.

use std::sync::atomic::Ordering;

use crate::{Ctx, Hallpass, Result, audit, deletion, keys, limits, mail, rates, revocation, statistics, store};

/// Seconds for which an ended session can still say why it ended.
const REMEMBERED: i64 = 30 * 86_400;

/// One pass. Each part does nothing if nothing is due.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then the next pass follows the log from where it was, and the next minute does the rest.
pub async fn run(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    follow(hallpass, ctx).await?;
    tidy(hallpass, ctx).await
}

/// The part that no other may hold up: what was taken back, and the keys.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then nothing is lost.
pub async fn follow(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    revocation::follow(hallpass, ctx.now).await?;
    keys::reload(hallpass).await
}

/// The part that is due once a minute, what was counted, every ten seconds, and memory that nobody needs.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then the next minute does it.
pub async fn tidy(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    hallpass.0.hasher.give_memory_back();
    statistics::keep_up(hallpass, ctx.now).await?;
    let last = hallpass.0.tidied_at.swap(ctx.now, Ordering::Relaxed);
    if revocation::is_same_minute(last, ctx.now) {
        return Ok(());
    }
    keys::keep_up(hallpass, ctx).await?;
    deletion::carry_out(hallpass, ctx).await?;
    let mut tx = hallpass.0.db.begin().await?;
    store::revocations::prune(tx.conn(), ctx.now - revocation::KEPT).await?;
    store::sessions::prune(tx.conn(), ctx.now - REMEMBERED).await?;
    store::status_indexes::prune(tx.conn(), ctx.now - revocation::KEPT).await?;
    limits::prune(&mut tx, ctx.now).await?;
    store::statistics::prune(tx.conn(), ctx.now - statistics::KEPT).await?;
    store::events::prune(tx.conn(), ctx.now - audit::KEPT).await?;
    store::tickets::prune(tx.conn(), ctx.now).await?;
    store::outbox::prune(tx.conn(), ctx.now - mail::KEPT).await?;
    tx.commit().await?;
    rates::prune(hallpass, ctx.now).await
}
