//! PostgreSQL's `NOTIFY` and `LISTEN`, which SQLite does not have. What the bell is for, [`crate::bell`] says.

use std::time::Duration;

use sqlx::{
    PgPool, Postgres,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::time::timeout;

use super::{Connections, POOL_WAIT, Patient, heard};

const CHANNEL: &str = "hallpass_revocations";

/// After so much silence the connection is asked whether it is still one.
const QUIET: Duration = Duration::from_secs(5);

/// Tells every connection that listens.
pub(crate) async fn ring(connections: &Connections<Postgres>) -> sqlx::Result<()> {
    let mut held = connections.take().await?;
    sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(Patient(held.line())).await.map(drop)
}

/// Hears what is told from now on.
///
/// Its connection is none of the pool's: a listener that is dropped waits for the server once more, which takes as long
/// as TCP likes if the network is cut, and would keep its place in the pool meanwhile.
pub(crate) async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let own = PgPoolOptions::new().max_connections(1).acquire_timeout(POOL_WAIT);
    let own = own.connect_lazy_with(pool.connect_options().as_ref().clone());
    let mut listener = PgListener::connect_with(&own).await?;
    heard(listener.listen(CHANNEL)).await?;
    Ok(listener)
}

/// Waits until something was told, or may have been: a connection that was lost was made anew.
pub(crate) async fn told(listener: &mut PgListener) -> sqlx::Result<()> {
    loop {
        if let Ok(told) = timeout(QUIET, listener.try_recv()).await {
            told?;
            while listener.next_buffered().is_some() {}
            return Ok(());
        }
        heard(sqlx::query("select 1").execute(&mut *listener)).await?;
    }
}
