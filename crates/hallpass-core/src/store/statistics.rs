//! Table `statistics`: how often something happened, for each hour. Numbers are only added to, and once they are old
//! forgotten.

use sqlx::FromRow;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct StatisticsRow {
    pub(crate) hour: i64,
    pub(crate) kind: String,
    pub(crate) number: i64,
}

pub(crate) async fn add(conn: Conn<'_>, hour: i64, kind: &str, number: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into statistics (hour, kind, number) values ($1, $2, $3)
         on conflict (hour, kind) do update set number = statistics.number + excluded.number"
    ))
    .bind(hour)
    .bind(kind)
    .bind(number)
    .execute(c)
    .await
    .map(drop))
}

/// What is known of `since` and later.
pub(crate) async fn since(conn: Conn<'_>, since: i64) -> sqlx::Result<Vec<StatisticsRow>> {
    on!(conn, |c| sqlx::query_as(sql!("select hour, kind, number from statistics where hour >= $1"))
        .bind(since)
        .fetch_all(c)
        .await)
}

/// Forgets the hours before `before`.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from statistics where hour < $1")).bind(before).execute(c).await.map(drop))
}
