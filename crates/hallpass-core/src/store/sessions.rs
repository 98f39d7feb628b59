//! Table `sessions`. Each change is one conditional statement; which change it is, `rotation` and `sessions` decide.

use hallpass_token::{AccountId, SessionId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, accounts::AccountRow, on, sql};
use crate::rotation::Rotation;

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SessionRow {
    #[sqlx(rename = "session_id")]
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
    on!(conn, |c| {
        sqlx::query_as(sql!(
        "select id as session_id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions where id = $1"
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await
    })
}

/// A session and its account, and under which number status lists speak of the tokens of its last issue, and which
/// version those have.
#[derive(FromRow)]
pub(crate) struct IssuedRow {
    #[sqlx(flatten)]
    pub(crate) session: SessionRow,
    #[sqlx(flatten)]
    pub(crate) account: AccountRow,
    pub(crate) status_number: Option<i64>,
    pub(crate) status_version: Option<i64>,
}

/// What a refresh has to know of a session; nothing of one whose account is gone.
pub(crate) async fn issued(conn: Conn<'_>, id: SessionId) -> sqlx::Result<Option<IssuedRow>> {
    on!(conn, |c| {
        // No `left join` to the accounts: where they are a view, SQLite would make all of them first.
        sqlx::query_as(sql!(
        "select s.id as session_id, s.account_id, s.generation, s.parent, s.first_child, s.rotated_at, s.created_at,
            s.last_used_at, s.idle_seconds, s.idle_end, s.absolute_end, s.remembered, s.ip, s.user_agent, s.ended_at,
            s.end_cause, s.amr, a.id, a.username, a.email, a.email_verified, a.first_name, a.last_name, a.password,
            a.is_active, a.is_staff, a.is_superuser, a.roles, a.profile, a.version, a.date_joined, a.last_login, a.locale,
            a.delete_at, i.id as status_number, i.account_version as status_version
         from sessions s join accounts a on a.id = s.account_id
         left join status_indexes i on i.session_id = s.id and i.account_version =
            (select max(n.account_version) from status_indexes n where n.session_id = s.id)
         where s.id = $1"
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await
    })
}

/// A session with an id from `low` to `high`, and when it ended.
pub(crate) async fn between(conn: Conn<'_>, low: Uuid, high: Uuid) -> sqlx::Result<Option<(Uuid, Option<i64>)>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, ended_at from sessions where id >= $1 and id <= $2 order by id limit 1"
    ))
    .bind(low)
    .bind(high)
    .fetch_optional(c)
    .await)
}

/// All sessions with ids from `low` to `high`.
pub(crate) async fn all_between(conn: Conn<'_>, low: Uuid, high: Uuid) -> sqlx::Result<Vec<SessionRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
        "select id as session_id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions
         where id >= $1 and id <= $2"
    ))
    .bind(low)
    .bind(high)
    .fetch_all(c)
    .await
    })
}

/// The sessions of an account that can still be refreshed, newest use first.
pub(crate) async fn live(conn: Conn<'_>, account: AccountId, now: i64) -> sqlx::Result<Vec<SessionRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
        "select id as session_id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions
         where account_id = $1 and ended_at is null and idle_end > $2 and absolute_end > $2
         order by last_used_at desc, id desc"
    ))
    .bind(account.0)
    .bind(now)
    .fetch_all(c)
    .await
    })
}

/// All sessions of an account that are remembered, newest use first.
pub(crate) async fn of_account(conn: Conn<'_>, account: AccountId) -> sqlx::Result<Vec<SessionRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
        "select id as session_id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at, idle_seconds,
            idle_end, absolute_end, remembered, ip, user_agent, ended_at, end_cause, amr from sessions
         where account_id = $1 order by last_used_at desc, id desc"
    ))
    .bind(account.0)
    .fetch_all(c)
    .await
    })
}

/// A live session, and whose it is.
#[derive(FromRow)]
pub(crate) struct LiveRow {
    pub(crate) id: Uuid,
    pub(crate) account_id: i64,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) idle_end: i64,
    pub(crate) absolute_end: i64,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
}

/// At most `limit` of all sessions that can still be refreshed, with lower ids than `before`, the newest first.
pub(crate) async fn live_before(conn: Conn<'_>, before: Uuid, now: i64, limit: i64) -> sqlx::Result<Vec<LiveRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select s.id, s.account_id, s.created_at, s.last_used_at, s.idle_end, s.absolute_end, s.ip, s.user_agent,
            a.username, a.email
         from (select id, account_id, created_at, last_used_at, idle_end, absolute_end, ip, user_agent from sessions
            where id < $1 and ended_at is null and idle_end > $2 and absolute_end > $2 order by id desc limit $3) s
         left join accounts a on a.id = s.account_id order by s.id desc"
    ))
    .bind(before)
    .bind(now)
    .bind(limit)
    .fetch_all(c)
    .await)
}

