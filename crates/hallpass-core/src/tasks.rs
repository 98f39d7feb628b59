//! What has to be done from time to time, whoever asks: following the log and the keys, and forgetting what is over.
//!
//! It holds no timer: the edge calls [`run`] every second or two, so that a test can call it at any moment it likes.

use std::sync::atomic::Ordering;

use crate::{Ctx, Hallpass, Result, audit, deletion, keys, limits, mail, rates, revocation, store};

/// Seconds for which an ended session can still say why it ended.
const REMEMBERED: i64 = 30 * 86_400;

/// One pass. Each part does nothing if nothing is due.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then the next pass follows the log from where it was, and the next minute does the rest.
pub async fn run(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let minute = |time: i64| time.div_euclid(60);
    let a_minute_passed = minute(hallpass.0.followed_at.load(Ordering::Relaxed)) != minute(ctx.now);
    revocation::follow(hallpass, ctx.now).await?;
    keys::reload(hallpass).await?;
    if a_minute_passed {
        hallpass.verifier().revoked().forget(ctx.now);
        keys::keep_up(hallpass, ctx).await?;
        deletion::carry_out(hallpass, ctx).await?;
        let mut tx = hallpass.0.db.begin().await?;
        store::revocations::prune(tx.conn(), ctx.now).await?;
        store::sessions::prune(tx.conn(), ctx.now - REMEMBERED).await?;
        limits::prune(&mut tx, ctx.now).await?;
        store::events::prune(tx.conn(), ctx.now - audit::KEPT).await?;
        store::tickets::prune(tx.conn(), ctx.now).await?;
        store::outbox::prune(tx.conn(), ctx.now - mail::KEPT).await?;
        tx.commit().await?;
        rates::prune(hallpass, ctx.now).await?;
    }
    Ok(())
}
