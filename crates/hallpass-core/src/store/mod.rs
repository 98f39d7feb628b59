//! The database: one SQL text for SQLite and PostgreSQL, in one file per table, and one for the bell. No other module of any crate contains SQL.
//!
//! A statement is written once, as `sql!("…")`, and runs on whichever engine is open through [`on!`]. It knows tables and
//! rows, never the rules of sessions or accounts.

use std::{io::ErrorKind, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    migrate::{Migrate, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Code, Error, Result, adopt, error::no_answer};
pub use connections::Connections;
use connections::Held;
pub(crate) use patient::{Patient, heard};
use turns::Turn;
pub use turns::Turns;

pub(crate) mod accounts;
pub(crate) mod addresses;
pub(crate) mod adopted;
pub(crate) mod attempts;
pub(crate) mod bell;
pub(crate) mod clients;
mod connections;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod meta;
pub(crate) mod outbox;
mod patient;
pub(crate) mod rates;
pub(crate) mod revocations;
pub(crate) mod search;
pub(crate) mod sessions;
#[cfg(test)]
mod statements;
pub(crate) mod statistics;
pub(crate) mod status_indexes;
pub(crate) mod tickets;
mod turns;

/// Marks a literal as a statement, so that one test can find them all and prepare each on both engines.
macro_rules! sql {
    ($text:literal) => {
        $text
    };
}
pub(crate) use sql;

/// Runs the same body on whichever engine the connection belongs to.
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($c) => $body,
            $crate::store::Conn::Postgres($c) => $body,
        }
    };
}
pub(crate) use on;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before the store counts as unavailable.
const POOL_WAIT: Duration = Duration::from_secs(3);
const READERS: usize = 8;
const POSTGRES_CONNECTIONS: usize = 16;

/// An open database.
#[derive(Debug, Clone)]
pub enum Db {
    /// An embedded file: many readers beside one writer, which is all that SQLite has.
    Sqlite {
        /// Connections that only read.
        readers: Connections<Sqlite>,
        /// The one connection that writes.
        writer: SqlitePool,
        /// Who may use it next.
        turns: Turns,
    },
    /// A PostgreSQL server.
    Postgres {
        /// What requests use.
        connections: Connections<Postgres>,
        /// What setting up uses.
        pool: PgPool,
    },
}

/// A borrowed connection of either engine: the first argument of every function that runs a statement.
pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(Patient<'a>),
}

/// A connection for reading outside of a transaction.
pub(crate) enum Reader {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

/// A transaction that writes; without [`Tx::commit`] it never happened.
pub(crate) enum Tx {
    Sqlite(Turn),
    Postgres(Held<Postgres>),
}

impl Db {
    /// Opens `sqlite:PATH` (made if it is not there, readable by its owner only) or `postgres://…`.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for an address that is neither, [`Code::Unavailable`] if the database does not answer.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(unreadable)?
                .application_name("hallpass")
                .options([("statement_timeout", "5000"), ("idle_in_transaction_session_timeout", "10000")])
                // So that the server forgets connections whose network was cut, before they are all that it can have.
                .options([
                    ("tcp_keepalives_idle", "60"),
                    ("tcp_keepalives_interval", "10"),
                    ("tcp_keepalives_count", "3"),
                ]);
            let connections = Connections::open(options.clone(), POSTGRES_CONNECTIONS, patient::rollback).await?;
            let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(POOL_WAIT).connect_lazy_with(options);
            Ok(Self::Postgres { connections, pool })
        } else {
            Err(Error::new(Code::InvalidRequest, "The database address must begin with `sqlite:` or `postgres://`"))
        }
    }

    /// Opens what is there without leaving a trace: a file of SQLite stays as it is, and nothing can be written to it.
    ///
    /// # Errors
    /// As [`Db::open`]; [`Code::Unavailable`] also if there is no such file.
    pub async fn open_to_look(url: &str) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            return Self::open(url).await;
        }
        let options = SqliteConnectOptions::from_str(url).map_err(unreadable)?.read_only(true);
        let readers = Connections::open(options.clone(), 1, turns::rollback).await?;
        let writer = SqlitePoolOptions::new().max_connections(1).acquire_timeout(POOL_WAIT).connect_lazy_with(options);
        Ok(Self::Sqlite { readers, writer: writer.clone(), turns: Turns::new(writer) })
    }

    async fn open_sqlite(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(unreadable)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged sign-out must survive a power cut, so every commit is synced.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        owner_only(options.get_filename())?;
        let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(POOL_WAIT).test_before_acquire(false);
        let writer = pool.connect_with(options.clone()).await?;
        let readers =
            Connections::open(options.read_only(true).create_if_missing(false), READERS, turns::rollback).await?;
        let turns = Turns::new(writer.clone());
        Ok(Self::Sqlite { readers, writer, turns })
    }

    /// Brings the schema up to date and names the migrations that were applied.
    ///
    /// Where `accounts` is a view ([`crate::adopt`]), our own table takes its place meanwhile.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let pending = self.pending().await?;
        if let Some(users) = adopt::adopted(self).await? {
            if !pending.is_empty() {
                self.migrate_adopted(&users).await?;
            }
            return Ok(pending);
        }
        let applied = match self {
            Db::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await,
            Db::Postgres { pool, .. } => POSTGRES_MIGRATIONS.run(pool).await,
        };
        applied.map_err(migration_failed)?;
        Ok(pending)
    }

    /// All or nothing: no request sees our own table, in which nobody is.
    async fn migrate_adopted(&self, users: &adopted::Users) -> Result<()> {
        let aside = AssertSqlSafe(self.statements_to_step_aside(users).join(";\n"));
        let again = AssertSqlSafe(self.statements_to_adopt(users).join(";\n"));
        match self {
            Db::Sqlite { writer, .. } => {
                let mut tx = writer.begin_with("begin immediate").await?;
                sqlx::raw_sql(aside).execute(&mut *tx).await?;
                SQLITE_MIGRATIONS.run(&mut *tx).await.map_err(migration_failed)?;
                sqlx::raw_sql(again).execute(&mut *tx).await?;
                tx.commit().await?;
            }
            Db::Postgres { pool, .. } => {
                let mut tx = pool.begin().await?;
                sqlx::raw_sql(aside).execute(&mut *tx).await?;
                POSTGRES_MIGRATIONS.run(&mut *tx).await.map_err(migration_failed)?;
                sqlx::raw_sql(again).execute(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// The migrations as they are written, in their order.
    pub(crate) fn migrations(&self) -> Vec<String> {
        let migrator = match self {
            Db::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Db::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        migrator.iter().map(|migration| migration.sql.as_str().trim().to_owned()).collect()
    }

    /// The names of the migrations that this database has not had yet.
    pub async fn pending(&self) -> Result<Vec<String>> {
        let (migrator, applied) = match self {
            Db::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                (&SQLITE_MIGRATIONS, applied(&mut *connection, &SQLITE_MIGRATIONS).await?)
            }
            Db::Postgres { pool, .. } => {
                let mut connection = pool.acquire().await?;
                (&POSTGRES_MIGRATIONS, applied(&mut *connection, &POSTGRES_MIGRATIONS).await?)
            }
        };
        let pending = migrator.iter().filter(|migration| !applied.contains(&migration.version));
        Ok(pending.map(|migration| format!("{:04} {}", migration.version, migration.description)).collect())
    }

    /// Closes every connection; SQLite folds its journal back into the file.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres { connections, pool } => {
                connections.close().await;
                pool.close().await;
            }
        }
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Reader> {
        Ok(match self {
            Db::Sqlite { readers, .. } => Reader::Sqlite(readers.take().await?),
            Db::Postgres { connections, .. } => Reader::Postgres(connections.take().await?),
        })
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { turns, .. } => Tx::Sqlite(turns.take().await?),
            Db::Postgres { connections, .. } => {
                let mut held = connections.take().await?;
                held.begin().await?;
                Tx::Postgres(held)
            }
        })
    }

    /// Begins what is a single statement, of which nothing has to be taken back.
    pub(crate) async fn begin_one(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { turns, .. } => Tx::Sqlite(turns.take_one().await?),
            // The statement is a transaction by itself.
            Db::Postgres { connections, .. } => Tx::Postgres(connections.take().await?),
        })
    }
}

