//! Table `accounts`, which in a Django project's database is a view (`adopted.rs`). It finds and changes rows; what may
//! be changed, and by whom, is decided above.
//!
//! Because of the view no statement looks at how many rows were affected: SQLite counts none, and returns only those
//! columns that were set. `returning 1 as done` says the same of both.

use hallpass_token::AccountId;
use sqlx::FromRow;

use super::{Conn, on, sql};
use crate::names;

/// A row, as the table has it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct AccountRow {
    pub(crate) id: i64,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) roles: String,
    pub(crate) profile: String,
    pub(crate) version: i64,
    pub(crate) date_joined: i64,
    pub(crate) last_login: Option<i64>,
    pub(crate) locale: Option<String>,
    pub(crate) delete_at: Option<i64>,
}

/// The names of a new row that the database holds unique.
pub(crate) struct UniqueNames<'a> {
    pub(crate) username_key: Option<&'a str>,
    pub(crate) email_key: Option<&'a str>,
}

/// Binds what a new row says, but for its id.
macro_rules! bound {
    ($query:expr, $row:expr, $names:expr) => {
        $query
            .bind(&$row.username)
            .bind($names.username_key)
            .bind(&$row.email)
            .bind($names.email_key)
            .bind($row.email_verified)
            .bind(&$row.first_name)
            .bind(&$row.last_name)
            .bind(&$row.password)
            .bind($row.is_active)
            .bind($row.is_staff)
            .bind($row.is_superuser)
            .bind(&$row.roles)
            .bind(&$row.profile)
            .bind($row.version)
            .bind($row.date_joined)
            .bind($row.last_login)
            .bind(&$row.locale)
    };
}

/// Writes a new account (the row's `id` is ignored) and returns the id that it got.
pub(crate) async fn insert(mut conn: Conn<'_>, row: &AccountRow, names: UniqueNames<'_>) -> sqlx::Result<AccountId> {
    let id: Option<i64> = on!(conn.again(), |c| bound!(
        sqlx::query_scalar(sql!(
            "insert into accounts (username, username_key, email, email_key, email_verified, first_name, last_name,
            password, is_active, is_staff, is_superuser, roles, profile, version, date_joined, last_login, locale)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) returning id"
        )),
        row,
        names
    )
    .fetch_one(c)
    .await?);
    match id {
        Some(id) => Ok(AccountId(id)),
        // A view of SQLite does not tell; there is one writer, and ids grow.
        None => on!(conn, |c| sqlx::query_scalar(sql!("select id from accounts order by id desc limit 1"))
            .fetch_one(c)
            .await
            .map(AccountId)),
    }
}

/// Writes an account that had its id elsewhere.
pub(crate) async fn insert_as_it_is(conn: Conn<'_>, row: &AccountRow, names: UniqueNames<'_>) -> sqlx::Result<()> {
    on!(conn, |c| bound!(
        sqlx::query(sql!(
            "insert into accounts (username, username_key, email, email_key, email_verified, first_name, last_name,
            password, is_active, is_staff, is_superuser, roles, profile, version, date_joined, last_login, locale, id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
        )),
        row,
        names
    )
    .bind(row.id)
    .execute(c)
    .await
    .map(drop))
}

pub(crate) async fn by_id(conn: Conn<'_>, id: AccountId) -> sqlx::Result<Option<AccountRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts where id = $1"
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await)
}

/// The account with this name: of several that differ in letter case only, as Django allows, the one in these letters.
pub(crate) async fn by_username(conn: Conn<'_>, typed: &str) -> sqlx::Result<Option<AccountRow>> {
    // Which PostgreSQL takes in no text.
    if typed.contains('\0') {
        return Ok(None);
    }
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts
         where username_key in ($1, $2) order by case when username = $3 then 0 else 1 end limit 1"
    ))
    .bind(names::username_key(typed))
    // What `lower` of a database makes of it that knows no letters but those of ASCII.
    .bind(typed.to_ascii_lowercase())
    .bind(typed)
    .fetch_optional(c)
    .await)
}

/// The account with this address: of several, as Django allows, the one whose owner receives mail there.
pub(crate) async fn by_email(conn: Conn<'_>, key: &str) -> sqlx::Result<Option<AccountRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts
         where email_key = $1 order by email_verified desc, is_active desc, id limit 1"
    ))
    .bind(key)
    .fetch_optional(c)
    .await)
}

/// At most `limit` accounts with ids above `after`, in the order of their ids.
pub(crate) async fn page(conn: Conn<'_>, after: AccountId, limit: i64) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| {
        sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts where id > $1 order by id limit $2"
    ))
    .bind(after.0)
    .bind(limit)
    .fetch_all(c)
    .await
    })
}

/// The account as it is, which nobody else changes until the transaction ends.
pub(crate) async fn hold(mut conn: Conn<'_>, id: AccountId) -> sqlx::Result<Option<AccountRow>> {
    let held: Option<i32> = on!(conn.again(), |c| sqlx::query_scalar(sql!(
        "update accounts set version = version where id = $1 returning 1 as done"
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await?);
    match held {
        Some(_) => by_id(conn, id).await,
        None => Ok(None),
    }
}

/// Notes a sign-in, which calls off a deletion, and the new hash if the old one was outdated, but only while the account
/// is active and has the password that was just checked: a password change or a deactivation at the same moment wins.
pub(crate) async fn note_login(
    mut conn: Conn<'_>,
    id: AccountId,
    checked: &str,
    stored: &str,
    now: i64,
) -> sqlx::Result<Option<AccountRow>> {
    let noted: Option<i32> = on!(conn.again(), |c| sqlx::query_scalar(sql!(
        "update accounts set last_login = $1, password = $2, delete_at = null
         where id = $3 and password = $4 and is_active returning 1 as done"
    ))
    .bind(now)
    .bind(stored)
    .bind(id.0)
    .bind(checked)
    .fetch_optional(c)
    .await?);
    match noted {
        Some(_) => by_id(conn, id).await,
        None => Ok(None),
    }
}

/// Notes a sign-in without a password to an account that is held.
pub(crate) async fn note_login_by_link(conn: Conn<'_>, id: AccountId, now: i64) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update accounts set last_login = $1, delete_at = null where id = $2"))
        .bind(now)
        .bind(id.0)
        .execute(c)
        .await
        .map(drop))
}

/// Notes that the owner receives mail at the account's address.
pub(crate) async fn set_email_verified(conn: Conn<'_>, id: AccountId) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update accounts set email_verified = true where id = $1"))
        .bind(id.0)
        .execute(c)
        .await
        .map(drop))
}

