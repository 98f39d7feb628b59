//! Looking through `accounts` by the beginnings of names and by what they are, a page at a time.
//!
//! What begins alike is found by an index if there is not much of it; else there is so much that going through the
//! accounts in their order meets a page of it soon. Which it is, [`few`] finds out.

use sqlx::FromRow;

use super::{Conn, accounts::AccountRow, on, sql};

/// Keys from a low one to a high one, which is not meant any more.
pub(crate) type Range = (Option<String>, Option<String>);

/// What is looked for; what is `None` is not asked. It stands in the statements so that PostgreSQL drops what is not asked
/// before it makes its plan: guessing how much each condition leaves, it would rather sort all accounts.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) username: Range,
    /// The same as a database spells it that knows no letters but those of ASCII.
    pub(crate) username_in_ascii: Range,
    pub(crate) email: Range,
    pub(crate) id: Option<i64>,
    pub(crate) active: Option<bool>,
    pub(crate) verified: Option<bool>,
    pub(crate) staff: Option<bool>,
    pub(crate) superuser: Option<bool>,
    pub(crate) to_be_deleted: Option<bool>,
    /// As it stands in the JSON array.
    pub(crate) role: Option<String>,
}

/// Binds what is looked for, after which account, and how many.
macro_rules! bound {
    ($query:expr, $wanted:expr, $after:expr, $limit:expr) => {
        $query
            .bind(&$wanted.username.0)
            .bind(&$wanted.username.1)
            .bind(&$wanted.username_in_ascii.0)
            .bind(&$wanted.username_in_ascii.1)
            .bind(&$wanted.email.0)
            .bind(&$wanted.email.1)
            .bind($wanted.id)
            .bind($wanted.active)
            .bind($wanted.verified)
            .bind($wanted.staff)
            .bind($wanted.superuser)
            .bind($wanted.to_be_deleted)
            .bind(&$wanted.role)
            .bind($after)
            .bind($limit)
    };
}

#[derive(FromRow)]
struct Found {
    number: i64,
}

/// Whether fewer than `many` names begin as it is wanted.
pub(crate) async fn few(conn: Conn<'_>, wanted: &Wanted, many: i64) -> sqlx::Result<bool> {
    let found: Found = on!(conn, |c| sqlx::query_as(sql!(
        "select count(*) as number from (
            select 1 as one from accounts where username_key >= $1 and username_key < $2
            union all select 1 as one from accounts where username_key >= $3 and username_key < $4
            union all select 1 as one from accounts where email_key >= $5 and email_key < $6
            limit $7) as found"
    ))
    .bind(&wanted.username.0)
    .bind(&wanted.username.1)
    .bind(&wanted.username_in_ascii.0)
    .bind(&wanted.username_in_ascii.1)
    .bind(&wanted.email.0)
    .bind(&wanted.email.1)
    .bind(many)
    .fetch_one(c)
    .await?);
    Ok(found.number < many)
}

/// A page of a few accounts with lower ids than `before`, the newest first.
pub(crate) async fn newest_of_few(
    conn: Conn<'_>,
    wanted: &Wanted,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| {
        bound!(
        sqlx::query_as(sql!(
            "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff,
                is_superuser, roles, profile, version, date_joined, last_login, locale, delete_at
             from accounts
             where id in (select id from accounts where username_key >= $1 and username_key < $2
                union select id from accounts where username_key >= $3 and username_key < $4
                union select id from accounts where email_key >= $5 and email_key < $6
                union select id from accounts where id = $7)
                and (cast($8 as boolean) is null or is_active = $8) and (cast($9 as boolean) is null or email_verified = $9)
                and (cast($10 as boolean) is null or is_staff = $10) and (cast($11 as boolean) is null or is_superuser = $11)
                and (cast($12 as boolean) is null or (delete_at is not null) = $12)
                and (cast($13 as text) is null or replace(roles, $13, '') <> roles)
                and id < $14
             order by id desc limit $15"
        )),
        wanted,
        before,
        limit
    )
    .fetch_all(c)
    .await
    })
}

/// A page of a few accounts with higher ids than `after`, the oldest first.
pub(crate) async fn oldest_of_few(
    conn: Conn<'_>,
    wanted: &Wanted,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| {
        bound!(
        sqlx::query_as(sql!(
            "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff,
                is_superuser, roles, profile, version, date_joined, last_login, locale, delete_at
             from accounts
             where id in (select id from accounts where username_key >= $1 and username_key < $2
                union select id from accounts where username_key >= $3 and username_key < $4
                union select id from accounts where email_key >= $5 and email_key < $6
                union select id from accounts where id = $7)
                and (cast($8 as boolean) is null or is_active = $8) and (cast($9 as boolean) is null or email_verified = $9)
                and (cast($10 as boolean) is null or is_staff = $10) and (cast($11 as boolean) is null or is_superuser = $11)
                and (cast($12 as boolean) is null or (delete_at is not null) = $12)
                and (cast($13 as text) is null or replace(roles, $13, '') <> roles)
                and id > $14
             order by id limit $15"
        )),
        wanted,
        after,
        limit
    )
    .fetch_all(c)
    .await
    })
}

/// A page of many accounts with lower ids than `before`, the newest first: what is compared stands in no index.
pub(crate) async fn newest_of_many(
    conn: Conn<'_>,
    wanted: &Wanted,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| {
        bound!(
        sqlx::query_as(sql!(
            "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff,
                is_superuser, roles, profile, version, date_joined, last_login, locale, delete_at
             from accounts
             where (cast($1 as text) is null or coalesce(username_key, '') >= $1 and coalesce(username_key, '') < $2
                or coalesce(username_key, '') >= $3 and coalesce(username_key, '') < $4
                or coalesce(email_key, '') >= $5 and coalesce(email_key, '') < $6 or id = $7)
                and (cast($8 as boolean) is null or is_active = $8) and (cast($9 as boolean) is null or email_verified = $9)
                and (cast($10 as boolean) is null or is_staff = $10) and (cast($11 as boolean) is null or is_superuser = $11)
                and (cast($12 as boolean) is null or (delete_at is not null) = $12)
                and (cast($13 as text) is null or replace(roles, $13, '') <> roles)
                and id < $14
             order by id desc limit $15"
        )),
        wanted,
        before,
        limit
    )
    .fetch_all(c)
    .await
    })
}

/// A page of many accounts with higher ids than `after`, the oldest first.
pub(crate) async fn oldest_of_many(
    conn: Conn<'_>,
    wanted: &Wanted,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<AccountRow>> {
    on!(conn, |c| {
        bound!(
        sqlx::query_as(sql!(
            "select id, username, email, email_verified, first_name, last_name, password, is_active, is_staff,
                is_superuser, roles, profile, version, date_joined, last_login, locale, delete_at
             from accounts
             where (cast($1 as text) is null or coalesce(username_key, '') >= $1 and coalesce(username_key, '') < $2
                or coalesce(username_key, '') >= $3 and coalesce(username_key, '') < $4
                or coalesce(email_key, '') >= $5 and coalesce(email_key, '') < $6 or id = $7)
                and (cast($8 as boolean) is null or is_active = $8) and (cast($9 as boolean) is null or email_verified = $9)
                and (cast($10 as boolean) is null or is_staff = $10) and (cast($11 as boolean) is null or is_superuser = $11)
                and (cast($12 as boolean) is null or (delete_at is not null) = $12)
                and (cast($13 as text) is null or replace(roles, $13, '') <> roles)
                and id > $14
             order by id limit $15"
        )),
        wanted,
        after,
        limit
    )
    .fetch_all(c)
    .await
    })
}
