//! Table `outbox`: mails that wait to be sent, and for a while those that were. What is in one is sealed above.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OutboxRow {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) attempts: i64,
    pub(crate) due_at: i64,
    pub(crate) failed_at: Option<i64>,
    pub(crate) last_error: Option<String>,
}

pub(crate) async fn insert(conn: Conn<'_>, id: Uuid, kind: &str, sealed: &[u8], now: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into outbox (id, kind, sealed, created_at, due_at) values ($1, $2, $3, $4, $4)"
    ))
    .bind(id)
    .bind(kind)
    .bind(sealed)
    .bind(now)
    .execute(c)
    .await
    .map(drop))
}

/// Whether there is anything to send.
pub(crate) async fn any_due(conn: Conn<'_>, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "select exists (select 1 from outbox where sent_at is null and failed_at is null and due_at <= $1
            and claimed_until <= $1) as due"
    ))
    .bind(now)
    .fetch_one(c)
    .await)
}

/// The mail that has been due longest, for one server alone until `until`; none if another server took it this moment.
pub(crate) async fn claim(conn: Conn<'_>, now: i64, until: i64) -> sqlx::Result<Option<OutboxRow>> {
    // The condition stands there twice: whoever waited for a row that another server was claiming looks at it again.
    on!(conn, |c| sqlx::query_as(sql!(
        "update outbox set claimed_until = $2
         where id = (select id from outbox where sent_at is null and failed_at is null and due_at <= $1
                and claimed_until <= $1 order by due_at, id limit 1)
            and sent_at is null and failed_at is null and claimed_until <= $1
         returning id, kind, sealed, created_at, attempts, due_at, failed_at, last_error"
    ))
    .bind(now)
    .bind(until)
    .fetch_optional(c)
    .await)
}

/// It is done, and what was in it is forgotten.
pub(crate) async fn done(conn: Conn<'_>, id: Uuid, now: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update outbox set sent_at = $2, sealed = null, claimed_until = 0, last_error = null where id = $1"
    ))
    .bind(id)
    .bind(now)
    .execute(c)
    .await
    .map(drop))
}

/// It could not be handed over, for no fault of its own; it is due again at `due_at`.
pub(crate) async fn wait(conn: Conn<'_>, id: Uuid, due_at: i64, error: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update outbox set due_at = $2, claimed_until = 0, last_error = $3 where id = $1"))
        .bind(id)
        .bind(due_at)
        .bind(error)
        .execute(c)
        .await
        .map(drop))
}

/// It was not taken, which counts; it is due again at `due_at`.
pub(crate) async fn later(conn: Conn<'_>, id: Uuid, due_at: i64, error: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update outbox set attempts = attempts + 1, due_at = $2, claimed_until = 0, last_error = $3 where id = $1"
    ))
    .bind(id)
    .bind(due_at)
    .bind(error)
    .execute(c)
    .await
    .map(drop))
}

/// It did not go out, and nobody tries again by himself.
pub(crate) async fn give_up(conn: Conn<'_>, id: Uuid, now: i64, error: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update outbox set attempts = attempts + 1, failed_at = $2, claimed_until = 0, last_error = $3 where id = $1"
    ))
    .bind(id)
    .bind(now)
    .bind(error)
    .execute(c)
    .await
    .map(drop))
}

/// Makes what was given up due again, and says how many that are.
pub(crate) async fn revive(conn: Conn<'_>, now: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!(
        "update outbox set failed_at = null, attempts = 0, created_at = $1, due_at = $1 where failed_at is not null"
    ))
    .bind(now)
    .execute(c)
    .await
    .map(|done| done.rows_affected()))
}

/// At most `limit` mails that have not gone out, the oldest first.
pub(crate) async fn waiting(conn: Conn<'_>, limit: i64) -> sqlx::Result<Vec<OutboxRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, kind, sealed, created_at, attempts, due_at, failed_at, last_error from outbox
         where sent_at is null order by created_at, id limit $1"
    ))
    .bind(limit)
    .fetch_all(c)
    .await)
}

/// Forgets what came in before `before` and is done or given up.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "delete from outbox where created_at < $1 and (sent_at is not null or failed_at is not null)"
    ))
    .bind(before)
    .execute(c)
    .await
    .map(drop))
}
