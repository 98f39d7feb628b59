//! Table `events`: what happened. Rows are written, read and, once they are old, forgotten; none is ever changed.

use hallpass_token::AccountId;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct EventRow {
    pub(crate) id: Uuid,
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) account_id: Option<i64>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: String,
    pub(crate) actor: String,
    pub(crate) cause: Option<String>,
}

/// Which rows are looked for; what is `None` is not asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) event: Option<&'a str>,
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
}

pub(crate) async fn insert(conn: Conn<'_>, row: &EventRow) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into events (id, at, event, account_id, session_id, ip, user_agent, request_id, actor, cause)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    ))
    .bind(row.id)
    .bind(row.at)
    .bind(&row.event)
    .bind(row.account_id)
    .bind(row.session_id)
    .bind(&row.ip)
    .bind(&row.user_agent)
    .bind(&row.request_id)
    .bind(&row.actor)
    .bind(&row.cause)
    .execute(c)
    .await
    .map(drop))
}

/// At most `limit` of an account's rows that are wanted from before the row `before`, newest first.
pub(crate) async fn of_account(
    conn: Conn<'_>,
    account: AccountId,
    wanted: Wanted<'_>,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
            "select id, at, event, account_id, session_id, ip, user_agent, request_id, actor, cause from events
         where account_id = $1 and event = coalesce($2, event) and at >= coalesce($3, at) and at <= coalesce($4, at)
            and id < $5
         order by id desc limit $6"
        ))
        .bind(account.0)
        .bind(wanted.event)
        .bind(wanted.since)
        .bind(wanted.until)
        .bind(before)
        .bind(limit)
        .fetch_all(c)
        .await
    })
}

/// At most `limit` of the rows that are wanted from before the row `before`, newest first.
pub(crate) async fn page(conn: Conn<'_>, wanted: Wanted<'_>, before: Uuid, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
            "select id, at, event, account_id, session_id, ip, user_agent, request_id, actor, cause from events
         where event = coalesce($1, event) and at >= coalesce($2, at) and at <= coalesce($3, at) and id < $4
         order by id desc limit $5"
        ))
        .bind(wanted.event)
        .bind(wanted.since)
        .bind(wanted.until)
        .bind(before)
        .bind(limit)
        .fetch_all(c)
        .await
    })
}

/// Forgets the events of this kind that concern no account.
pub(crate) async fn forget_of_nobody(conn: Conn<'_>, event: &str) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from events where account_id is null and event = $1"))
        .bind(event)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}

/// Forgets all that happened to an account.
pub(crate) async fn forget(conn: Conn<'_>, account: AccountId) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from events where account_id = $1"))
        .bind(account.0)
        .execute(c)
        .await
        .map(drop))
}

/// Forgets what happened before `before`.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from events where at < $1"))
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
