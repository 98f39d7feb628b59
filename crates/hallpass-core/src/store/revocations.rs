//! Table `revocations`: the log of what was taken back. Lines are appended, read and, once they can no longer matter, forgotten.

use hallpass_token::{AccountId, Revocation, SessionId};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, on, sql};

#[derive(FromRow)]
struct RevocationRow {
    id: i64,
    session_id: Option<Uuid>,
    account_id: Option<i64>,
    below_version: Option<i64>,
    forget_at: i64,
}

impl RevocationRow {
    fn line(self) -> Option<Revocation> {
        let forget_at = self.forget_at;
        if let Some(session) = self.session_id {
            return Some(Revocation::Session { session: SessionId(session), forget_at });
        }
        let (account, below_version) = self.account_id.zip(self.below_version)?;
        Some(Revocation::Account { account: AccountId(account), below_version, forget_at })
    }
}

/// Appends a line; `cause` is for people who read the table.
pub(crate) async fn append(conn: Conn<'_>, line: &Revocation, cause: &str, now: i64) -> sqlx::Result<()> {
    let (session, account, version, forget_at) = match *line {
        Revocation::Session { session, forget_at } => (Some(session.0), None, None, forget_at),
        Revocation::Account { account, below_version, forget_at } => {
            (None, Some(account.0), Some(below_version), forget_at)
        }
    };
    on!(conn, |c| sqlx::query(sql!(
        "insert into revocations (created_at, session_id, account_id, below_version, cause, forget_at)
         values ($1, $2, $3, $4, $5, $6)"
    ))
    .bind(now)
    .bind(session)
    .bind(account)
    .bind(version)
    .bind(cause)
    .bind(forget_at)
    .execute(c)
    .await
    .map(drop))
}

/// The lines above `after`, and those written at or after `since` by the clock of whoever wrote them, which can still
/// matter at `now`; and the highest number among them.
pub(crate) async fn since(
    conn: Conn<'_>,
    after: i64,
    since: i64,
    now: i64,
) -> sqlx::Result<(Vec<Revocation>, Option<i64>)> {
    let rows: Vec<RevocationRow> = on!(conn, |c| sqlx::query_as(sql!(
        "select id, session_id, account_id, below_version, forget_at from revocations
         where (id > $1 or created_at >= $2) and forget_at > $3"
    ))
    .bind(after)
    .bind(since)
    .bind(now)
    .fetch_all(c)
    .await?);
    let last = rows.iter().map(|row| row.id).max();
    Ok((rows.into_iter().filter_map(RevocationRow::line).collect(), last))
}

/// At most `limit` lines with numbers above `after`, in the order of their numbers: those above `line`, and those written
/// at or after `since`, which can still matter at `now`.
pub(crate) async fn page(
    conn: Conn<'_>,
    line: i64,
    since: i64,
    after: i64,
    now: i64,
    limit: i64,
) -> sqlx::Result<Vec<(i64, Revocation)>> {
    let rows: Vec<RevocationRow> = on!(conn, |c| sqlx::query_as(sql!(
        "select id, session_id, account_id, below_version, forget_at from revocations
         where (id > $1 or created_at >= $2) and id > $3 and forget_at > $4 order by id limit $5"
    ))
    .bind(line)
    .bind(since)
    .bind(after)
    .bind(now)
    .bind(limit)
    .fetch_all(c)
    .await?);
    Ok(rows.into_iter().filter_map(|row| Some((row.id, row.line()?))).collect())
}

/// Whether the log and the tables let tokens of this session be: it is live and this account's, the account is active,
/// and no line that can still matter at `now` puts tokens of `version` out of date.
pub(crate) async fn spares(
    conn: Conn<'_>,
    session: SessionId,
    account: AccountId,
    version: i64,
    now: i64,
) -> sqlx::Result<bool> {
    let spared: Option<Uuid> = on!(conn, |c| sqlx::query_scalar(sql!(
        "select s.id from sessions s join accounts a on a.id = s.account_id
         where s.id = $1 and a.id = $2 and a.is_active
            and s.ended_at is null and s.idle_end > $3 and s.absolute_end > $3
            and not exists (select 1 from revocations r
                where r.account_id = $2 and r.below_version > $4 and r.forget_at > $3)"
    ))
    .bind(session.0)
    .bind(account.0)
    .bind(now)
    .bind(version)
    .fetch_optional(c)
    .await?);
    Ok(spared.is_some())
}

/// Forgets lines that have concerned no living token since `before`.
pub(crate) async fn prune(conn: Conn<'_>, before: i64) -> sqlx::Result<u64> {
    on!(conn, |c| sqlx::query(sql!("delete from revocations where forget_at <= $1"))
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}
