//! Table `tickets`: secrets that work once. Only their hashes are here; what one is good for is decided above.

use hallpass_token::AccountId;
use sqlx::FromRow;

use super::{Conn, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct TicketRow {
    pub(crate) hash: Vec<u8>,
    pub(crate) purpose: String,
    pub(crate) account_id: i64,
    pub(crate) bound_to: String,
    pub(crate) payload: String,
    pub(crate) code: Option<String>,
    pub(crate) tries_left: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// Writes a ticket in the place of an older one of the same account and purpose.
pub(crate) async fn put(conn: Conn<'_>, row: &TicketRow) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into tickets (hash, purpose, account_id, bound_to, payload, code, tries_left, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (account_id, purpose) do update set hash = excluded.hash, bound_to = excluded.bound_to,
            payload = excluded.payload, code = excluded.code, tries_left = excluded.tries_left,
            created_at = excluded.created_at, expires_at = excluded.expires_at"
    ))
    .bind(&row.hash)
    .bind(&row.purpose)
    .bind(row.account_id)
    .bind(&row.bound_to)
    .bind(&row.payload)
    .bind(&row.code)
    .bind(row.tries_left)
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute(c)
    .await
    .map(drop))
}

/// The ticket with this hash, if it is for this purpose and not over.
pub(crate) async fn get(conn: Conn<'_>, hash: &[u8], purpose: &str, now: i64) -> sqlx::Result<Option<TicketRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select hash, purpose, account_id, bound_to, payload, code, tries_left, created_at, expires_at from tickets
         where hash = $1 and purpose = $2 and expires_at > $3"
    ))
    .bind(hash)
    .bind(purpose)
    .bind(now)
    .fetch_optional(c)
    .await)
}

/// Uses the ticket up: of many who try at once, one gets it.
pub(crate) async fn redeem(conn: Conn<'_>, hash: &[u8], purpose: &str, now: i64) -> sqlx::Result<Option<TicketRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "delete from tickets where hash = $1 and purpose = $2 and expires_at > $3
         returning hash, purpose, account_id, bound_to, payload, code, tries_left, created_at, expires_at"
    ))
    .bind(hash)
    .bind(purpose)
    .bind(now)
    .fetch_optional(c)
    .await)
}

/// Takes one of the tries of an account's code, and tells which ticket and code it is; none if no try is left.
pub(crate) async fn try_code(
    conn: Conn<'_>,
    account: AccountId,
    purpose: &str,
    now: i64,
) -> sqlx::Result<Option<TicketRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "update tickets set tries_left = tries_left - 1
         where account_id = $1 and purpose = $2 and expires_at > $3 and tries_left > 0
         returning hash, purpose, account_id, bound_to, payload, code, tries_left, created_at, expires_at"
    ))
    .bind(account.0)
    .bind(purpose)
    .bind(now)
    .fetch_optional(c)
    .await)
}

/// Forgets all tickets of an account.
pub(crate) async fn forget(conn: Conn<'_>, account: AccountId) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from tickets where account_id = $1"))
        .bind(account.0)
        .execute(c)
        .await
        .map(drop))
}

/// Forgets the tickets that are over.
pub(crate) async fn prune(conn: Conn<'_>, now: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from tickets where expires_at <= $1")).bind(now).execute(c).await.map(drop))
}
