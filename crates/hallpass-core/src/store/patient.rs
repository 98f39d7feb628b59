//! A connection to PostgreSQL that does not wait for ever: where the network swallows what is sent, TCP itself would
//! notice after a quarter of an hour.
//!
//! A statement that was given up leaves its connection in an unknown state, in which [`super::connections`] uses it no
//! more.

use std::{fmt, io, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::timeout;

use super::connections::{Held, Line, Statement};

/// How long the server may be silent: longer than it lets a statement run, so only the network runs into it.
const SILENCE: Duration = Duration::from_secs(6);

/// Gives a statement up after [`SILENCE`].
pub(crate) struct Patient<'c>(pub(super) &'c mut Line<Postgres>);

impl fmt::Debug for Patient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient")
    }
}

impl Held<Postgres> {
    pub(super) async fn begin(&mut self) -> sqlx::Result<()> {
        self.run("begin").await?;
        self.set_transaction(true);
        Ok(())
    }

    /// Ends the transaction, if there is one.
    pub(super) async fn commit(&mut self) -> sqlx::Result<()> {
        if self.is_busy() {
            self.run("commit").await?;
            self.set_transaction(false);
        }
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(Patient(self.line())).await.map(drop)
    }
}

/// Takes back what the transaction has done.
pub(super) fn rollback(connection: &mut PgConnection) -> BoxFuture<'_, sqlx::Result<()>> {
    sqlx::raw_sql("rollback").execute(connection).map(|done| done.map(drop)).boxed()
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
        let (connection, statement) = self.0.statement();
        let answers = Some(connection.fetch_many(query));
        let limited = stream::unfold((answers, statement), |(answers, mut statement)| async {
            let mut answers = answers?;
            let answer = timeout(SILENCE, answers.next()).await.unwrap_or_else(|_| Some(Err(silent())));
            let Some(answer) = answer else {
                statement.ended(&Ok(()));
                return None;
            };
            if answer.is_err() {
                statement.ended(&answer);
            }
            let goes_on = answer.is_ok();
            Some((answer, (goes_on.then_some(answers), statement)))
        });
        limited.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, statement) = self.0.statement();
        noted(connection.fetch_optional(query), statement).boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        let (connection, statement) = self.0.statement();
        noted(connection.prepare_with(sql, parameters), statement).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        let (connection, statement) = self.0.statement();
        noted(connection.describe(sql), statement).boxed()
    }
}

async fn noted<T>(work: impl Future<Output = sqlx::Result<T>>, mut statement: Statement<'_>) -> sqlx::Result<T> {
    let answer = heard(work).await;
    statement.ended(&answer);
    answer
}
