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

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::{Config, MasterKey, passwords::Password, testing::TestDb};

    const NOW: i64 = 1_790_000_000;

    #[tokio::test]
    async fn memory_of_hashes_is_given_back_when_no_hash_has_come_for_a_pass() {
        let test_db = TestDb::sqlite().await;
        test_db.db.migrate().await.unwrap();
        let key = MasterKey::generate().unwrap();
        let config = Config::for_issuer("https://api.example.com");
        let hallpass = Hallpass::open(test_db.db.clone(), &key, config, NOW).await.unwrap();
        let password = Password::parse("password", &SecretString::from("otters juggle lanterns")).unwrap();
        hallpass.0.hasher.hash(&password).await.unwrap();
        tidy(&hallpass, &Ctx::operator(NOW)).await.unwrap();
        assert!(hallpass.0.hasher.keeps_memory());
        tidy(&hallpass, &Ctx::operator(NOW + 1)).await.unwrap();
        assert!(!hallpass.0.hasher.keeps_memory());
    }
}
