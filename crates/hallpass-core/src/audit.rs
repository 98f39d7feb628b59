//! What happened to whom: a row of the table `events` in the transaction of what happened, and after its commit a line
//! in the log.
//!
//! It never writes a secret, and never a name that somebody typed: people type passwords into the wrong field. What
//! strangers try on accounts that do not exist is only logged, so that nobody can fill the table with it.

use std::{borrow::Cow, sync::atomic::Ordering};

use hallpass_token::{AccountId, SessionId};
use uuid::{Builder, Uuid};

use crate::{
    Ctx, Hallpass, Result,
    ctx::Actor,
    revocation::Pending,
    secret,
    store::{
        self,
        events::{EventRow, Wanted},
    },
};

/// Seconds for which events are kept: 180 days.
pub(crate) const KEPT: i64 = 180 * 86_400;

/// The most entries of a page.
const LARGEST_PAGE: u32 = 1000;

/// Something worth remembering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Somebody made an account for themselves, and is signed in.
    SignedUp,
    /// The owner signed in.
    SignedIn,
    /// A superuser signed in as the account; the cause says who.
    Impersonated,
    /// Somebody gave a wrong password, or the right one for an account that may not sign in.
    SignInFailed,
    /// After 100 wrong passwords in a row the password opens nothing until a new one is set.
    PasswordLocked,
    /// The operator made the account.
    AccountCreated,
    /// Names or custom fields were changed.
    AccountChanged,
    /// The account may not sign in any more.
    AccountDeactivated,
    /// The account may sign in again.
    AccountActivated,
    /// The account has a role more.
    RoleGranted,
    /// The account has a role less.
    RoleRevoked,
    /// The account is of the staff or a superuser, or is so no more; the cause says which.
    StandingChanged,
    /// The owner replaced the password.
    PasswordChanged,
    /// The operator set the password.
    PasswordSet,
    /// Somebody who receives the account's mail set a new password.
    PasswordReset,
    /// Somebody who may had the owner mailed a link that sets a new password.
    PasswordResetOrdered,
    /// The owner has shown to receive mail at the account's address.
    EmailVerified,
    /// The account has another address.
    EmailChanged,
    /// A mail went to the account's address; the cause says which.
    MailSent,
    /// Mails that were given up are tried again.
    MailRetried,
    /// The owner wants the account to be deleted.
    DeletionScheduled,
    /// The owner signed in, so the account stays.
    DeletionCancelled,
    /// The account is gone.
    AccountDeleted,
    /// A session is over.
    SessionEnded,
    /// The operator made a client: a program that asks about tokens.
    ClientCreated,
    /// The operator removed a client.
    ClientRemoved,
    /// Another key signs from now on.
    KeyRotated,
    /// A key is dead, and what it signed.
    KeyRevoked,
}

impl Event {
    /// Every event.
    pub const ALL: &[Event] = &[
        Event::SignedUp,
        Event::SignedIn,
        Event::Impersonated,
        Event::SignInFailed,
        Event::PasswordLocked,
        Event::AccountCreated,
        Event::AccountChanged,
        Event::AccountDeactivated,
        Event::AccountActivated,
        Event::RoleGranted,
        Event::RoleRevoked,
        Event::StandingChanged,
        Event::PasswordChanged,
        Event::PasswordSet,
        Event::PasswordReset,
        Event::PasswordResetOrdered,
        Event::EmailVerified,
        Event::EmailChanged,
        Event::MailSent,
        Event::MailRetried,
        Event::DeletionScheduled,
        Event::DeletionCancelled,
        Event::AccountDeleted,
        Event::SessionEnded,
        Event::ClientCreated,
        Event::ClientRemoved,
        Event::KeyRotated,
        Event::KeyRevoked,
    ];

