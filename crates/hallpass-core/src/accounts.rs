//! People who can sign in: creating, reading and changing their accounts.
//!
//! A change of what tokens say makes the old tokens stale in the same transaction; it never signs anybody out, but for a
//! deactivation, which ends every session.

use hallpass_token::{AccountId, Revocation};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{
    Code, Ctx, Error, FieldError, Hallpass, Result,
    audit::{Event, Note},
    config::ClaimSource,
    limits,
    mail::{self, Job},
    names::{self, Email},
    passwords::Password,
    revocation::{self, Pending},
    sessions::EndCause,
    store::{self, Tx, accounts::AccountRow},
};

pub(crate) use django::row_named;
pub use django::{named, named_in_any_case, password_mark};
use draft::{Draft, check_locale, check_profile, parse_username, rename};
pub(crate) use draft::{check_role, check_roles, draft, email_taken, insert};

mod django;
mod draft;

/// A person who can sign in. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Never given to another account, even after this one is gone.
    pub id: AccountId,
    /// As the person typed it.
    pub username: Option<String>,
    /// As the person typed it, with the domain in ASCII.
    pub email: Option<String>,
    /// Whether the person has shown to receive mail there.
    pub email_verified: bool,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// Whether the person may sign in.
    pub is_active: bool,
    /// Whether there is a password to sign in with.
    pub has_password: bool,
    /// Whether the person works for the operator.
    pub is_staff: bool,
    /// Whether the person may do everything.
    pub is_superuser: bool,
    /// Sorted, without repetition.
    pub roles: Vec<String>,
    /// The custom fields of `accounts.profile`.
    pub profile: Map<String, Value>,
    /// When the account was made.
    pub date_joined: i64,
    /// When the person last signed in.
    pub last_login: Option<i64>,
    /// The language of the person's mails (BCP 47).
    pub locale: Option<String>,
    /// When the account goes, unless the person signs in before.
    pub delete_at: Option<i64>,
    pub(crate) version: i64,
}

/// What an account is made of.
#[derive(Debug, Default)]
pub struct NewAccount {
    /// 1 to 150 characters; see [`names::Username`].
    pub username: Option<String>,
    /// See [`names::Email`].
    pub email: Option<String>,
    /// Without one the account cannot sign in by password.
    pub password: Option<SecretString>,
    /// Whether the password may be as weak as it likes.
    pub insecure_any_password: bool,
    /// Whether the address begins a list of them; see [`crate::addresses`].
    pub list_address: bool,
    /// At most 150 characters.
    pub first_name: String,
    /// At most 150 characters.
    pub last_name: String,
    /// The custom fields of `accounts.profile`.
    pub profile: Map<String, Value>,
    /// A language tag (BCP 47), in which mails are written; without one, what the client prefers.
    pub locale: Option<String>,
}

/// What only the operator gives.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// See [`Account::is_staff`].
    pub is_staff: bool,
    /// See [`Account::is_superuser`].
    pub is_superuser: bool,
    /// See [`Account::roles`].
    pub roles: Vec<String>,
    /// See [`Account::email_verified`]: the operator knows whose address it is.
    pub email_verified: bool,
}

/// What the owner may change; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another user name, by the rules of `accounts.names`.
    pub username: Option<String>,
    /// At most 150 characters.
    pub first_name: Option<String>,
    /// At most 150 characters.
    pub last_name: Option<String>,
    /// Replaces the fields that it names; null removes one.
    pub profile: Option<Map<String, Value>>,
    /// A language tag (BCP 47).
    pub locale: Option<String>,
}

/// A part of the list of accounts.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The last account of the page before.
    pub after: Option<AccountId>,
    /// At most this many, and never more than 1000.
    pub limit: u32,
}

/// Creates an account for the operator.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::UsernameTaken`], [`Code::EmailTaken`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn create(hallpass: &Hallpass, ctx: &Ctx, new: NewAccount, standing: Standing) -> Result<Account> {
    let draft = draft_for(hallpass, ctx, new, standing).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let account = insert(&mut tx, draft).await?;
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::AccountCreated.of(account.id)).await?;
    pending.commit(hallpass, tx).await?;
    Ok(account)
}

