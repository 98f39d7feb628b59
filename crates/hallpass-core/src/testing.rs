//! Fresh databases for tests: a file in a temporary folder, and a database of its own on the PostgreSQL server that
//! `HALLPASS_TEST_POSTGRES` names. Without that variable the PostgreSQL half of a test says that it was skipped. And a
//! mail server that keeps what it gets, and a Redis for each test that wants one.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test without its database has nothing better to do than to stop"
)]

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::{
    Db,
    adopt::{self, Wishes},
    secret,
};

mod dump;
mod redis;
mod smtp;

pub use dump::dump;
pub use redis::TestRedis;
pub use smtp::{SinkMail, SmtpSink};

/// A database with the current schema, for one test.
pub struct TestDb {
    /// The open database.
    pub db: Db,
    /// Where it is, for a second opening or another process.
    pub url: String,
    _place: Place,
}

/// What goes with a [`TestDb`]. Some thousand databases would fill a disk.
enum Place {
    Folder { _removed: TempDir },
    Database { server: String, name: String },
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Database { server, name } = self else { return };
        // On a thread of its own, since a runtime cannot wait within another. A test that has failed says so itself:
        // what cannot be removed then goes with the server.
        std::thread::scope(|scope| {
            let removal = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                runtime.block_on(async {
                    let mut connection = PgConnection::connect(server).await.ok()?;
                    let removal = AssertSqlSafe(format!("drop database if exists {name} with (force)"));
                    sqlx::raw_sql(removal).execute(&mut connection).await.ok()
                })
            });
            drop(removal.join());
        });
    }
}

impl TestDb {
    /// A database file in a temporary folder that goes with this value.
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(url, Place::Folder { _removed: folder }).await
    }

    /// A database on the test server; it goes with this value.
    pub async fn postgres() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their server is")]
        let Ok(server) = std::env::var("HALLPASS_TEST_POSTGRES") else {
            println!("skipped: HALLPASS_TEST_POSTGRES is not set; `cargo xtask test` sets it");
            return None;
        };
        let name = format!("test_{:032x}", u128::from_be_bytes(secret::random().expect("randomness")));
        let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(create).execute(&mut connection).await.expect("a database can be made");
        connection.close().await.expect("the connection closes");
        let (base, _) = server.rsplit_once('/').expect("the server's address names a database");
        let url = format!("{base}/{name}");
        Some(Self::open(url, Place::Database { server, name }).await)
    }

    /// Writes a long revocation log: as many sessions that ended at `now`, each to be remembered for 400 seconds.
    pub async fn take_back(&self, many: usize, now: i64) {
        let id = match &self.db {
            Db::Sqlite { .. } => "cast(printf('%016d', i) as blob)",
            Db::Postgres { .. } => "lpad(i::text, 32, '0')::uuid",
        };
        let statement = AssertSqlSafe(format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {many})
             insert into revocations (created_at, session_id, cause, forget_at)
             select {now}, {id}, 'signed_out', {now} + 400 from n"
        ));
        match &self.db {
            Db::Sqlite { writer, .. } => drop(sqlx::query(statement).execute(writer).await.expect("lines are written")),
            Db::Postgres { pool, .. } => drop(sqlx::query(statement).execute(pool).await.expect("lines are written")),
        }
    }

    async fn open(url: String, place: Place) -> Self {
        let db = match Db::open(&url).await {
            Ok(db) => db,
            Err(error) => panic!("{url}: {error}"),
        };
        if std::env::var_os("HALLPASS_TEST_ADOPTED").is_some() {
            adopt_users(&db).await;
        }
        db.migrate().await.expect("the schema is made");
        Self { db, url, _place: place }
    }
}

/// Makes the tables that Django and allauth have for users.
pub async fn make_django_tables(db: &Db) {
    let tables = match db {
        Db::Sqlite { .. } => include_str!("testing/django/sqlite.sql"),
        Db::Postgres { .. } => include_str!("testing/django/postgres.sql"),
    };
    db.run_all(&[tables.to_owned()]).await.expect("Django's tables are made");
}

/// Makes `accounts` a view over Django's table: what is promised of accounts holds there as well.
async fn adopt_users(db: &Db) {
    make_django_tables(db).await;
    let wishes = Wishes { user_table: "auth_user".into(), defaults: BTreeMap::new() };
    let mut plan = adopt::plan(db, &wishes).await.expect("Django's tables can be adopted");
    // The note of it, which would ask for the settings that a Django project needs: tests have all kinds of settings.
    plan.statements.pop();
    adopt::apply(db, &plan).await.expect("Django's tables are adopted");
}

/// Declares tests that each run once on SQLite and once on PostgreSQL, each time with a fresh [`TestDb`].
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($db:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs what stands around it")]
            use super::*;

            $(#[$attribute])*
            async fn promise($db: $crate::testing::TestDb) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                promise($crate::testing::TestDb::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(db) = $crate::testing::TestDb::postgres().await {
                    promise(db).await;
                }
            }
        }
    )+};
}
