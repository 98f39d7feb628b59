//! Signed-in devices: beginning, refreshing, listing and ending them.
//!
//! Which refresh secrets are good is decided by [`crate::rotation`] alone; here its decisions are carried out, each as one
//! conditional statement. Nobody is ever signed out because two requests crossed: the loser of a race reads again.

use hallpass_token::{AccountId, Claims, SessionId};
use uuid::{Builder, Uuid};

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    accounts::{self, Account},
    refresh_secret::RefreshSecret,
    revocation::Pending,
    rotation::{self, Decision, Rotation},
    secret,
    statistics::Kind,
    status_lists,
    store::{self, Tx, sessions::SessionRow},
};

mod everybody;
mod foreign;
mod keys;

pub use everybody::{Ended, end_some};
pub use foreign::{Named, end_family, extend, extend_begun_at, name_of, of_name, owner, sign_out_begun_at};
pub use keys::{Holder, Place, key, of_key};

/// How long a device stays signed in without being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remember {
    /// `sessions.idle`, over restarts of the browser.
    Yes,
    /// `sessions.idle_not_remembered`, and no longer than the browser is open.
    No,
}

/// Why a session is over: what the owner, the operator and the client can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// The device signed out.
    SignedOut,
    /// The owner signed out on every device.
    SignedOutEverywhere,
    /// The owner ended it from another device.
    EndedByOwner,
    /// The operator ended it.
    EndedByAdmin,
    /// The password was changed.
    PasswordChanged,
    /// An old refresh secret was used: either it or the session was stolen.
    RefreshReused,
    /// It was not used for longer than allowed.
    Idle,
    /// It had lasted as long as a session may.
    AbsoluteLimit,
    /// The account was deactivated.
    Deactivated,
    /// The account signed in on more devices than allowed.
    TooManySessions,
    /// The account has another e-mail address.
    EmailChanged,
    /// Whoever receives the account's mail took it over from somebody who had never shown to do so.
    OwnershipProven,
    /// The owner wants the account to be deleted.
    AccountDeleted,
    /// A program that was shown a token of it ended it.
    EndedByClient,
}

impl EndCause {
    /// Every cause.
    pub const ALL: &[EndCause] = &[
        EndCause::SignedOut,
        EndCause::SignedOutEverywhere,
        EndCause::EndedByOwner,
        EndCause::EndedByAdmin,
        EndCause::PasswordChanged,
        EndCause::RefreshReused,
        EndCause::Idle,
        EndCause::AbsoluteLimit,
        EndCause::Deactivated,
        EndCause::TooManySessions,
        EndCause::EmailChanged,
        EndCause::OwnershipProven,
        EndCause::AccountDeleted,
        EndCause::EndedByClient,
    ];

    /// The stable name, on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            EndCause::SignedOut => "signed_out",
            EndCause::SignedOutEverywhere => "signed_out_everywhere",
            EndCause::EndedByOwner => "ended_by_owner",
            EndCause::EndedByAdmin => "ended_by_admin",
            EndCause::PasswordChanged => "password_changed",
            EndCause::RefreshReused => "refresh_reused",
            EndCause::Idle => "idle",
            EndCause::AbsoluteLimit => "absolute_limit",
            EndCause::Deactivated => "deactivated",
            EndCause::TooManySessions => "too_many_sessions",
            EndCause::EmailChanged => "email_changed",
            EndCause::OwnershipProven => "ownership_proven",
            EndCause::AccountDeleted => "account_deleted",
            EndCause::EndedByClient => "ended_by_client",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.as_str() == name)
    }
}

/// What somebody who signed in or refreshed gets.
#[derive(Debug)]
pub struct Issued {
    /// Whose session it is.
    pub account: Account,
    /// The session.
    pub session: SessionId,
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// Names the session and proves it; whoever has it is signed in.
    pub refresh_token: String,
    /// The generation of that secret.
    pub generation: i64,
    /// Seconds that the refresh secret is good for at most; `None`: until the browser closes.
    pub refresh_lifetime: Option<i64>,
    /// Proves at later sign-ins that the owner has signed in on this device: then nobody who fails on purpose locks the
    /// owner out. Only at sign-up and sign-in, and only while attempts are counted; it opens nothing by itself.
    pub device_token: Option<String>,
}

