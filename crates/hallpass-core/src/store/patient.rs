//! A connection to PostgreSQL that does not wait for ever: where the network swallows what is sent, TCP itself would
//! notice after a quarter of an hour.
//!
//! A statement that was given up leaves its connection in an unknown state; [`still_good`] keeps such a one out of the
//! pool.

use std::{io, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Connection, Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::timeout;

/// How long the server may be silent: longer than it lets a statement run, so only the network runs into it.
const SILENCE: Duration = Duration::from_secs(6);

/// Gives a statement up after [`SILENCE`].
#[derive(Debug)]
pub(crate) struct Patient<'c>(pub(super) &'c mut PgConnection);

/// Whether a connection that was used can be used again. A connection that does not say so in time is dropped: a pool
/// that waits for it has no place for another one.
pub(super) async fn still_good(connection: &mut PgConnection) -> sqlx::Result<bool> {
    match timeout(super::POOL_WAIT, connection.ping()).await {
        Ok(answered) => answered.map(|()| true),
        Err(_) => Err(silent()),
    }
}

/// Waits for what the server says, but not for ever.
pub(crate) async fn heard<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(SILENCE, work).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the database is silent").into()
}

impl<'c> Executor<'c> for Patient<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let answers = Some(self.0.fetch_many(query));
        let limited = stream::unfold(answers, |answers| async {
            let mut answers = answers?;
            match timeout(SILENCE, answers.next()).await {
                Ok(answer) => Some((answer?, Some(answers))),
                Err(_) => Some((Err(silent()), None)),
            }
        });
        limited.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        heard(self.0.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        heard(self.0.prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        heard(self.0.describe(sql)).boxed()
    }
}
