//! PostgreSQL's `NOTIFY` and `LISTEN`, which SQLite does not have. What the bell is for, [`crate::bell`] says.

use sqlx::{PgPool, postgres::PgListener};

const CHANNEL: &str = "hallpass_revocations";

/// Tells every connection that listens.
pub(crate) async fn ring(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(pool).await.map(drop)
}

/// Hears what is told from now on.
pub(crate) async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