/// A signed-in device, as its owner sees it. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session; proves nothing.
    pub id: SessionId,
    /// When the owner signed in.
    pub created_at: i64,
    /// When it was last refreshed.
    pub last_used_at: i64,
    /// When it ends if it is not refreshed.
    pub idle_end: i64,
    /// When it ends in any case.
    pub absolute_end: i64,
    /// From which address the owner signed in.
    pub ip: Option<String>,
    /// What the device called itself.
    pub user_agent: Option<String>,
}

/// Writes a new session of an account that may have one: only [`crate::login`] calls this, after it made sure. `amr` says
/// how (RFC 8176 section 2). Returns with it the number under which status lists speak of its tokens.
pub(crate) async fn begin(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    account: &Account,
    remember: Remember,
    amr: &'static str,
) -> Result<(SessionRow, i64)> {
    let rules = &hallpass.config().sessions;
    let idle_seconds = match remember {
        Remember::Yes => rules.idle,
        Remember::No => rules.idle_not_remembered,
    };
    let Rotation { generation, parent, first_child, rotated_at } = Rotation::new();
    let absolute_end = ctx.now + rules.absolute;
    let row = SessionRow {
        id: new_id(ctx.now)?,
        account_id: account.id.0,
        generation,
        parent,
        first_child,
        rotated_at,
        created_at: ctx.now,
        last_used_at: ctx.now,
        idle_seconds,
        idle_end: absolute_end.min(ctx.now + idle_seconds),
        absolute_end,
        remembered: remember == Remember::Yes,
        ip: ctx.ip.map(|ip| ip.to_string()),
        user_agent: ctx.user_agent.clone(),
        ended_at: None,
        end_cause: None,
        amr: amr.to_owned(),
    };
    store::sessions::insert(tx.conn(), &row).await?;
    let number = status_lists::number(hallpass, tx, &row, account.version).await?;
    Ok((row, number))
}

/// Makes the access token and the refresh secret of `generation` for a live session. `number` is that of this session and
/// this version of the account.
pub(crate) fn issue(
    hallpass: &Hallpass,
    ctx: &Ctx,
    account: Account,
    (row, number): (&SessionRow, i64),
    generation: i64,
) -> Result<Issued> {
    let rules = &hallpass.config().tokens;
    // No access token outlives the session that it states.
    let expires_in = rules.lifetime.min(row.absolute_end - ctx.now);
    let mut extra = accounts::mapped_claims(hallpass, &account);
    extra.insert("status".into(), status_lists::claim(hallpass, number));
    let claims = Claims {
        iss: rules.issuer.clone(),
        sub: account.id,
        aud: vec![rules.audience.clone()],
        client_id: rules.client_id.clone(),
        exp: ctx.now + expires_in,
        nbf: None,
        iat: ctx.now,
        jti: new_id(ctx.now)?.to_string(),
        sid: row.id(),
        // Never after `iat`, even if the clock was set back: verifiers would take the token for one of the future.
        auth_time: row.created_at.min(ctx.now),
        amr: vec![row.amr.clone()],
        roles: account.roles.clone(),
        account_version: account.version,
        extra,
    };
    let access_token = hallpass.0.ring.load().sign(&claims)?;
    let refresh_token = RefreshSecret { session: row.id(), generation }.encode(&hallpass.0.secrets.refresh);
    let refresh_lifetime = row.remembered.then_some(row.idle_seconds.min(row.absolute_end - ctx.now));
    let (session, device_token) = (row.id(), None);
    Ok(Issued { session, account, access_token, expires_in, refresh_token, generation, refresh_lifetime, device_token })
}

