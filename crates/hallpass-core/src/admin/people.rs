//! What is done to accounts: made, changed, shut, given roles, signed out, and helped to a new password.
//!
//! Whoever administers never chooses a password: an account is made without one, and its owner is mailed a link.

use hallpass_token::AccountId;
use serde_json::{Map, Value};

use super::{Admin, Level, begin, keep_a_superuser};
use crate::{
    Code, Ctx, Error, FieldError, Hallpass, Result,
    accounts::{self, Account, Changes, NewAccount},
    addresses,
    audit::{Event, Note},
    config::{Presence, Verification},
    mail::{self, Job, Whom},
    names::Email,
    rates,
    revocation::Pending,
    sessions::EndCause,
    store::{self, Tx},
};

/// What an account is made of.
#[derive(Debug, Default)]
pub struct NewPerson {
    /// See [`NewAccount::username`].
    pub username: Option<String>,
    /// See [`NewAccount::email`].
    pub email: Option<String>,
    /// At most 150 characters.
    pub first_name: String,
    /// At most 150 characters.
    pub last_name: String,
    /// A language tag (BCP 47), in which mails are written.
    pub locale: Option<String>,
    /// The custom fields of `accounts.profile`.
    pub profile: Map<String, Value>,
    /// What only the operator and a superuser give.
    pub standing: accounts::Standing,
}

/// What is to be changed; `None` leaves it as it is. All but [`Changes`] without a user name is for superusers.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    /// What the owner could change as well.
    pub own: Changes,
    /// Another address, of which nobody knows yet whether its owner receives mail there.
    pub email: Option<String>,
    /// See [`Account::is_staff`].
    pub is_staff: Option<bool>,
    /// See [`Account::is_superuser`].
    pub is_superuser: Option<bool>,
}

impl Edits {
    /// Who may do this.
    fn needed(&self) -> Level {
        let is_more = self.own.username.is_some() || self.email.is_some();
        if is_more || self.is_staff.is_some() || self.is_superuser.is_some() {
            return Level::Superuser;
        }
        Level::Helpdesk
    }
}

/// Makes an account without a password, and has its owner mailed a link that sets one, if there is an address and mail is
/// sent from here.
///
/// # Errors
/// [`Code::Forbidden`] for all but superusers; [`Code::ValidationFailed`], [`Code::UsernameTaken`],
/// [`Code::EmailTaken`], [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn create(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, new: NewPerson) -> Result<Account> {
    admin.demand(Level::Superuser)?;
    let NewPerson { username, email, first_name, last_name, locale, profile, standing } = new;
    let new = NewAccount { username, email, first_name, last_name, locale, profile, ..NewAccount::default() };
    let draft = accounts::draft_for(hallpass, &on_behalf(ctx), new, standing).await?;
    let (mut tx, _) = begin(hallpass, admin, admin.account, Level::Superuser).await?;
    let account = accounts::insert(&mut tx, draft).await?;
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::AccountCreated.of(account.id)).await?;
    if let Some(email) = &account.email {
        order(hallpass, ctx, &mut tx, email, Job::ResetPassword(Whom::Account(account.id))).await?;
    }
    pending.commit(hallpass, tx).await?;
    Ok(account)
}

