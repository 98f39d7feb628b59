//! Rings when another process has taken something back, so that this one looks at the log at once.
//!
//! It is a hurry and no truth: it carries nothing, may ring for nothing, and may stay silent; whoever hears it looks, and
//! whoever does not looks every second all the same. It rings after the commit and apart from it, since PostgreSQL lets
//! transactions that notify commit one after the other only; what happens meanwhile is rung for once.

use std::time::Duration;

use sqlx::PgPool;

use crate::{Db, Hallpass, Result, config::Bell, revocation, store};

/// Waits between two attempts to ring or to listen.
const PAUSE: Duration = Duration::from_secs(1);

/// Rings whenever something was taken back here, for as long as it is polled.
pub async fn ring(hallpass: &Hallpass) {
    let Some(pool) = database(hallpass) else { return std::future::pending().await };
    loop {
        hallpass.0.to_ring.notified().await;
        if let Err(error) = store::bell::ring(pool).await {
            tracing::debug!(%error, "the bell cannot be rung; other servers look by themselves");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Looks at the log whenever the bell rings, for as long as it is polled. `now` tells the time, in seconds since 1970
/// (UTC).
pub async fn hear(hallpass: &Hallpass, now: impl Fn() -> i64) {
    let Some(pool) = database(hallpass) else { return std::future::pending().await };
    loop {
        if let Err(error) = listen(hallpass, pool, &now).await {
            tracing::debug!(%error, "the bell cannot be heard; it is tried again in a second");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn listen(hallpass: &Hallpass, pool: &PgPool, now: &impl Fn() -> i64) -> Result<()> {
    let mut listener = store::bell::listen(pool).await?;
    loop {
        // The first look is for what rang before anybody listened. A connection that was lost is made anew, and may have
        // been silent about something: that is no message, and a reason to look as well.
        revocation::catch_up(hallpass, now()).await?;
        listener.try_recv().await?;
        while listener.next_buffered().is_some() {}
    }
}

/// The database that rings, if it is one that can.
fn database(hallpass: &Hallpass) -> Option<&PgPool> {
    match (hallpass.db(), hallpass.config().revocation.bell) {
        (Db::Postgres(pool), Bell::Notify) => Some(pool),
        _ => None,
    }
}