/// Checks an account that somebody makes for somebody else.
pub(crate) async fn draft_for(hallpass: &Hallpass, ctx: &Ctx, new: NewAccount, standing: Standing) -> Result<Draft> {
    check_roles(&standing.roles)?;
    let mut draft = draft(hallpass, ctx, new).await?;
    draft.row.is_staff = standing.is_staff;
    draft.row.is_superuser = standing.is_superuser;
    draft.row.email_verified = standing.email_verified && draft.row.email.is_some();
    draft.row.roles = roles_text(standing.roles);
    Ok(draft)
}

/// The account with this id.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Unavailable`].
pub async fn get(hallpass: &Hallpass, id: AccountId) -> Result<Account> {
    row(hallpass, id).await?.try_into()
}

/// The account with this id, user name or e-mail address: for operators, who type whichever they know.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Unavailable`].
pub async fn find(hallpass: &Hallpass, who: &str) -> Result<Account> {
    let mut reader = hallpass.0.db.read().await?;
    let mut found = if let Ok(id) = who.parse::<AccountId>() {
        store::accounts::by_id(reader.conn(), id).await?
    } else if let Ok(email) = Email::parse(who) {
        store::accounts::by_email(reader.conn(), email.key()).await?
    } else {
        None
    };
    if found.is_none() {
        // Also a name that nobody could choose here, as Django has some.
        found = store::accounts::by_username(reader.conn(), who).await?;
    }
    found.ok_or_else(no_such_account)?.try_into()
}

/// A page of all accounts, in the order of their ids.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn list(hallpass: &Hallpass, page: Page) -> Result<Vec<Account>> {
    let after = page.after.unwrap_or(AccountId(0));
    let mut reader = hallpass.0.db.read().await?;
    let rows = store::accounts::page(reader.conn(), after, page.limit.min(1000).into()).await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Changes the owner's own data. Tokens that say otherwise go stale.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::UsernameTaken`], [`Code::NotFound`], [`Code::Unavailable`].
pub async fn update(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, changes: Changes) -> Result<Account> {
    let mut wrong = Vec::new();
    let changes = checked(hallpass, changes, &mut wrong);
    if !wrong.is_empty() {
        return Err(Error::validation(wrong));
    }
    change(hallpass, ctx, id, Event::AccountChanged, |account| changes.apply(account)).await
}

/// Notes what is wrong with changes, which are to be thrown away then, and brings names into the form that is kept.
pub(crate) fn checked(hallpass: &Hallpass, mut changes: Changes, wrong: &mut Vec<FieldError>) -> Changes {
    let mut keep = |name: Option<String>, parse: &dyn Fn(&str) -> Result<String, FieldError>| {
        name.and_then(|name| parse(&name).map_err(|error| wrong.push(error)).ok())
    };
    let username = |name: &str| parse_username(hallpass, name).map(|name| name.as_str().to_owned());
    changes.username = keep(changes.username, &username);
    changes.first_name = keep(changes.first_name, &|name| names::person_name("first_name", name));
    changes.last_name = keep(changes.last_name, &|name| names::person_name("last_name", name));
    let locale = changes.locale.as_deref().map_or(Ok(()), check_locale);
    let profile = changes.profile.as_ref();
    let profile = profile.map_or(Ok(()), |profile| check_profile(&hallpass.0.config.accounts.profile, profile));
    wrong.extend([locale, profile].into_iter().filter_map(Result::err));
    changes
}

impl Changes {
    pub(crate) fn apply(&self, account: &mut Account) {
        account.username = self.username.clone().or(account.username.take());
        account.first_name = self.first_name.clone().unwrap_or_else(|| account.first_name.clone());
        account.last_name = self.last_name.clone().unwrap_or_else(|| account.last_name.clone());
        account.locale = self.locale.clone().or(account.locale.take());
        account.profile.extend(self.profile.clone().unwrap_or_default());
        account.profile.retain(|_, value| !value.is_null());
    }
}

/// Lets the person sign in again, or signs the person out everywhere and lets no one in.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Unavailable`].
pub async fn set_active(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, active: bool) -> Result<Account> {
    let event = if active { Event::AccountActivated } else { Event::AccountDeactivated };
    change(hallpass, ctx, id, event, |account| account.is_active = active).await
}

