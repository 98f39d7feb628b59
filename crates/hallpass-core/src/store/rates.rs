//! Table `rates`. It counts under a key, by the generic cell rate algorithm (ITU-T I.371); whose key it is, and how often
//! is too often, is decided above.
//!
//! A key has a moment at which its queue is empty again: each request moves it by an interval, and none moves it further
//! ahead than a period. One that is further ahead was counted before the clock was set back: it says nothing any more.

use super::{Conn, on, sql};

/// Counts one more request, and says whether it may be made. `interval` is not above `period`.
pub(crate) async fn take(conn: Conn<'_>, key: &str, interval: i64, period: i64, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into rates (key, empty_at) values ($1, cast($2 as bigint) + $3)
         on conflict (key) do update set
            empty_at = $3 + case when rates.empty_at between $2 and $2 + $4 then rates.empty_at else $2 end
         where rates.empty_at + $3 <= $2 + $4 or rates.empty_at > $2 + $4"
    ))
    .bind(key)
    .bind(now)
    .bind(interval)
    .bind(period)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// When the queue is empty again.
pub(crate) async fn get(conn: Conn<'_>, key: &str) -> sqlx::Result<Option<i64>> {
    on!(conn, |c| sqlx::query_scalar(sql!("select empty_at from rates where key = $1"))
        .bind(key)
        .fetch_optional(c)
        .await)
}

/// Takes back one request that was counted.
pub(crate) async fn give_back(conn: Conn<'_>, key: &str, interval: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update rates set empty_at = empty_at - $2 where key = $1"))
        .bind(key)
        .bind(interval)
        .execute(c)
        .await
        .map(drop))
}

/// Forgets queues that are empty.
pub(crate) async fn prune(conn: Conn<'_>, now: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from rates where empty_at < $1")).bind(now).execute(c).await.map(drop))
}
