//! Table `status_indexes`: the numbers under which status lists speak of the tokens of a session and a version of its
//! account. What a number's status is stands in `revocations` alone.

use hallpass_token::{AccountId, SessionId};

use super::{Conn, on, sql};

/// The number of these tokens; a new one if they have none yet.
pub(crate) async fn number(
    conn: Conn<'_>,
    session: SessionId,
    account: AccountId,
    version: i64,
    expires_at: i64,
) -> sqlx::Result<i64> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "insert into status_indexes (session_id, account_id, account_version, expires_at) values ($1, $2, $3, $4)
         on conflict (session_id, account_version) do update set expires_at = excluded.expires_at
         returning id"
    ))
    .bind(session.0)
    .bind(account.0)
    .bind(version)
    .bind(expires_at)
    .fetch_one(c)
    .await)
}

/// The lowest and the highest number that a living token can have.
pub(crate) async fn range(conn: Conn<'_>) -> sqlx::Result<Option<(i64, i64)>> {
    // Each half is one step in the index; together they would be a walk through all of it on SQLite.
    let (lowest, highest): (Option<i64>, Option<i64>) = on!(conn, |c| sqlx::query_as(sql!(
        "select (select min(id) from status_indexes) as lowest, (select max(id) from status_indexes) as highest"
    ))
    .fetch_one(c)
    .await?);
    Ok(lowest.zip(highest))
}

/// Of the numbers from `from` up to but not `to`, those of sessions that have ended, with the status `ended`, and those of
/// tokens that are out of date, with `stale`: as the lines that can still matter at `now` say. Some come more than once.
pub(crate) async fn taken_back(
    conn: Conn<'_>,
    (from, to): (i64, i64),
    (ended, stale): (i64, i64),
    now: i64,
) -> sqlx::Result<Vec<(i64, i64)>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select i.id, cast($1 as bigint) as status
         from revocations r join status_indexes i on i.session_id = r.session_id
         where r.forget_at > $5 and i.id >= $3 and i.id < $4
         union all
         select i.id, cast($2 as bigint) as status
         from revocations r join status_indexes i on i.account_id = r.account_id and i.account_version < r.below_version
         where r.forget_at > $5 and i.id >= $3 and i.id < $4"
    ))
    .bind(ended)
    .bind(stale)
    .bind(from)
    .bind(to)
    .bind(now)
    .fetch_all(c)
    .await)
}

/// Lets an account's numbers go at `at`, unless they go before: those of a deleted account still speak of its last tokens.
pub(crate) async fn let_go(conn: Conn<'_>, account: AccountId, at: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update status_indexes set expires_at = $1 where account_id = $2 and expires_at > $1"
    ))
    .bind(at)
    .bind(account.0)
    .execute(c)
    .await
    .map(drop))
}

/// Forgets numbers that no token has had since `before`.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from status_indexes where expires_at <= $1"))
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
