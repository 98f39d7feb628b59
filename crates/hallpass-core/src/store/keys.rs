//! Table `keys`. The private halves are sealed before they come here and opened after they leave.

use sqlx::FromRow;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) state: String,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) current_since: Option<i64>,
    pub(crate) retired_at: Option<i64>,
}

pub(crate) async fn insert(conn: Conn<'_>, row: &KeyRow) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into keys (kid, algorithm, state, sealed, created_at, current_since, retired_at)
         values ($1, $2, $3, $4, $5, $6, $7)"
    ))
    .bind(&row.kid)
    .bind(&row.algorithm)
    .bind(&row.state)
    .bind(&row.sealed)
    .bind(row.created_at)
    .bind(row.current_since)
    .bind(row.retired_at)
    .execute(c)
    .await
    .map(drop))
}

/// All keys, oldest first.
pub(crate) async fn all(conn: Conn<'_>) -> sqlx::Result<Vec<KeyRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select kid, algorithm, state, sealed, created_at, current_since, retired_at from keys order by created_at, kid"
    ))
    .fetch_all(c)
    .await)
}

/// Makes `kid` the signing key if it is still the next one.
pub(crate) async fn promote(conn: Conn<'_>, kid: &str, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update keys set state = 'current', current_since = $1 where kid = $2 and state = 'next'"
    ))
    .bind(now)
    .bind(kid)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Lets `kid` verify but no longer sign, if it is still the signing key.
pub(crate) async fn retire(conn: Conn<'_>, kid: &str, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update keys set state = 'retired', retired_at = $1 where kid = $2 and state = 'current'"
    ))
    .bind(now)
    .bind(kid)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Kills `kid` for signing and verifying, and forgets its private half.
pub(crate) async fn revoke(conn: Conn<'_>, kid: &str, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update keys set state = 'revoked', sealed = null, retired_at = $1 where kid = $2 and state <> 'revoked'"
    ))
    .bind(now)
    .bind(kid)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Forgets a key that was published and never signed.
pub(crate) async fn remove_next(conn: Conn<'_>, kid: &str) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!("delete from keys where kid = $1 and state = 'next'"))
        .bind(kid)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Forgets the private halves of keys that were retired before `before`.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from keys where state = 'retired' and retired_at < $1"))
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