/// The same for one account.
pub(crate) async fn live_of_account_before(
    conn: Conn<'_>,
    account: AccountId,
    before: Uuid,
    now: i64,
    limit: i64,
) -> sqlx::Result<Vec<LiveRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select s.id, s.account_id, s.created_at, s.last_used_at, s.idle_end, s.absolute_end, s.ip, s.user_agent,
            a.username, a.email
         from sessions s left join accounts a on a.id = s.account_id
         where s.account_id = $1 and s.ended_at is null and s.idle_end > $3 and s.absolute_end > $3 and s.id < $2
         order by s.id desc limit $4"
    ))
    .bind(account.0)
    .bind(before)
    .bind(now)
    .bind(limit)
    .fetch_all(c)
    .await)
}

/// How many sessions can still be refreshed.
pub(crate) async fn count_live(conn: Conn<'_>, now: i64) -> sqlx::Result<i64> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "select count(*) as number from sessions where ended_at is null and idle_end > $1 and absolute_end > $1"
    ))
    .bind(now)
    .fetch_one(c)
    .await)
}

/// Moves the session on to `next`, unless somebody else moved or ended it since `row` was read, or its time is up.
pub(crate) async fn rotate(conn: Conn<'_>, row: &SessionRow, next: Rotation, now: i64) -> sqlx::Result<bool> {
    let idle_end = now.saturating_add(row.idle_seconds).min(row.absolute_end);
    on!(conn, |c| sqlx::query(sql!(
        "update sessions set generation = $1, parent = $2, first_child = $3, rotated_at = $4, last_used_at = $10,
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
    // A clock that was set back does not make less of it: tokens of then may be good yet.
    .bind(now.max(row.last_used_at))
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

/// Ends the session, unless it is over already, and says when it was last used; with an `owner`, only one of that
/// account's.
pub(crate) async fn end(
    conn: Conn<'_>,
    id: SessionId,
    owner: Option<AccountId>,
    cause: &str,
    now: i64,
) -> sqlx::Result<Option<i64>> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "update sessions set ended_at = $1, end_cause = $2
         where id = $3 and ended_at is null and account_id = coalesce($4, account_id) returning last_used_at"
    ))
    .bind(now)
    .bind(cause)
    .bind(id.0)
    .bind(owner.map(|account| account.0))
    .fetch_optional(c)
    .await)
}

/// Ends all sessions of an account but `keep`, and says which they were and when each was last used.
pub(crate) async fn end_all(
    conn: Conn<'_>,
    account: AccountId,
    keep: Option<SessionId>,
    cause: &str,
    now: i64,
) -> sqlx::Result<Vec<(SessionId, i64)>> {
    // No session has the nil id, so it keeps none.
    let keep = keep.map_or(Uuid::nil(), |session| session.0);
    let ended: Vec<(Uuid, i64)> = on!(conn, |c| sqlx::query_as(sql!(
        "update sessions set ended_at = $1, end_cause = $2 where account_id = $3 and ended_at is null and id <> $4
         returning id, last_used_at"
    ))
    .bind(now)
    .bind(cause)
    .bind(account.0)
    .bind(keep)
    .fetch_all(c)
    .await?);
    Ok(ended.into_iter().map(|(id, used)| (SessionId(id), used)).collect())
}

/// Ends up to `limit` sessions, whosever they are, that could be refreshed at `live_at`.
pub(crate) async fn end_some(
    conn: Conn<'_>,
    cause: &str,
    now: i64,
    live_at: i64,
    limit: i64,
) -> sqlx::Result<Vec<(SessionId, AccountId, i64)>> {
    // In the order of an index that has nothing else in it.
    let ended: Vec<(Uuid, i64, i64)> = on!(conn, |c| sqlx::query_as(sql!(
        "update sessions set ended_at = $1, end_cause = $2
         where ended_at is null and id in (select id from sessions
            where ended_at is null and idle_end > $3 and absolute_end > $3 order by account_id limit $4)
         returning id, account_id, last_used_at"
    ))
    .bind(now)
    .bind(cause)
    .bind(live_at)
    .bind(limit)
    .fetch_all(c)
    .await?);
    Ok(ended.into_iter().map(|(id, account, used)| (SessionId(id), AccountId(account), used)).collect())
}

/// When a live session of the account was last used.
pub(crate) async fn last_used(conn: Conn<'_>, account: AccountId) -> sqlx::Result<Option<i64>> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "select max(last_used_at) as last_used_at from sessions where account_id = $1 and ended_at is null"
    ))
    .bind(account.0)
    .fetch_one(c)
    .await)
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
