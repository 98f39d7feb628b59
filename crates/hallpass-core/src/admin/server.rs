//! The server itself: what happened, which mails wait, which keys sign, and how much goes on.

use hallpass_token::AccountId;
use serde::Serialize;
use uuid::Uuid;

use super::{Admin, Level, Page, begin, checked_limit, cursor};
use crate::{
    Code, Ctx, Error, Hallpass, Result,
    audit::{self, Entry, Event, Filter},
    keys::{self, KeyInfo},
    mail::{self, Waiting},
    revocation::Pending,
    statistics::{self, Statistics},
    store,
};

/// Which events are looked for; `None` is all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events {
    /// What happened to this account.
    pub account: Option<AccountId>,
    /// What is of this kind.
    pub event: Option<Event>,
    /// What happened then or later, in seconds since 1970 (UTC).
    pub since: Option<i64>,
    /// What happened then or before, in seconds since 1970 (UTC).
    pub until: Option<i64>,
}

/// The same as it is bound to a cursor.
#[derive(Serialize)]
struct Listed(Option<i64>, Option<&'static str>, Option<i64>, Option<i64>);

/// A page of what happened, the newest first: `limit` of them, from 1 to 100.
///
/// # Errors
/// [`Code::InvalidRequest`] for a limit that is none, and for a cursor that is not of this list; [`Code::Unavailable`].
pub async fn events(
    hallpass: &Hallpass,
    _: &Admin,
    wanted: Events,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Entry>> {
    let most = checked_limit(limit)?;
    let Events { account, event, since, until } = wanted;
    let list = ("events", Listed(account.map(|account| account.0), event.map(Event::as_str), since, until));
    let before = cursor::read(hallpass, &list, cursor)?.map(Uuid::from_bytes);
    let found = audit::list(hallpass, Filter { account, event, since, until, before, limit: limit + 1 }).await?;
    cursor::page(hallpass, &list, most, found, |entry: &Entry| *entry.id.as_bytes())
}

/// What has not gone out, the oldest first: `limit` at most, from 1 to 100.
///
/// # Errors
/// [`Code::InvalidRequest`] for a limit that is none; [`Code::Unavailable`].
pub async fn waiting(hallpass: &Hallpass, _: &Admin, limit: u32) -> Result<Vec<Waiting>> {
    checked_limit(limit)?;
    mail::waiting(hallpass, limit).await
}

/// Makes the mails due again that were given up, and says how many that are.
///
/// # Errors
/// [`Code::Forbidden`] for all but superusers; [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn retry(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin) -> Result<u64> {
    let (mut tx, _) = begin(hallpass, admin, admin.account, Level::Superuser).await?;
    let mut pending = Pending::default();
    let revived = store::outbox::revive(tx.conn(), ctx.now).await?;
    pending.record(hallpass, ctx, &mut tx, Event::MailRetried.because(revived.to_string())).await?;
    pending.commit(hallpass, tx).await?;
    Ok(revived)
}

/// All keys, the oldest first: their names and times, and nothing that signs.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn keys(hallpass: &Hallpass, _: &Admin) -> Result<Vec<KeyInfo>> {
    keys::list(hallpass).await
}

/// Lets the next key sign from now on, as [`keys::rotate`] does, and returns all keys.
///
/// # Errors
/// [`Code::Forbidden`] for all but superusers; [`Code::Unavailable`], also if somebody else rotates at this moment.
pub async fn rotate_key(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin) -> Result<Vec<KeyInfo>> {
    admin.demand(Level::Superuser)?;
    keys::rotate(hallpass, ctx).await?;
    keys::list(hallpass).await
}

/// How much happened within the last `days`, from 1 to 90, and how much there is.
///
/// # Errors
/// [`Code::InvalidRequest`] for days that are none; [`Code::Unavailable`].
pub async fn statistics(hallpass: &Hallpass, ctx: &Ctx, _: &Admin, days: u32) -> Result<Statistics> {
    if !(1..=90).contains(&days) {
        return Err(Error::new(Code::InvalidRequest, "`days` is from 1 to 90"));
    }
    statistics::read(hallpass, ctx, days).await
}