/// Gives the account a role; its tokens say so after their next refresh.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Unavailable`].
pub async fn grant_role(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, role: &str) -> Result<Account> {
    check_role(role)?;
    let mut wanted = get(hallpass, id).await?;
    wanted.give(role);
    check_roles(&wanted.roles)?;
    change(hallpass, ctx, id, Event::RoleGranted.because(role.to_owned()), |account| account.give(role)).await
}

/// Takes a role away; tokens that still state it are refused as stale.
///
/// # Errors
/// [`Code::NotFound`], also if the account does not have the role; [`Code::Unavailable`].
pub async fn revoke_role(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, role: &str) -> Result<Account> {
    if !get(hallpass, id).await?.roles.iter().any(|held| held == role) {
        return Err(no_such_role());
    }
    let note = Event::RoleRevoked.because(role.to_owned());
    change(hallpass, ctx, id, note, |account| account.roles.retain(|held| held != role)).await
}

/// Sets a password for the operator, by the same rules as everywhere, and ends the account's sessions.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn set_password(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, new: SecretString) -> Result<()> {
    let account = get(hallpass, id).await?;
    let hash = new_password(hallpass, &account, "password", new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    store::accounts::hold(tx.conn(), id).await?.ok_or_else(no_such_account)?;
    store::accounts::set_password(tx.conn(), id, Some(&hash)).await?;
    limits::clear(hallpass, &mut tx, id).await?;
    pending.end_all(hallpass, ctx, &mut tx, id, None, EndCause::PasswordChanged).await?;
    pending.record(hallpass, ctx, &mut tx, Event::PasswordSet.of(id)).await?;
    mail::order(hallpass, ctx, &mut tx, Job::PasswordChanged(id)).await?;
    pending.commit(hallpass, tx).await
}

/// Judges a new password of an existing account by the rules for all, and hashes it.
pub(crate) async fn new_password(
    hallpass: &Hallpass,
    account: &Account,
    field: &'static str,
    new: SecretString,
) -> Result<String> {
    let password = Password::parse(field, &new).map_err(|error| Error::validation(vec![error]))?;
    let own = [account.username.clone(), account.email.clone()].into_iter().flatten();
    let own = own.chain([account.first_name.clone(), account.last_name.clone()]).collect();
    let wrong = hallpass.0.hasher.judge(&hallpass.0.config.passwords, &password, field, own).await?;
    if !wrong.is_empty() {
        return Err(Error::validation(wrong));
    }
    hallpass.0.hasher.hash(&password).await
}

/// Reads, changes and writes an account, again if somebody else was faster; records it, and takes back what tokens no
/// longer may say. What changes nothing is nothing that happened.
async fn change(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    note: impl Into<Note>,
    edit: impl Fn(&mut Account),
) -> Result<Account> {
    let note = note.into().of(id);
    for _ in 0..10 {
        let mut tx = hallpass.0.db.begin().await?;
        // Held from before it is read: what somebody changes who knows no versions, such as Django, is not written back.
        let row = store::accounts::hold(tx.conn(), id).await?.ok_or_else(no_such_account)?;
        let before: Account = row.try_into()?;
        let mut after = before.clone();
        edit(&mut after);
        if after == before {
            return Ok(before);
        }
        let mut pending = Pending::default();
        pending.record(hallpass, ctx, &mut tx, note.clone()).await?;
        if write(hallpass, ctx, &mut tx, &mut pending, &before, &mut after).await? {
            pending.commit(hallpass, tx).await?;
            return Ok(after);
        }
    }
    Err(changed_by_many())
}

/// Writes what was changed of an account that is held, and takes back what it may do no more; false if somebody else was
/// faster.
pub(crate) async fn write(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    pending: &mut Pending,
    before: &Account,
    after: &mut Account,
) -> Result<bool> {
    if after.username != before.username {
        rename(tx, after).await?;
    }
    if !store::accounts::update(tx.conn(), &after.row()).await? {
        return Ok(false);
    }
    after.version += 1;
    if before.is_active && !after.is_active {
        pending.end_all(hallpass, ctx, tx, after.id, None, EndCause::Deactivated).await?;
    }
    take_back_stated(hallpass, ctx, tx, pending, before, after).await?;
    Ok(true)
}