/// Gives the account another address, at which its owner receives mail, and the next version.
pub(crate) async fn set_email(conn: Conn<'_>, id: AccountId, email: &str, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update accounts set email = $1, email_key = $2, email_verified = true, version = version + 1 where id = $3"
    ))
    .bind(email)
    .bind(key)
    .bind(id.0)
    .execute(c)
    .await
    .map(drop))
}

/// Gives the account another address, at which nobody has shown to receive mail.
pub(crate) async fn move_to(conn: Conn<'_>, id: AccountId, email: &str, key: &str) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!(
        "update accounts set email = $1, email_key = $2, email_verified = false where id = $3"
    ))
    .bind(email)
    .bind(key)
    .bind(id.0)
    .execute(c)
    .await
    .map(drop))
}

/// Whether there is a superuser but this account who can sign in, and does not want to go. Who has not chosen a password
/// yet cannot, and neither can who has one that Django made unusable (`!`).
pub(crate) async fn has_other_superuser(conn: Conn<'_>, id: AccountId) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query_scalar(sql!(
        "select exists (select 1 from accounts where is_superuser and is_active and delete_at is null and id <> $1
            and password not like '!%') as other"
    ))
    .bind(id.0)
    .fetch_one(c)
    .await)
}

/// How many accounts there are.
pub(crate) async fn count(conn: Conn<'_>) -> sqlx::Result<i64> {
    on!(conn, |c| sqlx::query_scalar(sql!("select count(*) as number from accounts")).fetch_one(c).await)
}

/// Gives the account another user name.
pub(crate) async fn rename(conn: Conn<'_>, id: AccountId, name: Option<&str>, key: Option<&str>) -> sqlx::Result<()> {
    on!(conn, |c| sqlx::query(sql!("update accounts set username = $1, username_key = $2 where id = $3"))
        .bind(name)
        .bind(key)
        .bind(id.0)
        .execute(c)
        .await
        .map(drop))
}

/// Sets when the account goes, unless somebody replaced the password that was just checked.
pub(crate) async fn set_delete_at(conn: Conn<'_>, id: AccountId, checked: &str, at: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update accounts set delete_at = $1 where id = $2 and password = $3 and is_active returning 1 as done"
    ))
    .bind(at)
    .bind(id.0)
    .bind(checked)
    .fetch_optional(c)
    .await
    .map(|done| done.is_some()))
}

/// At most `limit` accounts whose time has come.
pub(crate) async fn to_delete(conn: Conn<'_>, now: i64, limit: i64) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| sqlx::query_as(sql!(
        "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff, is_superuser,
            roles, profile, version, date_joined, last_login, locale, delete_at from accounts
         where delete_at <= $1 order by delete_at limit $2"
    ))
    .bind(now)
    .bind(limit)
    .fetch_all(c)
    .await)
}

/// Deletes an account whose time has come, unless its owner has signed in meanwhile.
pub(crate) async fn delete(conn: Conn<'_>, id: AccountId, now: i64) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!("delete from accounts where id = $1 and delete_at <= $2 returning 1 as done"))
        .bind(id.0)
        .bind(now)
        .fetch_optional(c)
        .await
        .map(|done| done.is_some()))
}

/// Replaces the password, but only the one that was just checked.
pub(crate) async fn replace_password(conn: Conn<'_>, id: AccountId, checked: &str, new: &str) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update accounts set password = $1 where id = $2 and password = $3 and is_active returning 1 as done"
    ))
    .bind(new)
    .bind(id.0)
    .bind(checked)
    .fetch_optional(c)
    .await
    .map(|done| done.is_some()))
}

/// Replaces the password whatever it was; null takes password sign-in away.
pub(crate) async fn set_password(conn: Conn<'_>, id: AccountId, new: Option<&str>) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!("update accounts set password = $1 where id = $2 returning 1 as done"))
        .bind(new)
        .bind(id.0)
        .fetch_optional(c)
        .await
        .map(|done| done.is_some()))
}

/// Writes what `row` says of the person and the standing, as the version after `row.version`, unless somebody else did so first.
///
/// The password is not part of it: a change of roles must not bring back a password that was replaced meanwhile.
pub(crate) async fn update(conn: Conn<'_>, row: &AccountRow) -> sqlx::Result<bool> {
    on!(conn, |c| sqlx::query(sql!(
        "update accounts set first_name = $1, last_name = $2, is_active = $3, roles = $4, profile = $5, locale = $6,
            is_staff = $9, is_superuser = $10, version = version + 1 where id = $7 and version = $8 returning 1 as done"
    ))
    .bind(&row.first_name)
    .bind(&row.last_name)
    .bind(row.is_active)
    .bind(&row.roles)
    .bind(&row.profile)
    .bind(&row.locale)
    .bind(row.id)
    .bind(row.version)
    .bind(row.is_staff)
    .bind(row.is_superuser)
    .fetch_optional(c)
    .await
    .map(|done| done.is_some()))
}
