//! Table `addresses`. It may be a view over a table of somebody else's: what a statement did is told by the rows that come
//! back, and a new row is read again.

use hallpass_token::AccountId;
use sqlx::FromRow;

use super::{Conn, accounts::AccountRow, on, sql};

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct AddressRow {
    pub(crate) account_id: i64,
    pub(crate) email: String,
    pub(crate) email_key: String,
    pub(crate) verified: bool,
}

/// Writes a new address of an account, which nobody has verified.
pub(crate) async fn insert(conn: Conn<'_>, account: AccountId, email: &str, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "insert into addresses (account_id, email, email_key, verified) values ($1, $2, $3, false)"
    ))
    .bind(account.0)
    .bind(email)
    .bind(key)
    .execute(c)
    .await
    .map(drop))
}

pub(crate) async fn by_id(conn: Conn<'_>, id: i64) -> sqlx::Result<Option<AddressRow>> {
    on!(conn, |c| sqlx::query_as(sql!("select account_id, email, email_key, verified from addresses where id = $1"))
        .bind(id)
        .fetch_optional(c)
        .await)
}

/// The addresses of an account, the oldest first.
pub(crate) async fn of_account(conn: Conn<'_>, account: AccountId) -> sqlx::Result<Vec<AddressRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select account_id, email, email_key, verified from addresses where account_id = $1 order by id"
    ))
    .bind(account.0)
    .fetch_all(c)
    .await)
}

/// The accounts' rows of one address: first the one that is verified, then the newest.
pub(crate) async fn by_email(conn: Conn<'_>, key: &str) -> sqlx::Result<Vec<AddressRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select account_id, email, email_key, verified from addresses where email_key = $1
         order by verified desc, id desc limit 100"
    ))
    .bind(key)
    .fetch_all(c)
    .await)
}

/// Notes that the owner receives mail at this address of the account, if it is one of its addresses.
pub(crate) async fn set_verified(conn: Conn<'_>, account: AccountId, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update addresses set verified = true where account_id = $1 and email_key = $2"))
        .bind(account.0)
        .bind(key)
        .execute(c)
        .await
        .map(drop))
}

/// Takes one address from an account.
pub(crate) async fn remove(conn: Conn<'_>, account: AccountId, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from addresses where account_id = $1 and email_key = $2"))
        .bind(account.0)
        .bind(key)
        .execute(c)
        .await
        .map(drop))
}

/// Forgets all addresses of an account.
pub(crate) async fn forget(conn: Conn<'_>, account: AccountId) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("delete from addresses where account_id = $1"))
        .bind(account.0)
        .execute(c)
        .await
        .map(drop))
}

/// The account of whoever receives the mail of this address: it was shown, or the address is the account's own.
pub(crate) async fn receiver(conn: Conn<'_>, key: &str) -> sqlx::Result<Option<AccountRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts
         where id = coalesce((select account_id from addresses where email_key = $1 and verified order by id limit 1),
            (select id from accounts where email_key = $1 order by email_verified desc, is_active desc, id limit 1))"
    ))
    .bind(key)
    .fetch_optional(c)
    .await)
}

/// The same, or else the account that took the address last.
pub(crate) async fn account_of(conn: Conn<'_>, key: &str) -> sqlx::Result<Option<AccountRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts
         where id = coalesce((select account_id from addresses where email_key = $1 and verified order by id limit 1),
            (select id from accounts where email_key = $1 order by email_verified desc, is_active desc, id limit 1),
            (select account_id from addresses where email_key = $1 order by id desc limit 1))"
    ))
    .bind(key)
    .fetch_optional(c)
    .await)
}

/// Whether the owner of another account than this has shown to receive the mail of this address.
pub(crate) async fn is_verified_elsewhere(conn: Conn<'_>, account: AccountId, key: &str) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "select exists (select 1 from addresses where email_key = $1 and verified and account_id <> $2)
            or exists (select 1 from accounts where email_key = $1 and email_verified and id <> $2) as elsewhere"
    ))
    .bind(key)
    .bind(account.0)
    .fetch_one(c)
    .await)
}