    /// The stable name, in the log, on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::SignedUp => "signed_up",
            Event::SignedIn => "signed_in",
            Event::Impersonated => "impersonated",
            Event::SignInFailed => "sign_in_failed",
            Event::PasswordLocked => "password_locked",
            Event::AccountCreated => "account_created",
            Event::AccountChanged => "account_changed",
            Event::AccountDeactivated => "account_deactivated",
            Event::AccountActivated => "account_activated",
            Event::RoleGranted => "role_granted",
            Event::RoleRevoked => "role_revoked",
            Event::StandingChanged => "standing_changed",
            Event::PasswordChanged => "password_changed",
            Event::PasswordSet => "password_set",
            Event::PasswordReset => "password_reset",
            Event::PasswordResetOrdered => "password_reset_ordered",
            Event::EmailVerified => "email_verified",
            Event::EmailChanged => "email_changed",
            Event::MailSent => "mail_sent",
            Event::MailRetried => "mail_retried",
            Event::DeletionScheduled => "deletion_scheduled",
            Event::DeletionCancelled => "deletion_cancelled",
            Event::AccountDeleted => "account_deleted",
            Event::SessionEnded => "session_ended",
            Event::ClientCreated => "client_created",
            Event::ClientRemoved => "client_removed",
            Event::KeyRotated => "key_rotated",
            Event::KeyRevoked => "key_revoked",
        }
    }

    /// The event of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.as_str() == name)
    }

    /// The event, and the account that it concerns.
    pub(crate) fn of(self, account: impl Into<Option<AccountId>>) -> Note {
        Note::from(self).of(account)
    }

    /// The event, and why, or which.
    pub(crate) fn because(self, cause: impl Into<Cow<'static, str>>) -> Note {
        Note::from(self).because(cause)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names the entry: a UUID version 7, in the order of what happened as far as one server knows it.
    pub id: Uuid,
    /// When, in seconds since 1970 (UTC).
    pub at: i64,
    /// What: the name of an [`Event`], or of one that only a later version knows.
    pub event: String,
    /// To whom; `None`: to the server.
    pub account: Option<AccountId>,
    /// On which device, or which device it was that signed out.
    pub session: Option<SessionId>,
    /// From which address.
    pub ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Finds what belongs to it in the log.
    pub request_id: String,
    /// Who did it: `anonymous` (somebody who had not signed in), `operator`, or `account` or `client` and its id.
    pub actor: String,
    /// Why, in one stable word; or which role, or which key.
    pub cause: Option<String>,
}

/// A part of what happened to an account.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    /// The last entry of the page before.
    pub before: Option<Uuid>,
    /// At most this many, and never more than 1000.
    pub limit: u32,
}

/// What an operator looks for; `None` is everything.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// What happened to this account.
    pub account: Option<AccountId>,
    /// What is of this kind.
    pub event: Option<Event>,
    /// What happened then or later, in seconds since 1970 (UTC).
    pub since: Option<i64>,
    /// What happened then or before, in seconds since 1970 (UTC).
    pub until: Option<i64>,
    /// The last entry of the page before.
    pub before: Option<Uuid>,
    /// At most this many, and never more than 1000.
    pub limit: u32,
}

/// What happened to an account, newest first.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn of_account(hallpass: &Hallpass, account: AccountId, page: Cursor) -> Result<Vec<Entry>> {
    let mut reader = hallpass.0.db.read().await?;
    let (before, limit) = bounds(page.before, page.limit);
    let rows = store::events::of_account(reader.conn(), account, Wanted::default(), before, limit).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// What happened to anybody, newest first.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn list(hallpass: &Hallpass, filter: Filter) -> Result<Vec<Entry>> {
    let wanted = Wanted { event: filter.event.map(Event::as_str), since: filter.since, until: filter.until };
    let mut reader = hallpass.0.db.read().await?;
    let (before, limit) = bounds(filter.before, filter.limit);
    let rows = match filter.account {
        Some(account) => store::events::of_account(reader.conn(), account, wanted, before, limit).await?,
        None => store::events::page(reader.conn(), wanted, before, limit).await?,
    };
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// Without a row to begin before, every id is below the highest one.
fn bounds(before: Option<Uuid>, limit: u32) -> (Uuid, i64) {
    (before.unwrap_or(Uuid::max()), limit.min(LARGEST_PAGE).into())
}

