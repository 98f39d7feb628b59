//! Everything that a database of ours holds, as one text to look for things that must not be in it.
//!
//! The tables' names are only there to notice that it has missed one.

use sqlx::AssertSqlSafe;

use crate::{Db, store::adopted::OURS};

/// Every row of every table of ours as text, in lower case; bytes are in hexadecimal.
pub async fn dump(db: &Db) -> String {
    let names = match db {
        Db::Sqlite { .. } => {
            "select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite%' order by 1"
        }
        Db::Postgres { .. } => {
            "select table_name::text from information_schema.tables where table_schema = 'public' order by 1"
        }
    };
    let tables = texts(db, names.to_owned()).await;
    for ours in OURS.into_iter().filter(|ours| !ours.starts_with("hallpass_")) {
        assert!(tables.iter().any(|table| table == ours), "no {ours} in {tables:?}");
    }
    let mut dump = String::new();
    for table in tables.iter().filter(|table| !table.starts_with("_sqlx")) {
        let lines = match db {
            Db::Sqlite { .. } => {
                let columns =
                    texts(db, format!("select 'quote(\"' || name || '\")' from pragma_table_info('{table}')")).await;
                format!("select {} from {table} order by 1", columns.join(" || ',' || "))
            }
            Db::Postgres { .. } => format!("select {table}::text from {table} order by 1"),
        };
        dump += &format!("{table}\n{}\n", texts(db, lines).await.join("\n"));
    }
    dump.to_lowercase()
}

async fn texts(db: &Db, statement: String) -> Vec<String> {
    let statement = AssertSqlSafe(statement);
    let texts = match db {
        Db::Sqlite { readers, .. } => {
            sqlx::query_scalar(statement).fetch_all(readers.take().await.expect("a connection").connection()).await
        }
        Db::Postgres { pool, .. } => sqlx::query_scalar(statement).fetch_all(pool).await,
    };
    texts.expect("the database answers")
}
