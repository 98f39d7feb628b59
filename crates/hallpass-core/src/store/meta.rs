//! Table `meta`: facts about the database itself, by name.

use super::{Conn, on, sql};

pub(crate) async fn get(conn: Conn<'_>, name: &str) -> sqlx::Result<Option<String>> {
    on!(conn, |c| sqlx::query_scalar(sql!("select value from meta where name = $1")).bind(name).fetch_optional(c).await)
}

/// Lets nobody else who asks for the same do so until the transaction ends.
pub(crate) async fn hold(conn: Conn<'_>, name: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update meta set value = value where name = $1"))
        .bind(name)
        .execute(c)
        .await
        .map(drop))
}

/// Writes `value` unless the name has one already.
pub(crate) async fn set_once(conn: Conn<'_>, name: &str, value: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("insert into meta (name, value) values ($1, $2) on conflict (name) do nothing"))
        .bind(name)
        .bind(value)
        .execute(c)
        .await
        .map(drop))
}