/// What is to be recorded: an event with all that the circumstances do not say.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    event: Event,
    account: Option<AccountId>,
    session: Option<SessionId>,
    cause: Option<Cow<'static, str>>,
}

impl From<Event> for Note {
    fn from(event: Event) -> Self {
        Self { event, account: None, session: None, cause: None }
    }
}

impl Note {
    /// To whom.
    pub(crate) fn of(self, account: impl Into<Option<AccountId>>) -> Self {
        Self { account: account.into(), ..self }
    }

    /// On which device.
    pub(crate) fn on(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Why, or which; never anything that somebody typed and nobody checked.
    pub(crate) fn because(self, cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// What is written about it.
    pub(crate) fn row(self, hallpass: &Hallpass, ctx: &Ctx) -> Result<EventRow> {
        Ok(EventRow {
            id: next_id(hallpass, ctx.now)?,
            at: ctx.now,
            event: self.event.as_str().to_owned(),
            account_id: self.account.map(|id| id.0),
            session_id: self.session.map(|id| id.0),
            ip: ctx.ip.map(|ip| ip.to_string()),
            user_agent: ctx.user_agent.clone(),
            request_id: ctx.request_id.clone(),
            actor: match &ctx.actor {
                Actor::Anonymous => "anonymous".to_owned(),
                Actor::Account(account, _) => format!("account {account}"),
                Actor::Client(id) => format!("client {id}"),
                Actor::Operator => "operator".to_owned(),
            },
            cause: self.cause.map(Cow::into_owned),
        })
    }
}

/// Records a failure, which has no transaction of its own. For an account that does not exist nothing is left but the
/// line in the log, after the same work: the answer must not come sooner.
pub(crate) async fn record_failure(hallpass: &Hallpass, ctx: &Ctx, note: Note) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, note).await?;
    store::events::forget_of_nobody(tx.conn(), Event::SignInFailed.as_str()).await?;
    pending.commit(hallpass, tx).await
}

/// Writes the line.
pub(crate) fn log(row: &EventRow) {
    tracing::info!(
        target: "hallpass::audit",
        event = row.event,
        account = row.account_id,
        session = row.session_id.map(tracing::field::display),
        cause = row.cause,
        actor = row.actor,
        ip = row.ip,
        user_agent = row.user_agent,
        request_id = row.request_id,
        at = row.at,
    );
}

/// A UUID version 7 (RFC 9562 section 5.7) above every one before it: times are whole seconds, so a counter follows
/// them (section 6.2, method 1).
pub(crate) fn next_id(hallpass: &Hallpass, now: i64) -> Result<Uuid> {
    let above = |last: i64| (last + 1).max(now << COUNTER_BITS);
    let last = hallpass.0.last_event.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(above(last)));
    let place = above(last.unwrap_or_else(|last| last));
    let millis = u64::try_from(place >> COUNTER_BITS).unwrap_or(0).saturating_mul(1000);
    let mut bytes: [u8; 10] = secret::random()?;
    let [high, low] = u16::try_from(place & COUNTER).unwrap_or(0).to_be_bytes();
    (bytes[0], bytes[1]) = (high, low);
    Ok(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

/// The bits behind the time: `rand_a` of the layout.
const COUNTER_BITS: u32 = 12;
const COUNTER: i64 = (1 << COUNTER_BITS) - 1;

impl From<EventRow> for Entry {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            event: row.event,
            account: row.account_id.map(AccountId),
            session: row.session_id.map(SessionId),
            ip: row.ip,
            user_agent: row.user_agent,
            request_id: row.request_id,
            actor: row.actor,
            cause: row.cause,
        }
    }
}
