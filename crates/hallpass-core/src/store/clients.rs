//! Table `clients`: programs that ask about tokens. Only hashes of their secrets are here.

use sqlx::FromRow;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ClientRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) secret: Vec<u8>,
    pub(crate) created_at: i64,
}

pub(crate) async fn insert(conn: Conn<'_>, row: &ClientRow) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("insert into clients (id, name, secret, created_at) values ($1, $2, $3, $4)"))
        .bind(&row.id)
        .bind(&row.name)
        .bind(&row.secret)
        .bind(row.created_at)
        .execute(c)
        .await
        .map(drop))
}

pub(crate) async fn get(conn: Conn<'_>, id: &str) -> sqlx::Result<Option<ClientRow>> {
    on!(conn, |c| sqlx::query_as(sql!("select id, name, secret, created_at from clients where id = $1"))
        .bind(id)
        .fetch_optional(c)
        .await)
}

/// All of them, the oldest first.
pub(crate) async fn list(conn: Conn<'_>) -> sqlx::Result<Vec<ClientRow>> {
    on!(conn, |c| sqlx::query_as(sql!("select id, name, secret, created_at from clients order by created_at, id"))
        .fetch_all(c)
        .await)
}

pub(crate) async fn remove(conn: Conn<'_>, id: &str) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!("delete from clients where id = $1"))
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
}