/// Changes an account. Tokens that say otherwise go stale; another address ends its sessions, and the old one is told.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::LastSuperuser`]; [`Code::ValidationFailed`], [`Code::UsernameTaken`],
/// [`Code::EmailTaken`], [`Code::NotFound`], [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn change(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId, edits: Edits) -> Result<Account> {
    let needed = edits.needed();
    admin.demand(needed)?;
    let mut wrong = Vec::new();
    let own = accounts::checked(hallpass, edits.own, &mut wrong);
    let email = edits.email.and_then(|email| parse_email(hallpass, &email).map_err(|error| wrong.push(error)).ok());
    if !wrong.is_empty() {
        return Err(Error::validation(wrong));
    }
    let (tx, before) = begin(hallpass, admin, id, needed).await?;
    let mut after = before.clone();
    own.apply(&mut after);
    let mut notes = Vec::new();
    if after != before {
        notes.push(Event::AccountChanged.of(id));
    }
    after.is_staff = edits.is_staff.unwrap_or(before.is_staff);
    after.is_superuser = edits.is_superuser.unwrap_or(before.is_superuser);
    notes.extend(standing_notes(&before, &after).map(|note| note.of(id)));
    let email = email.filter(|email| before.email.as_deref() != Some(email.as_str()));
    if let Some(email) = &email {
        after.email = Some(email.as_str().to_owned());
        after.email_verified = false;
        notes.push(Event::EmailChanged.of(id));
    }
    finish(hallpass, ctx, tx, (before, after), email, notes).await
}

/// Lets the owner sign in again, or signs the owner out everywhere and lets nobody in.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::LastSuperuser`]; [`Code::NotFound`], [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn set_active(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId, active: bool) -> Result<Account> {
    let (tx, before) = begin(hallpass, admin, id, Level::Helpdesk).await?;
    let event = if active { Event::AccountActivated } else { Event::AccountDeactivated };
    let after = Account { is_active: active, ..before.clone() };
    finish(hallpass, ctx, tx, (before, after), None, vec![event.of(id)]).await
}

/// Gives the account a role; its tokens say so after their next refresh.
///
/// # Errors
/// [`Code::Forbidden`] for all but superusers; [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::SessionEnded`],
/// [`Code::Unavailable`].
pub async fn grant_role(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId, role: &str) -> Result<Account> {
    admin.demand(Level::Superuser)?;
    accounts::check_role(role)?;
    let (tx, before) = begin(hallpass, admin, id, Level::Superuser).await?;
    let mut after = before.clone();
    after.give(role);
    accounts::check_roles(&after.roles)?;
    let note = Event::RoleGranted.because(role.to_owned()).of(id);
    finish(hallpass, ctx, tx, (before, after), None, vec![note]).await
}

/// Takes a role away; tokens that still state it are refused as stale.
///
/// # Errors
/// [`Code::Forbidden`] for all but superusers; [`Code::NotFound`], also if the account does not have the role;
/// [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn revoke_role(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId, role: &str) -> Result<Account> {
    let (tx, before) = begin(hallpass, admin, id, Level::Superuser).await?;
    let mut after = before.clone();
    after.roles.retain(|held| held != role);
    if after == before {
        return Err(accounts::no_such_role());
    }
    let note = Event::RoleRevoked.because(role.to_owned()).of(id);
    finish(hallpass, ctx, tx, (before, after), None, vec![note]).await
}

/// Has the owner mailed a link that sets a new password.
///
/// # Errors
/// [`Code::MailOff`]; [`Code::ValidationFailed`] if the account has no address, or gets no mail because it may not sign in;
/// [`Code::RateLimited`] if its address got too much mail; [`Code::Forbidden`], [`Code::NotFound`],
/// [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn send_reset(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId) -> Result<()> {
    mail::demand(hallpass)?;
    let (mut tx, account) = begin(hallpass, admin, id, Level::Helpdesk).await?;
    let refused = |field, code, detail| Error::validation(vec![FieldError::new(field, code, detail)]);
    let Some(email) = &account.email else {
        return Err(refused("email", "required", "The account has no address to which a mail could go"));
    };
    if !account.is_active {
        return Err(refused("is_active", "deactivated", "The account gets no mail: activate it first"));
    }
    if !order(hallpass, ctx, &mut tx, email, Job::ResetPassword(Whom::Account(id))).await? {
        let detail = "This address got too many mails lately: try again in a while";
        return Err(Error::new(Code::RateLimited, detail).retry_after(60));
    }
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::PasswordResetOrdered.of(id)).await?;
    pending.commit(hallpass, tx).await
}