/// Exchanges a refresh secret for a new access token and, once a window, for its successor.
///
/// # Errors
/// [`Code::RefreshInvalid`] for what is not ours; [`Code::SessionEnded`] with the cause; [`Code::Unavailable`].
pub async fn refresh(hallpass: &Hallpass, ctx: &Ctx, presented: &str) -> Result<Issued> {
    let secret = RefreshSecret::decode(presented, &hallpass.0.secrets.refresh).ok_or_else(not_ours)?;
    go_on(hallpass, ctx, secret.session, secret.generation).await
}

/// Does what [`refresh`] does for a session and a generation that the caller has seen proven.
///
/// # Errors
/// Those of [`refresh`].
pub async fn go_on(hallpass: &Hallpass, ctx: &Ctx, session: SessionId, generation: i64) -> Result<Issued> {
    let secret = RefreshSecret { session, generation };
    // Each round that is lost was won by somebody else's step, after which most requests have nothing left to change.
    for _ in 0..100 {
        let mut reader = hallpass.0.db.read().await?;
        let issued = store::sessions::issued(reader.conn(), secret.session).await?;
        let (row, account, known) = match issued {
            Some(issued) => (issued.session, Some(issued.account), issued.status_number.zip(issued.status_version)),
            // Its account is gone, if ever there was such a session.
            None => {
                let row = store::sessions::by_id(reader.conn(), secret.session).await?;
                (row.ok_or_else(not_ours)?, None, None)
            }
        };
        drop(reader);
        if let Some(cause) = &row.end_cause {
            return Err(over(EndCause::parse(cause)));
        }
        if secret.generation > row.generation {
            everybody::warn_of_old_copy(hallpass, ctx.now);
        }

        let decision = match account.filter(|account| account.is_active) {
            None => Err(EndCause::Deactivated),
            Some(_) if row.absolute_end <= ctx.now => Err(EndCause::AbsoluteLimit),
            Some(_) if row.idle_end <= ctx.now => Err(EndCause::Idle),
            Some(account) => {
                let window = hallpass.config().sessions.replay_window;
                match rotation::decide(row.rotation(), secret.generation, ctx.now, window) {
                    Decision::Keep { generation } => Ok((account, None, generation)),
                    Decision::Rotate { next } => Ok((account, Some(next), next.generation)),
                    Decision::Reuse => Err(EndCause::RefreshReused),
                }
            }
        };
        match decision {
            Ok((account, next, generation)) => {
                let known = known.filter(|(_, version)| *version == account.version).map(|(number, _)| number);
                let number = match (next, known) {
                    (None, Some(number)) => Some(number),
                    (next, known) => step(hallpass, ctx, &row, next, known, account.version).await?,
                };
                if let Some(number) = number {
                    let issued = issue(hallpass, ctx, account.try_into()?, (&row, number), generation)?;
                    hallpass.0.counted.add(ctx.now, Kind::Refreshed);
                    return Ok(issued);
                }
            }
            Err(cause) => {
                let mut tx = hallpass.0.db.begin().await?;
                let mut pending = Pending::default();
                if pending.end_as_read(hallpass, ctx, &mut tx, &row, cause).await? {
                    pending.commit(hallpass, tx).await?;
                    return Err(over(Some(cause)));
                }
            }
        }
    }
    Err(used_by_many())
}

/// Writes what an issue changes: the step of the rotation, if there is one, and the number of the tokens, if they have
/// none. `None` if somebody else took the step.
async fn step(
    hallpass: &Hallpass,
    ctx: &Ctx,
    row: &SessionRow,
    next: Option<Rotation>,
    known: Option<i64>,
    version: i64,
) -> Result<Option<i64>> {
    let db = &hallpass.0.db;
    let mut tx = if known.is_some() { db.begin_one().await? } else { db.begin().await? };
    if let Some(next) = next
        && !store::sessions::rotate(tx.conn(), row, next, ctx.now).await?
    {
        return Ok(None);
    }
    let number = match known {
        Some(number) => number,
        None => status_lists::number(hallpass, &mut tx, row, version).await?,
    };
    tx.commit().await?;
    Ok(Some(number))
}

