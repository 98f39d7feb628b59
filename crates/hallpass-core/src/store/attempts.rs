//! Table `attempts`. It counts under a key; whose key it is, and how many attempts are free, is decided above.
//!
//! A block lasts from `updated_at` to `blocked_until`, so its length is in the row. One that has not begun yet was set
//! before the clock was set back: it says nothing any more.

use super::{Conn, on, sql};

/// A row, as the table has it, without its key.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(crate) struct AttemptsRow {
    pub(crate) failures: i64,
    pub(crate) blocked_until: i64,
}

/// Counts one more attempt as a failure, before anybody knows whether it is one, and says which in a row it is; none if
/// it may not be made.
///
/// After `free` failures each further attempt has to wait: a second, then twice as long each time, at most 900. After
/// `most` there is none.
pub(crate) async fn claim(conn: Conn<'_>, key: &str, free: i64, most: i64, now: i64) -> sqlx::Result<Option<i64>> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "insert into attempts (key, failures, blocked_until, updated_at) values ($1, 1, $2, $2)
         on conflict (key) do update set
            failures = attempts.failures + 1,
            blocked_until = $2 + case
                when attempts.failures + 1 < $3 then 0
                when attempts.failures + 1 = $3 then 1
                when attempts.blocked_until - attempts.updated_at > 450 then 900
                else 2 * (attempts.blocked_until - attempts.updated_at) end,
            updated_at = $2
         where attempts.failures < $4 and (attempts.blocked_until <= $2 or attempts.updated_at > $2)
         returning failures"
    ))
    .bind(key)
    .bind(now)
    .bind(free)
    .bind(most)
    .fetch_optional(c)
    .await)
}

pub(crate) async fn get(conn: Conn<'_>, key: &str) -> sqlx::Result<Option<AttemptsRow>> {
    on!(conn, |c| sqlx::query_as(sql!("select failures, blocked_until from attempts where key = $1"))
        .bind(key)
        .fetch_optional(c)
        .await)
}

/// Takes back one attempt that was counted. A wait that it brought about stays.
pub(crate) async fn give_back(conn: Conn<'_>, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update attempts set failures = failures - 1 where key = $1 and failures > 0"))
        .bind(key)
        .execute(c)
        .await
        .map(drop))
}

/// Begins anew at none.
pub(crate) async fn clear(conn: Conn<'_>, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from attempts where key = $1")).bind(key).execute(c).await.map(drop))
}

/// Forgets what has not changed since `before`, but not where `most` failures have ended all attempts.
pub(crate) async fn prune(conn: Conn<'_>, most: i64, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from attempts where failures < $1 and updated_at < $2"))
        .bind(most)
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
