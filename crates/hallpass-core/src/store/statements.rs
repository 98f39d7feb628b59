//! Every statement of this folder is prepared on both engines, and must answer with the same columns on both.

use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr};

use crate::Db;
use crate::testing::TestDb;

const SOURCES: &[(&str, &str)] = &[
    ("accounts", include_str!("accounts.rs")),
    ("addresses", include_str!("addresses.rs")),
    ("attempts", include_str!("attempts.rs")),
    ("clients", include_str!("clients.rs")),
    ("events", include_str!("events.rs")),
    ("keys", include_str!("keys.rs")),
    ("meta", include_str!("meta.rs")),
    ("outbox", include_str!("outbox.rs")),
    ("rates", include_str!("rates.rs")),
    ("revocations", include_str!("revocations.rs")),
    ("search", include_str!("search.rs")),
    ("sessions", include_str!("sessions.rs")),
    ("statistics", include_str!("statistics.rs")),
    ("status_indexes", include_str!("status_indexes.rs")),
    ("tickets", include_str!("tickets.rs")),
];

/// The literals inside `sql!(…)`.
fn statements() -> Vec<String> {
    let mut found = Vec::new();
    for (name, source) in SOURCES {
        let marked = source.split("sql!(").skip(1);
        let texts: Vec<String> = marked.map(|rest| rest.split('"').nth(1).unwrap().to_owned()).collect();
        assert!(!texts.is_empty(), "{name} has no statement");
        assert_eq!(source.matches("sqlx::query").count(), texts.len(), "{name}: a query is not marked with `sql!`");
        found.extend(texts);
    }
    found
}

async fn columns(db: &TestDb, statement: &str) -> Vec<String> {
    let sql = AssertSqlSafe(statement.to_owned()).into_sql_str();
    match &db.db {
        Db::Sqlite { writer, .. } => {
            let prepared = writer.describe(sql).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            prepared.columns().iter().map(|column| column.name().to_owned()).collect()
        }
        Db::Postgres { pool, .. } => {
            let prepared = pool.describe(sql).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            prepared.columns().iter().map(|column| column.name().to_owned()).collect()
        }
    }
}

#[tokio::test]
async fn every_statement_can_be_prepared_and_answers_the_same_columns_on_both_engines() {
    let sqlite = TestDb::sqlite().await;
    let postgres = TestDb::postgres().await;
    for statement in statements() {
        let on_sqlite = columns(&sqlite, &statement).await;
        if let Some(postgres) = &postgres {
            assert_eq!(on_sqlite, columns(postgres, &statement).await, "{statement}");
        }
    }
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let sqlite = TestDb::sqlite().await;
    let Some(postgres) = TestDb::postgres().await else { return };
    let (Db::Sqlite { writer, .. }, Db::Postgres { pool, .. }) = (&sqlite.db, &postgres.db) else { panic!() };
    let on_sqlite: Vec<(String, String, bool)> = sqlx::query_as(
        "select m.name, c.name, c.\"notnull\" or c.pk from sqlite_schema m, pragma_table_info(m.name) c
         where m.type = 'table' and m.name not like 'sqlite%' and m.name not like '\\_sqlx%' escape '\\' order by 1, 2",
    )
    .fetch_all(writer)
    .await
    .unwrap();
    let on_postgres: Vec<(String, String, bool)> = sqlx::query_as(
        "select table_name::text, column_name::text, is_nullable = 'NO' from information_schema.columns
         where table_schema = 'public' and table_name not like '\\_sqlx%'
         order by table_name::text collate \"C\", column_name::text collate \"C\"",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(on_sqlite.len() > 40);
    assert_eq!(on_sqlite, on_postgres);
}
