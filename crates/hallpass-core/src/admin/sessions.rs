//! The signed-in devices of everybody: looking at them, and ending one.

use hallpass_token::{AccountId, SessionId};
use uuid::Uuid;

use super::{Admin, Level, Page, begin, checked_limit, cursor};
use crate::{
    Code, Ctx, Error, Hallpass, Result,
    revocation::Pending,
    sessions::{EndCause, Session},
    store::{self, sessions::LiveRow},
};

/// A signed-in device, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The device.
    pub session: Session,
    /// The account.
    pub account: AccountId,
    /// The user name of the account.
    pub username: Option<String>,
    /// The address of the account.
    pub email: Option<String>,
}

/// A page of the sessions that can be refreshed, of everybody or of one account, the newest sign-in first: `limit` of
/// them, from 1 to 100.
///
/// # Errors
/// [`Code::InvalidRequest`] for a limit that is none, and for a cursor that is not of this list; [`Code::Unavailable`].
pub async fn sessions(
    hallpass: &Hallpass,
    ctx: &Ctx,
    _: &Admin,
    account: Option<AccountId>,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<LiveSession>> {
    let limit = checked_limit(limit)?;
    let list = ("sessions", account.map(|account| account.0));
    let before = cursor::read(hallpass, &list, cursor)?.map_or(Uuid::max(), Uuid::from_bytes);
    let mut reader = hallpass.0.db.read().await?;
    let (conn, most) = (reader.conn(), i64::try_from(limit).unwrap_or(0) + 1);
    let rows = match account {
        Some(account) => store::sessions::live_of_account_before(conn, account, before, ctx.now, most).await?,
        None => store::sessions::live_before(conn, before, ctx.now, most).await?,
    };
    let found = rows.into_iter().map(LiveSession::from).collect();
    cursor::page(hallpass, &list, limit, found, |live: &LiveSession| *live.session.id.0.as_bytes())
}

/// Ends a session of anybody on whom the caller may act.
///
/// # Errors
/// [`Code::NotFound`] if there is no such session or it is over; [`Code::Forbidden`], [`Code::SessionEnded`],
/// [`Code::Unavailable`].
pub async fn end_session(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, session: SessionId) -> Result<()> {
    let over = || Error::new(Code::NotFound, "There is no such session, or it is over");
    let row = store::sessions::by_id(hallpass.0.db.read().await?.conn(), session).await?;
    let owner = row.filter(|row| row.ended_at.is_none()).map(|row| AccountId(row.account_id)).ok_or_else(over)?;
    let (mut tx, _) = begin(hallpass, admin, owner, Level::Helpdesk).await?;
    let mut pending = Pending::default();
    if !pending.end(hallpass, ctx, &mut tx, owner, session, EndCause::EndedByAdmin).await? {
        return Err(over());
    }
    pending.commit(hallpass, tx).await
}

impl From<LiveRow> for LiveSession {
    fn from(row: LiveRow) -> Self {
        Self {
            account: AccountId(row.account_id),
            username: row.username,
            email: row.email,
            session: Session {
                id: SessionId(row.id),
                created_at: row.created_at,
                last_used_at: row.last_used_at,
                idle_end: row.idle_end,
                absolute_end: row.absolute_end,
                ip: row.ip,
                user_agent: row.user_agent,
            },
        }
    }
}