/// The session that a refresh secret of ours names, be it old, used or over: enough to sign it out, and for nothing else.
pub fn session_of(hallpass: &Hallpass, refresh: &str) -> Option<SessionId> {
    RefreshSecret::decode(refresh, &hallpass.0.secrets.refresh).map(|secret| secret.session)
}

/// Ends a session at its own device's wish. One that is over or unknown is fine: the wish is fulfilled.
///
/// # Errors
/// [`Code::Unavailable`]; then the session is not over.
pub async fn sign_out(hallpass: &Hallpass, ctx: &Ctx, session: SessionId) -> Result<()> {
    end_unless_over(hallpass, ctx, session, EndCause::SignedOut).await
}

/// Ends a session, whosever it is, unless it is over or unknown.
pub(crate) async fn end_unless_over(hallpass: &Hallpass, ctx: &Ctx, session: SessionId, cause: EndCause) -> Result<()> {
    let found = store::sessions::by_id(hallpass.0.db.read().await?.conn(), session).await?;
    let Some(row) = found.filter(|row| row.ended_at.is_none()) else { return Ok(()) };
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    pending.end(hallpass, ctx, &mut tx, AccountId(row.account_id), session, cause).await?;
    pending.commit(hallpass, tx).await
}

/// Ends every session of an account.
///
/// # Errors
/// [`Code::Unavailable`]; then no session is over.
pub async fn sign_out_everywhere(hallpass: &Hallpass, ctx: &Ctx, account: AccountId) -> Result<()> {
    end_all(hallpass, ctx, account, None, EndCause::SignedOutEverywhere).await
}

/// Ends every session of an account but the one that asks.
///
/// # Errors
/// [`Code::Unavailable`]; then no session is over.
pub async fn end_others(hallpass: &Hallpass, ctx: &Ctx, account: AccountId, keep: SessionId) -> Result<()> {
    end_all(hallpass, ctx, account, Some(keep), EndCause::EndedByOwner).await
}

/// Ends one session of an account.
///
/// # Errors
/// [`Code::NotFound`] if it is over or somebody else's; [`Code::Unavailable`].
pub async fn end(hallpass: &Hallpass, ctx: &Ctx, account: AccountId, session: SessionId) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    if !pending.end(hallpass, ctx, &mut tx, account, session, EndCause::EndedByOwner).await? {
        return Err(Error::new(Code::NotFound, "The account has no such session"));
    }
    pending.commit(hallpass, tx).await
}

/// The devices on which an account is signed in, last used first.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn list(hallpass: &Hallpass, ctx: &Ctx, account: AccountId) -> Result<Vec<Session>> {
    let rows = store::sessions::live(hallpass.0.db.read().await?.conn(), account, ctx.now).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

async fn end_all(
    hallpass: &Hallpass,
    ctx: &Ctx,
    account: AccountId,
    keep: Option<SessionId>,
    cause: EndCause,
) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, account, keep, cause).await?;
    pending.commit(hallpass, tx).await
}

fn not_ours() -> Error {
    Error::new(
        Code::RefreshInvalid,
        "Sign in again: this refresh secret was not made here, or its session is long gone",
    )
}

fn used_by_many() -> Error {
    Error::new(Code::Unavailable, "The session is being used by many at once; try again").retry_after(1)
}

fn over(cause: Option<EndCause>) -> Error {
    let mut error = Error::new(Code::SessionEnded, "Sign in again: `cause` says why the session is over");
    error.cause = cause;
    error
}

/// A UUID version 7 (RFC 9562 section 5.7) of the moment of the call.
fn new_id(now: i64) -> Result<Uuid> {
    let millis = u64::try_from(now).unwrap_or(0).saturating_mul(1000);
    Ok(Builder::from_unix_timestamp_millis(millis, &secret::random()?).into_uuid())
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id(),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            idle_end: row.idle_end,
            absolute_end: row.absolute_end,
            ip: row.ip,
            user_agent: row.user_agent,
        }
    }
}