/// Ends every session of an account.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn end_sessions(hallpass: &Hallpass, ctx: &Ctx, admin: &Admin, id: AccountId) -> Result<()> {
    let (mut tx, _) = begin(hallpass, admin, id, Level::Helpdesk).await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, None, EndCause::EndedByAdmin).await?;
    pending.commit(hallpass, tx).await
}

/// Writes and records what was changed, unless nothing was.
async fn finish(
    hallpass: &Hallpass,
    ctx: &Ctx,
    mut tx: Tx,
    (before, mut after): (Account, Account),
    email: Option<Email>,
    notes: Vec<Note>,
) -> Result<Account> {
    if after == before {
        return Ok(before);
    }
    let is_in_charge = |account: &Account| account.is_superuser && account.is_active;
    if is_in_charge(&before) && !is_in_charge(&after) {
        keep_a_superuser(&mut tx, before.id).await?;
    }
    let mut pending = Pending::default();
    for note in notes {
        pending.record(hallpass, ctx, &mut tx, note).await?;
    }
    if let Some(email) = email {
        move_to(hallpass, ctx, &mut tx, &mut pending, &before, &email).await?;
    }
    if !accounts::write(hallpass, ctx, &mut tx, &mut pending, &before, &mut after).await? {
        return Err(accounts::changed_by_many());
    }
    pending.commit(hallpass, tx).await?;
    Ok(after)
}

/// Gives an account another address: what was mailed to the old one opens nothing any more, and who is signed in is not.
async fn move_to(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    pending: &mut Pending,
    before: &Account,
    email: &Email,
) -> Result<()> {
    let id = before.id;
    if store::addresses::is_verified_elsewhere(tx.conn(), id, email.key()).await? {
        return Err(accounts::email_taken());
    }
    let written = store::accounts::move_to(tx.conn(), id, email.as_str(), email.key()).await;
    written.map_err(|error| if store::is_taken(&error, "email") { accounts::email_taken() } else { error.into() })?;
    addresses::exchange(tx, id, before.email.as_deref(), email).await?;
    pending.end_all(hallpass, ctx, tx, id, None, EndCause::EmailChanged).await?;
    if let Some(from) = before.email.clone() {
        let job = Job::EmailChanged { account: id, from, to: email.as_str().to_owned() };
        mail::order(hallpass, &on_behalf(ctx), tx, job).await?;
    }
    if hallpass.config().accounts.verify_email != Verification::None {
        order(hallpass, ctx, tx, email.as_str(), Job::VerifyEmail(Whom::Account(id))).await?;
    }
    Ok(())
}

/// Orders a mail, unless its address gets too many: then false.
async fn order(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx, to: &str, job: Job) -> Result<bool> {
    let admitted = rates::mail_to(hallpass, tx, &addresses::key_of(to), ctx.now).await?;
    if admitted {
        mail::order(hallpass, &on_behalf(ctx), tx, job).await?;
    }
    Ok(admitted)
}

fn parse_email(hallpass: &Hallpass, typed: &str) -> Result<Email, FieldError> {
    if hallpass.config().accounts.email == Presence::Off {
        return Err(FieldError::new("email", "not_used", "`email` is not used here: leave it out"));
    }
    Email::parse(typed)
}

/// What is recorded of a change of what somebody is to the operator.
fn standing_notes(before: &Account, after: &Account) -> impl Iterator<Item = Note> {
    let note = |was: bool, is: bool, given, taken| {
        let cause = if is { given } else { taken };
        (was != is).then(|| Event::StandingChanged.because(cause))
    };
    [
        note(before.is_staff, after.is_staff, "staff_given", "staff_taken"),
        note(before.is_superuser, after.is_superuser, "superuser_given", "superuser_taken"),
    ]
    .into_iter()
    .flatten()
}

/// The same call as far as it concerns the owner: whoever administers has other languages, and another client address.
fn on_behalf(ctx: &Ctx) -> Ctx {
    Ctx { languages: None, ip: None, ..ctx.clone() }
}