impl Conn<'_> {
    /// The same connection, for one statement of several.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Conn::Sqlite(connection) => Conn::Sqlite(connection),
            Conn::Postgres(Patient(connection)) => Conn::Postgres(Patient(connection)),
        }
    }
}

impl Reader {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Reader::Sqlite(held) => Conn::Sqlite(held.connection()),
            Reader::Postgres(held) => Conn::Postgres(Patient(held.line())),
        }
    }
}

impl Tx {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Tx::Sqlite(turn) => Conn::Sqlite(turn.connection()),
            Tx::Postgres(held) => Conn::Postgres(Patient(held.line())),
        }
    }

    /// Returns once the transaction is on disk.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(turn) => turn.commit().await.map_err(no_answer)?,
            Tx::Postgres(mut held) => held.commit().await.map_err(|error| match error {
                sqlx::Error::Io(error) if error.kind() == ErrorKind::TimedOut => unknown_outcome(error),
                error => error.into(),
            })?,
        }
        Ok(())
    }
}

/// Whether `error` says that a value of this unique column is there already.
///
/// PostgreSQL names the constraint and SQLite only the column: both contain the column's name.
pub(crate) fn is_taken(error: &sqlx::Error, column: &str) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    // SQLite does not take what a trigger raises for a violation of its own.
    let violation = error.is_unique_violation() || error.message().starts_with("UNIQUE constraint failed");
    violation && error.constraint().unwrap_or(error.message()).contains(column)
}

fn unreadable(error: sqlx::Error) -> Error {
    Error::new(Code::InvalidRequest, format!("The database address cannot be read: {error}"))
}

/// The database was asked to commit, and the network went silent.
fn unknown_outcome(error: std::io::Error) -> Error {
    let detail = "The database did not say in time that it is done; what was asked for may still have happened";
    Error::new(Code::DeadlineExceeded, detail).retry_after(1).caused_by(error)
}

async fn applied<C: Migrate>(connection: &mut C, migrator: &Migrator) -> Result<Vec<i64>> {
    connection.ensure_migrations_table(&migrator.table_name).await.map_err(migration_failed)?;
    let applied = connection.list_applied_migrations(&migrator.table_name).await.map_err(migration_failed)?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

fn migration_failed(error: sqlx::migrate::MigrateError) -> Error {
    Error::new(Code::Unavailable, format!("The database schema could not be brought up to date: {error}"))
        .caused_by(error)
}

/// Makes the file, if it is not there, so that nobody but its owner can read it.
fn owner_only(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |error: std::io::Error| {
        let detail = format!("The database file `{}` cannot be opened: {error}", path.display());
        Error::new(Code::Unavailable, detail).caused_by(error)
    };
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
    Ok(())
}
