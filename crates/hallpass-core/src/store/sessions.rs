//! Table `sessions`. Each change is one conditional statement; which change it is, `rotation` and `sessions` decide.

use hallpass_token::{AccountId, SessionId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, on, sql};
use crate::rotation::Rotation;

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SessionRow {
    pub(crate) id: Uuid,
    pub(crate) account_id: i64,
    pub(crate) generation: i64,
    pub(crate) parent: i64,
    pub(crate) first_child: i64,
    pub(crate) rotated_at: i64,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) idle_seconds: i64,
    pub(crate) idle_end: i64,
    pub(crate) absolute_end: i64,
    pub(crate) remembered: bool,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) end_cause: Option<String>,
    pub(crate) amr: String,
}

impl SessionRow {
    pub(crate) fn id(&self) -> SessionId {
        SessionId(self.id)
    }

    /// Whether it can still be refreshed: what [`live`] looks for.
    pub(crate) fn is_live(&self, now: i64) -> bool {
        self.ended_at.is_none() && self.idle_end > now && self.absolute_end > now
    }

    pub(crate) fn rotation(&self) -> Rotation {
        Rotation {
            generation: self.generation,
            parent: self.parent,
            first_child: self.first_child,
            rotated_at: self.rotated_at,
        }
    }
}

pub(crate) async fn insert(conn: Conn<'_>, row: &SessionRow) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into sessions (id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at,
            idle_seconds, idle_end, absolute_end, remembered, ip, user_agent, amr)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    ))
    .bind(row.id)
    .bind(row.account_id)
    .bind(row.generation)
    .bind(row.parent)
    .bind(row.first_child)
    .bind(row.rotated_at)
    .bind(row.created_at)
    .bind(row.last_used_at)
    .bind(row.idle_seconds)
    .bind(row.idle_end)
    .bind(row.absolute_end)
    .bind(row.remembered)
    .bind(&row.ip)
    .bind(&row.user_agent)
    .bind(&row.amr)
    .execute(c)
    .await
    .map(drop))
}

pub(crate) async fn by_id(conn: Conn<'_>, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions where id = $1"
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await)
}

/// The sessions of an account that can still be refreshed, newest use first.
pub(crate) async fn live(conn: Conn<'_>, account: AccountId, now: i64) -> sqlx::Result<Vec<SessionRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions
         where account_id = $1 and ended_at is null and idle_end > $2 and absolute_end > $2
         order by last_used_at desc, id desc"
    ))
    .bind(account.0)
    .bind(now)
    .fetch_all(c)
    .await)
}

/// All sessions of an account that are remembered, newest use first.
pub(crate) async fn of_account(conn: Conn<'_>, account: AccountId) -> sqlx::Result<Vec<SessionRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions
         where account_id = $1 order by last_used_at desc, id desc"
    ))
    .bind(account.0)
    .fetch_all(c)
    .await)
}

/// Moves the session on to `next`, unless somebody else moved or ended it since `row` was read, or its time is up.
pub(crate) async fn rotate(conn: Conn<'_>, row: &SessionRow, next: Rotation, now: i64) -> sqlx::Result<bool> {
    let idle_end = now.saturating_add(row.idle_seconds).min(row.absolute_end);
    on!(conn, |c| sqlx::query(sql!(
        "update sessions set generation = $1, parent = $2, first_child = $3, rotated_at = $4, last_used_at = $5,
            idle_end = $6
         where id = $7 and generation = $8 and rotated_at = $9 and ended_at is null and idle_end > $5
            and absolute_end > $5"
    ))
    .bind(next.generation)
    .bind(next.parent)
    .bind(next.first_child)
    .bind(next.rotated_at)
    .bind(now)
    .bind(idle_end)
    .bind(row.id)
    .bind(row.generation)
    .bind(row.rotated_at)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Ends the session, unless it is over already or was rotated since `row` was read.
pub(crate) async fn end_as_read(conn: Conn<'_>, row: &SessionRow, cause: &str, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update sessions set ended_at = $1, end_cause = $2
         where id = $3 and generation = $4 and rotated_at = $5 and ended_at is null"
    ))
    .bind(now)
    .bind(cause)
    .bind(row.id)
    .bind(row.generation)
    .bind(row.rotated_at)
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Ends the session, unless it is over already; with an `owner`, only one of that account's.
pub(crate) async fn end(
    conn: Conn<'_>,
    id: SessionId,
    owner: Option<AccountId>,
    cause: &str,
    now: i64,
) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update sessions set ended_at = $1, end_cause = $2
         where id = $3 and ended_at is null and account_id = coalesce($4, account_id)"
    ))
    .bind(now)
    .bind(cause)
    .bind(id.0)
    .bind(owner.map(|account| account.0))
    .execute(c)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Ends all sessions of an account but `keep`, and says which they were.
pub(crate) async fn end_all(
    conn: Conn<'_>,
    account: AccountId,
    keep: Option<SessionId>,
    cause: &str,
    now: i64,
) -> sqlx::Result<Vec<SessionId>> {
    // No session has the nil id, so it keeps none.
    let keep = keep.map_or(Uuid::nil(), |session| session.0);
    let ended: Vec<Uuid> = on!(conn, |c| sqlx::query_scalar(sql!(
        "update sessions set ended_at = $1, end_cause = $2 where account_id = $3 and ended_at is null and id <> $4
         returning id"
    ))
    .bind(now)
    .bind(cause)
    .bind(account.0)
    .bind(keep)
    .fetch_all(c)
    .await?);
    Ok(ended.into_iter().map(SessionId).collect())
}

/// Forgets all sessions of an account.
pub(crate) async fn forget(conn: Conn<'_>, account: AccountId) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from sessions where account_id = $1"))
        .bind(account.0)
        .execute(c)
        .await
        .map(drop))
}

/// Forgets sessions that were over before `before`, however they ended.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from sessions where absolute_end < $1"))
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
