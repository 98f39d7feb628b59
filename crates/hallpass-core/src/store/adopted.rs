//! `accounts` as a view over the user table of a Django project, with triggers that write through it.
//!
//! What Django has no column for is kept in our own table, which lies beside under the name `hallpass_accounts`. Nothing
//! but the SQL that is made here knows of Django; every other statement sees one shape. How Django names and keeps things
//! is in `django.contrib.auth.models` and, for addresses, in allauth's `allauth.account.models`.

mod postgres;
mod sqlite;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor};

use super::{Db, accounts::AccountRow, addresses::AddressRow};

/// Our tables, beside which there can be others. [`super::SQLITE_MIGRATIONS`] make them.
pub(crate) const OURS: [&str; 17] = [
    "_sqlx_migrations",
    "accounts",
    "addresses",
    "attempts",
    "clients",
    "events",
    "hallpass_accounts",
    "hallpass_addresses",
    "keys",
    "meta",
    "outbox",
    "rates",
    "revocations",
    "sessions",
    "statistics",
    "status_indexes",
    "tickets",
];

/// The name in `meta` under which [`Users`] are kept.
pub(crate) const ADOPTED: &str = "adopted";

/// The user table, and what is around it: all that the view and its triggers depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Users {
    pub(crate) table: String,
    /// Its primary key, a whole number.
    pub(crate) key: String,
    /// Which of [`FIELDS`] it has.
    pub(crate) columns: Vec<String>,
    /// What else a new row needs: a column, and the text of its value.
    pub(crate) defaults: BTreeMap<String, String>,
    /// The table that says who is in which group, and its column for the user.
    pub(crate) groups: Option<(String, String)>,
    /// Whether there is allauth's table of addresses.
    pub(crate) addresses: bool,
    /// Whether a user without an address has none, rather than an empty one.
    #[serde(default)]
    pub(crate) email_can_be_null: bool,
    /// SQLite's way of writing before it became ours.
    pub(crate) journal: Option<String>,
}

/// What Django's user and ours have in common, under the same names.
pub(crate) const FIELDS: [&str; 10] = [
    "username",
    "email",
    "first_name",
    "last_name",
    "password",
    "is_active",
    "is_staff",
    "is_superuser",
    "date_joined",
    "last_login",
];

/// What of an account Django has no column for, and what it starts with.
const BESIDE: [(&str, &str); 5] =
    [("email_verified", "false"), ("profile", "'{}'"), ("version", "1"), ("locale", "null"), ("delete_at", "null")];

/// A column of the user table.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Part of the primary key.
    pub(crate) is_key: bool,
    /// Whether a row without it is refused.
    pub(crate) required: bool,
}

impl Users {
    fn has(&self, field: &str) -> bool {
        self.columns.iter().any(|column| column == field)
    }

    /// Our tables in whose place there are views.
    fn aside(&self) -> impl Iterator<Item = &'static str> {
        ["accounts", "addresses"].into_iter().take(if self.addresses { 2 } else { 1 })
    }

    /// The fields that are kept beside, with what they start with.
    fn beside(&self) -> Vec<(&'static str, &'static str)> {
        let rest = FIELDS.into_iter().filter(|field| !self.has(field)).map(|field| (field, start_of(field)));
        let roles = self.groups.is_none().then_some(("roles", "'[]'"));
        BESIDE.into_iter().chain(rest).chain(roles).collect()
    }
}

fn start_of(field: &str) -> &'static str {
    match field {
        "first_name" | "last_name" => "''",
        "is_active" => "true",
        "is_staff" | "is_superuser" => "false",
        "date_joined" => "0",
        _ => "null",
    }
}

