//! What somebody who administers may look at and do, over the network: less than the operator, and never more than the
//! database says at that moment.
//!
//! Every function takes an [`Admin`], which only [`authorize`] makes. Whoever does something to an account is held
//! together with it while it is done, so that nobody does what he was forbidden a moment before. It never shows or takes
//! a password, a secret or a token.

use hallpass_token::AccountId;

use crate::{
    Actor, Code, Ctx, Error, Hallpass, Result,
    accounts::{self, Account},
    store::{self, Tx},
};

mod cursor;
mod people;
mod search;
mod server;
mod sessions;

pub use people::{Edits, NewPerson, change, create, end_sessions, grant_role, revoke_role, send_reset, set_active};
pub use search::{Order, Search, Standing, Status, account, search};
pub use server::{Events, events, keys, retry, rotate_key, statistics, waiting};
pub use sessions::{LiveSession, end_session, sessions};

/// The role that makes somebody one of the helpdesk.
pub const HELPDESK: &str = "hallpass:helpdesk";
/// What roles begin with that mean something here.
const OURS: &str = "hallpass:";

/// How much somebody who administers may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Looks at everything, and helps people who have no standing of their own: the role [`HELPDESK`].
    Helpdesk,
    /// Does everything: `is_superuser`.
    Superuser,
}

impl Level {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Helpdesk => "helpdesk",
            Self::Superuser => "superuser",
        }
    }

    fn of(account: &Account) -> Option<Self> {
        if account.is_superuser {
            Some(Self::Superuser)
        } else if account.roles.iter().any(|role| role == HELPDESK) {
            Some(Self::Helpdesk)
        } else {
            None
        }
    }
}

/// Somebody who may be here.
#[derive(Debug)]
pub struct Admin {
    account: AccountId,
    level: Level,
}

impl Admin {
    /// Whose account it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// How much it may do.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Refuses what only somebody of a higher level does.
    fn demand(&self, level: Level) -> Result<()> {
        if self.level >= level { Ok(()) } else { Err(refused(self.account, "Only a superuser does this")) }
    }
}

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where the next part begins; `None`: this was the last one.
    pub next: Option<String>,
}

/// Looks up whether whoever calls may administer.
///
/// # Errors
/// [`Code::TokenMissing`] if nobody is signed in; [`Code::SessionEnded`] if the account is gone or may not sign in;
/// [`Code::Forbidden`]; [`Code::Unavailable`].
pub async fn authorize(hallpass: &Hallpass, ctx: &Ctx) -> Result<Admin> {
    let Actor::Account(id, _) = ctx.actor else {
        return Err(Error::new(Code::TokenMissing, "Sign in as somebody who administers this server"));
    };
    let row = store::accounts::by_id(hallpass.0.db.read().await?.conn(), id).await?;
    let account: Option<Account> = row.map(TryInto::try_into).transpose()?;
    level_of(id, account.as_ref()).map(|level| Admin { account: id, level })
}

fn level_of(id: AccountId, account: Option<&Account>) -> Result<Level> {
    let Some(account) = account.filter(|account| account.is_active) else {
        return Err(Error::new(Code::SessionEnded, "This account may not sign in any more"));
    };
    Level::of(account).ok_or_else(|| refused(id, "Only a superuser and the helpdesk come in here"))
}

/// Begins what somebody does to an account, which is returned. Both are held, in the order of their ids: of two who act on
/// each other at the same moment one comes first, and the other may be somebody less by then.
async fn begin(hallpass: &Hallpass, admin: &Admin, on: AccountId, needed: Level) -> Result<(Tx, Account)> {
    admin.demand(needed)?;
    let mut tx = hallpass.0.db.begin().await?;
    let (mut acting, mut target) = (None, None);
    let mut ids = vec![admin.account, on];
    ids.sort_by_key(|id| id.0);
    ids.dedup();
    for id in ids {
        let held: Option<Account> = store::accounts::hold(tx.conn(), id).await?.map(TryInto::try_into).transpose()?;
        if id == admin.account {
            acting.clone_from(&held);
        }
        if id == on {
            target = held;
        }
    }
    let now = Admin { account: admin.account, level: level_of(admin.account, acting.as_ref())? };
    now.demand(needed)?;
    let target = target.ok_or_else(accounts::no_such_account)?;
    if now.level < Level::Superuser && !is_ordinary(&target) {
        let who = "Only a superuser does this to an account that is of the staff, a superuser or of the helpdesk";
        return Err(refused(now.account, who));
    }
    Ok((tx, target))
}

/// Whether the account has no standing of its own.
fn is_ordinary(account: &Account) -> bool {
    !account.is_superuser && !account.is_staff && !account.roles.iter().any(|role| role.starts_with(OURS))
}

/// Refuses to take away the last account that can do everything. Of several who try at once, one is looked at after the
/// other.
pub(crate) async fn keep_a_superuser(tx: &mut Tx, gone: AccountId) -> Result<()> {
    store::meta::hold(tx.conn(), crate::MASTER_KEY).await?;
    if store::accounts::has_other_superuser(tx.conn(), gone).await? {
        return Ok(());
    }
    let detail = "This is the last superuser who can sign in: make somebody else one first";
    Err(Error::new(Code::LastSuperuser, detail))
}

fn refused(caller: AccountId, detail: &'static str) -> Error {
    tracing::warn!(account = caller.0, "somebody was refused who wanted to administer: {detail}");
    Error::new(Code::Forbidden, detail)
}

/// How many of a list somebody wants at once.
fn checked_limit(limit: u32) -> Result<usize> {
    match usize::try_from(limit) {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(Error::new(Code::InvalidRequest, "`limit` is from 1 to 100")),
    }
}
