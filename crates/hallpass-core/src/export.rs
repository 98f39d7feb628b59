//! All that is kept about an account, for its owner. No secret is part of it.

use hallpass_token::AccountId;

use crate::{
    Hallpass, Result,
    accounts::{self, Account},
    addresses::{self, Address},
    audit::{self, Cursor, Entry},
    sessions::{self, EndCause, Session},
    store,
};

/// What is kept about an account.
#[derive(Debug)]
pub struct Export {
    /// The account.
    pub account: Account,
    /// The list of its addresses, where it has one.
    pub addresses: Vec<Address>,
    /// Its sessions, last used first, also those that ended within the last month.
    pub sessions: Vec<Past>,
    /// What happened to it within the last 180 days, newest first.
    pub events: Vec<Entry>,
}

/// A session, be it over or not.
#[derive(Debug)]
pub struct Past {
    /// The session.
    pub session: Session,
    /// When it ended before its time, in seconds since 1970 (UTC).
    pub ended_at: Option<i64>,
    /// Why it did.
    pub cause: Option<EndCause>,
}

/// Collects it.
///
/// # Errors
/// [`crate::Code::NotFound`], [`crate::Code::Unavailable`].
pub async fn of_account(hallpass: &Hallpass, id: AccountId) -> Result<Export> {
    let account = accounts::get(hallpass, id).await?;
    let rows = store::sessions::of_account(hallpass.0.db.read().await?.conn(), id).await?;
    let sessions = rows.into_iter().map(|row| {
        let cause = row.end_cause.as_deref().and_then(sessions::EndCause::parse);
        Past { ended_at: row.ended_at, cause, session: row.into() }
    });
    let mut events: Vec<Entry> = Vec::new();
    loop {
        let before = events.last().map(|entry| entry.id);
        let page = audit::of_account(hallpass, id, Cursor { before, limit: 1000 }).await?;
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let addresses = addresses::of_account(hallpass, id).await?;
    Ok(Export { account, addresses, sessions: sessions.collect(), events })
}