/// An identifier, quoted.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, quoted.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Db {
    /// What makes `accounts` a view over `users`, one statement after the other.
    pub(crate) fn statements_to_adopt(&self, users: &Users) -> Vec<String> {
        let views = match self {
            Db::Sqlite { .. } => sqlite::statements(users),
            Db::Postgres { .. } => postgres::statements(users),
        };
        let aside = users.aside().map(|table| format!("alter table {table} rename to hallpass_{table}"));
        aside.chain(views).collect()
    }

    /// What makes `accounts` our own table again.
    pub(crate) fn statements_to_step_aside(&self, users: &Users) -> Vec<String> {
        let parts: &[&str] = match self {
            Db::Sqlite { .. } => &sqlite::PARTS,
            Db::Postgres { .. } => &postgres::PARTS,
        };
        let views = users.aside().map(|table| format!("drop view {table}"));
        let parts = parts.iter().filter(|part| users.addresses || !part.contains("addresses"));
        let parts = parts.map(|part| format!("drop {part}"));
        let back = users.aside().map(|table| format!("alter table hallpass_{table} rename to {table}"));
        views.chain(parts).chain(back).collect()
    }

    /// What leaves nothing of ours behind.
    pub(crate) fn statements_to_unadopt(&self, users: &Users) -> Vec<String> {
        let ours = OURS.into_iter().filter(|table| !table.starts_with("hallpass_"));
        self.statements_to_step_aside(users)
            .into_iter()
            .chain(ours.map(|table| format!("drop table {table}")))
            .collect()
    }

    /// Runs statements that were made here, all or none.
    pub(crate) async fn run_all(&self, statements: &[String]) -> sqlx::Result<()> {
        let all = AssertSqlSafe(statements.join(";\n"));
        match self {
            Db::Sqlite { writer, .. } => {
                let mut tx = writer.begin_with("begin immediate").await?;
                tx.execute(sqlx::raw_sql(all)).await?;
                tx.commit().await
            }
            Db::Postgres { pool, .. } => {
                let mut tx = pool.begin().await?;
                tx.execute(sqlx::raw_sql(all)).await?;
                tx.commit().await
            }
        }
    }

    /// The tables and views in the schema in which ours are made.
    pub(crate) async fn tables(&self) -> sqlx::Result<Vec<String>> {
        match self {
            Db::Sqlite { readers, .. } => {
                sqlx::query_scalar(sqlite::TABLES).fetch_all(readers.take().await?.connection()).await
            }
            Db::Postgres { pool, .. } => sqlx::query_scalar(postgres::TABLES).fetch_all(pool).await,
        }
    }

    /// The columns of a table, in their order; none if there is no such table.
    pub(crate) async fn columns(&self, table: &str) -> sqlx::Result<Vec<Column>> {
        match self {
            Db::Sqlite { readers, .. } => {
                sqlx::query_as(sqlite::COLUMNS).bind(table).fetch_all(readers.take().await?.connection()).await
            }
            Db::Postgres { pool, .. } => sqlx::query_as(postgres::COLUMNS).bind(table).fetch_all(pool).await,
        }
    }

    /// How many names of a column differ from another one in letter case only.
    pub(crate) async fn look_alikes(&self, table: &str, column: &str) -> sqlx::Result<i64> {
        let (table, column) = (quoted(table), quoted(column));
        let count = AssertSqlSafe(format!(
            "select count(*) from (select 1 from {table} where {column} <> '' group by lower({column})
             having count(*) > 1) as several"
        ));
        match self {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(count).fetch_one(readers.take().await?.connection()).await,
            Db::Postgres { pool, .. } => sqlx::query_scalar(count).fetch_one(pool).await,
        }
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> sqlx::Result<i64> {
        let count = AssertSqlSafe(format!("select count(*) from {}", quoted(table)));
        match self {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(count).fetch_one(readers.take().await?.connection()).await,
            Db::Postgres { pool, .. } => sqlx::query_scalar(count).fetch_one(pool).await,
        }
    }

    /// At most `limit` users as accounts, with ids above `after`; those whose key is no whole number are counted instead.
    pub(crate) async fn users_as_accounts(
        &self,
        users: &Users,
        whole: bool,
        after: i64,
        limit: i64,
    ) -> sqlx::Result<Vec<AccountRow>> {
        let key = quoted(&users.key);
        let id = if whole { format!("u.{key}") } else { format!("row_number() over (order by u.{key})") };
        let (nothing, words) = match self {
            Db::Sqlite { .. } => (sqlite::NOTHING_BESIDE, sqlite::WORDS),
            Db::Postgres { .. } => (postgres::NOTHING_BESIDE, postgres::WORDS),
        };
        let select = view::select(&words, users, &id, "false");
        let page = AssertSqlSafe(format!(
            "with hallpass_accounts as ({nothing}), accounts as ({select})
             select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff,
                is_superuser, roles, profile, version, date_joined, last_login, locale, delete_at
             from accounts where id > $1 order by id limit $2"
        ));
        match self {
            Db::Sqlite { readers, .. } => {
                sqlx::query_as(page).bind(after).bind(limit).fetch_all(readers.take().await?.connection()).await
            }
            Db::Postgres { pool, .. } => sqlx::query_as(page).bind(after).bind(limit).fetch_all(pool).await,
        }
    }

    /// What allauth keeps of addresses of the users above `after`, up to `last`.
    pub(crate) async fn users_addresses(&self, after: i64, last: i64) -> sqlx::Result<Vec<AddressRow>> {
        match self {
            Db::Sqlite { readers, .. } => {
                sqlx::query_as(sqlite::LISTED)
                    .bind(after)
                    .bind(last)
                    .fetch_all(readers.take().await?.connection())
                    .await
            }
            Db::Postgres { pool, .. } => sqlx::query_as(postgres::LISTED).bind(after).bind(last).fetch_all(pool).await,
        }
    }

    /// After rows came with ids of their own: lets the next one get a higher id.
    pub(crate) async fn count_on(&self) -> sqlx::Result<()> {
        // SQLite does so by itself.
        let Db::Postgres { pool, .. } = self else { return Ok(()) };
        sqlx::query(postgres::COUNT_ON).execute(pool).await.map(drop)
    }

    /// How SQLite writes its file: `wal`, `delete` and so on.
    pub(crate) async fn journal(&self) -> sqlx::Result<Option<String>> {
        match self {
            Db::Sqlite { readers, .. } => {
                sqlx::query_scalar("pragma journal_mode").fetch_one(readers.take().await?.connection()).await.map(Some)
            }
            Db::Postgres { .. } => Ok(None),
        }
    }

    /// Has SQLite write its file as before, which it does when nobody else has it open.
    pub(crate) async fn set_journal(&self, journal: &str) -> sqlx::Result<()> {
        let Db::Sqlite { readers, writer, .. } = self else { return Ok(()) };
        readers.close().await;
        let statement = AssertSqlSafe(format!("pragma journal_mode = {}", quoted(journal)));
        sqlx::raw_sql(statement).execute(writer).await.map(drop)
    }
}
