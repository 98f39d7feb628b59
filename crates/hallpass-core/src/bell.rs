//! Rings when another process has taken something back, so that this one looks at the log at once.
//!
//! It is a hurry and no truth: it carries nothing, may ring for nothing, and may stay silent; whoever hears it looks, and
//! whoever does not looks every second all the same. It rings after the commit and apart from it, since PostgreSQL lets
//! transactions that notify commit one after the other only; what happens meanwhile is rung for once.

use std::{convert::Infallible, mem, time::Duration};

use sqlx::{PgPool, Postgres, postgres::PgListener};

use crate::{Connections, Db, Error, Hallpass, Result, config::Bell, revocation, store};

pub(crate) mod redis;

/// Waits between two attempts to ring or to listen.
const PAUSE: Duration = Duration::from_secs(1);

/// Rings whenever something was taken back here, for as long as it is polled.
pub async fn ring(hallpass: &Hallpass) {
    let Some(mut rope) = Rope::of(hallpass) else { return std::future::pending().await };
    let mut fine = true;
    loop {
        hallpass.0.to_ring.notified().await;
        match rope.ring().await {
            Ok(()) => fine = true,
            Err(error) => {
                tell(&mut fine, &error, "the bell cannot be rung; other servers look by themselves, each second");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Looks at the log whenever the bell rings, for as long as it is polled. `now` tells the time, in seconds since 1970
/// (UTC).
pub async fn hear(hallpass: &Hallpass, now: impl Fn() -> i64) {
    let Some(rope) = Rope::of(hallpass) else { return std::future::pending().await };
    let mut fine = true;
    loop {
        let Err(error) = listen(hallpass, &rope, &now, &mut fine).await;
        tell(&mut fine, &error, "the bell cannot be heard; this server looks by itself, each second");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(hallpass: &Hallpass, rope: &Rope, now: &impl Fn() -> i64, fine: &mut bool) -> Result<Infallible> {
    let mut ear = rope.listen().await?;
    loop {
        // The first look is for what rang before anybody listened. A connection that was lost is made anew, and may have
        // been silent about something: that is no message, and a reason to look as well.
        revocation::catch_up(hallpass, now()).await?;
        if !mem::replace(fine, true) {
            tracing::info!("the bell can be heard again");
        }
        ear.hear().await?;
    }
}

/// Says that the bell fails: as a warning the first time, and not again each second.
fn tell(fine: &mut bool, error: &Error, what: &'static str) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    if mem::replace(fine, false) {
        tracing::warn!(%error, source, "{what}");
    } else {
        tracing::debug!(%error, source, "{what}");
    }
}

/// What is pulled here, and heard by every server of this database.
enum Rope {
    Notify(Connections<Postgres>, PgPool),
    Redis(Box<redis::Rope>),
}

/// What hears it.
enum Ear {
    Notify(PgListener),
    Redis(redis::Ear),
}

impl Rope {
    /// The bell of the settings, if there is one.
    fn of(hallpass: &Hallpass) -> Option<Self> {
        let settings = &hallpass.config().revocation;
        match (settings.bell, hallpass.db()) {
            (Bell::Notify, Db::Postgres { connections, pool }) => Some(Self::Notify(connections.clone(), pool.clone())),
            // The address was checked with all other settings.
            (Bell::Redis, _) => redis::Rope::to(&settings.redis).ok().map(Box::new).map(Self::Redis),
            (Bell::Notify | Bell::Off, _) => None,
        }
    }

    async fn ring(&mut self) -> Result<()> {
        match self {
            Self::Notify(connections, _) => Ok(store::bell::ring(connections).await?),
            Self::Redis(rope) => rope.ring().await,
        }
    }

    /// Hears what is rung from now on.
    async fn listen(&self) -> Result<Ear> {
        Ok(match self {
            Self::Notify(_, pool) => Ear::Notify(store::bell::listen(pool).await?),
            Self::Redis(rope) => Ear::Redis(rope.listen().await?),
        })
    }
}

impl Ear {
    /// Waits until it rang, or may have.
    async fn hear(&mut self) -> Result<()> {
        match self {
            Self::Notify(listener) => Ok(store::bell::told(listener).await?),
            Self::Redis(ear) => ear.hear().await,
        }
    }
}