pub(crate) fn changed_by_many() -> Error {
    Error::new(Code::Unavailable, "The account is being changed by many at once; try again").retry_after(1)
}

pub(crate) fn no_such_role() -> Error {
    Error::new(Code::NotFound, "The account does not have this role")
}

/// Takes back the tokens that say of an account what is true no longer.
pub(crate) async fn take_back_stated(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    pending: &mut Pending,
    before: &Account,
    after: &Account,
) -> Result<()> {
    if stated(hallpass, before) == stated(hallpass, after) {
        return Ok(());
    }
    let used = store::sessions::last_used(tx.conn(), after.id).await?.unwrap_or(0);
    let forget_at = revocation::forget_at(hallpass, revocation::last_issued(hallpass, ctx.now, used));
    let line = Revocation::Account { account: after.id, below_version: after.version, forget_at };
    pending.append(ctx, tx, line, "account_changed").await
}

/// What tokens say of an account: roles, and the mapped claims; and its standing, by which back ends decide as well.
fn stated(hallpass: &Hallpass, account: &Account) -> (Vec<String>, [bool; 2], Map<String, Value>) {
    (account.roles.clone(), [account.is_staff, account.is_superuser], mapped_claims(hallpass, account))
}

/// The claims that the settings map from the account; a field without a value gives no claim.
pub(crate) fn mapped_claims(hallpass: &Hallpass, account: &Account) -> Map<String, Value> {
    let config = &hallpass.0.config;
    let value = |source: &str| {
        Some(match ClaimSource::parse(source, &config.accounts).ok()? {
            ClaimSource::Username => account.username.clone()?.into(),
            ClaimSource::Email => account.email.clone()?.into(),
            ClaimSource::FirstName => account.first_name.clone().into(),
            ClaimSource::LastName => account.last_name.clone().into(),
            ClaimSource::IsStaff => account.is_staff.into(),
            ClaimSource::IsSuperuser => account.is_superuser.into(),
            ClaimSource::Profile(field) => account.profile.get(field)?.clone(),
        })
    };
    config.tokens.claims.iter().filter_map(|(claim, source)| Some((claim.clone(), value(source)?))).collect()
}

pub(crate) fn no_such_account() -> Error {
    Error::new(Code::NotFound, "There is no such account")
}

async fn row(hallpass: &Hallpass, id: AccountId) -> Result<AccountRow> {
    let mut reader = hallpass.0.db.read().await?;
    store::accounts::by_id(reader.conn(), id).await?.ok_or_else(no_such_account)
}

fn roles_text(mut roles: Vec<String>) -> String {
    roles.sort();
    roles.dedup();
    Value::from(roles).to_string()
}

impl Account {
    pub(crate) fn give(&mut self, role: &str) {
        self.roles.push(role.to_owned());
        self.roles.sort();
        self.roles.dedup();
    }

    /// What [`store::accounts::update`] writes of it.
    fn row(&self) -> AccountRow {
        AccountRow {
            id: self.id.0,
            username: self.username.clone(),
            email: self.email.clone(),
            email_verified: self.email_verified,
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            password: None,
            is_active: self.is_active,
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
            roles: roles_text(self.roles.clone()),
            profile: Value::Object(self.profile.clone()).to_string(),
            version: self.version,
            date_joined: self.date_joined,
            last_login: self.last_login,
            locale: self.locale.clone(),
            delete_at: self.delete_at,
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            id: AccountId(row.id),
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            first_name: row.first_name,
            last_name: row.last_name,
            is_active: row.is_active,
            has_password: row.password.is_some(),
            is_staff: row.is_staff,
            is_superuser: row.is_superuser,
            roles: serde_json::from_str(&row.roles).map_err(Error::internal)?,
            profile: serde_json::from_str(&row.profile).map_err(Error::internal)?,
            date_joined: row.date_joined,
            last_login: row.last_login,
            locale: row.locale,
            delete_at: row.delete_at,
            version: row.version,
        })
    }
}
