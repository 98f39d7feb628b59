//! Becoming signed in, and the password that it hangs on.
//!
//! Every way into an account that is there goes through one function, [`begin`], which keeps the rules that hold for all;
//! a sign-up has no older sessions to mind. Whoever is refused learns nothing about whether the account exists.

use hallpass_token::AccountId;
use secrecy::SecretString;

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    accounts::{self, Account, NewAccount},
    audit::{self, Event},
    config::{NameRules, Verification},
    limits::{self, Attempt, Guess, Whose},
    mail::{self, Job, Whom},
    names::{Email, Username},
    passwords::{Password, hash::Verdict},
    rates,
    revocation::Pending,
    sessions::{self, EndCause, Issued, Remember},
    store::{self, Reader, Tx, accounts::AccountRow, sessions::SessionRow},
};

mod password;

pub(crate) use password::prove;
pub use password::{change_password, confirm_password, insecure_change_password};

/// How somebody who signs in names the account.
#[derive(Debug, Clone, Default)]
pub struct Identifier {
    /// A user name, or an e-mail address: it cannot be confused, since no user name contains `@`.
    pub username: Option<String>,
    /// An e-mail address; with `username` both must belong to the same account.
    pub email: Option<String>,
    /// Whether `username` is a user name only, and written as the account has it: what Django asks for.
    pub exact: bool,
}

/// Creates an account and signs its owner in, in one transaction.
///
/// Where `accounts.verify_email` is `required` nobody is signed in (`None`) and the answer is the same for an address that
/// has an account: its owner gets a mail in either case.
///
/// # Errors
/// [`Code::SignUpClosed`], [`Code::ValidationFailed`], [`Code::UsernameTaken`], [`Code::EmailTaken`] unless the address
/// has to be verified, [`Code::RateLimited`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn sign_up(hallpass: &Hallpass, ctx: &Ctx, new: NewAccount, remember: Remember) -> Result<Option<Issued>> {
    if !hallpass.config().accounts.sign_up {
        return Err(Error::new(Code::SignUpClosed, "Accounts are made by the operator here: ask for one"));
    }
    if new.password.is_none() {
        let missing = crate::FieldError::new("password", "required", "`password` is required");
        return Err(Error::validation(vec![missing]));
    }
    let verification = hallpass.config().accounts.verify_email;
    rates::sign_up(hallpass, ctx).await?;
    let draft = accounts::draft(hallpass, ctx, new).await?;
    let address = draft.mail_address().map(|email| email.key().to_owned());
    let mut tx = hallpass.0.db.begin().await?;
    let account = match accounts::insert(&mut tx, draft).await {
        Err(error) if error.code == Code::EmailTaken && verification == Verification::Required => {
            drop(tx);
            let mut tx = hallpass.0.db.begin().await?;
            invite(hallpass, ctx, &mut tx, address, Job::AlreadyRegistered).await?;
            tx.commit().await?;
            return Ok(None);
        }
        inserted => inserted?,
    };
    let mut pending = Pending::default();
    if verification != Verification::None {
        invite(hallpass, ctx, &mut tx, address, |_| Job::VerifyEmail(Whom::Account(account.id))).await?;
    }
    if has_to_verify(hallpass, account.email.as_deref(), account.email_verified) {
        pending.record(hallpass, ctx, &mut tx, Event::SignedUp.of(account.id)).await?;
        pending.commit(hallpass, tx).await?;
        return Ok(None);
    }
    let (session, number) = sessions::begin(hallpass, ctx, &mut tx, &account, remember, PASSWORD).await?;
    pending.record(hallpass, ctx, &mut tx, Event::SignedUp.of(account.id).on(session.id())).await?;
    pending.commit(hallpass, tx).await?;
    let device_token = limits::device_token(hallpass, account.id)?;
    Ok(Some(Issued {
        device_token,
        ..sessions::issue(hallpass, ctx, account, (&session, number), session.generation)?
    }))
}

/// Orders the mail that a sign-up brings to an address, unless it gets too many.
async fn invite(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    address: Option<String>,
    job: impl FnOnce(Whom) -> Job,
) -> Result<()> {
    let Some(address) = address else { return Ok(()) };
    if rates::mail_to(hallpass, tx, &address, ctx.now).await? {
        mail::order(hallpass, ctx, tx, job(Whom::Address(address))).await?;
    }
    Ok(())
}

/// Whether nobody may sign in to an account before its address was verified.
fn has_to_verify(hallpass: &Hallpass, email: Option<&str>, verified: bool) -> bool {
    hallpass.config().accounts.verify_email == Verification::Required && email.is_some() && !verified
}

/// Signs somebody in by name and password. `device` is the `device_token` of an earlier sign-in on this device; one that
/// proves nothing for this account has no effect.
///
/// # Errors
/// [`Code::InvalidCredentials`] whatever was wrong with the name or the password; [`Code::RateLimited`] after too many
/// wrong passwords for this name, whether or not it is somebody's; [`Code::ValidationFailed`] for a password that no
/// account can have; [`Code::EmailNotVerified`] if name and password are right and the address has to be verified first;
/// [`Code::Busy`], [`Code::Unavailable`].
pub async fn sign_in(
    hallpass: &Hallpass,
    ctx: &Ctx,
    who: Identifier,
    password: SecretString,
    remember: Remember,
    device: Option<&str>,
) -> Result<Issued> {
    let (password, row, verdict, attempt) = recognise(hallpass, ctx, &who, &password, device).await?;
    let (id, checked) = (AccountId(row.id), row.password.as_deref().unwrap_or_default());
    let rehashed = match verdict {
        Verdict::RightButOutdated => {
            Some(attempt.unless_failed(hallpass, hallpass.0.hasher.hash(&password).await).await?)
        }
        _ => None,
    };

    let mut tx = hallpass.0.db.begin().await?;
    let stored = rehashed.as_deref().unwrap_or(checked);
    let Some(noted) = store::accounts::note_login(tx.conn(), id, checked, stored, ctx.now).await? else {
        drop(tx);
        return Err(refused(hallpass, ctx, Some(id), "changed_meanwhile").await);
    };
    let account = noted.try_into()?;
    let mut pending = Pending::default();
    if row.delete_at.is_some() {
        pending.record(hallpass, ctx, &mut tx, Event::DeletionCancelled.of(id)).await?;
    }
    let (session, number) = begin(hallpass, ctx, &mut tx, &mut pending, &account, remember, PASSWORD).await?;
    attempt.forgive(&mut tx).await?;
    pending.commit(hallpass, tx).await?;
    let device_token = limits::device_token(hallpass, id)?;
    Ok(Issued { device_token, ..sessions::issue(hallpass, ctx, account, (&session, number), session.generation)? })
}

/// Signs a superuser in as somebody else, without the password. Who it was is recorded.
///
/// # Errors
/// [`Code::Forbidden`] unless `superuser` is one at this moment; [`Code::NotFound`] without such an account;
/// [`Code::InvalidCredentials`] if it may not sign in; [`Code::Unavailable`].
pub async fn impersonate(hallpass: &Hallpass, ctx: &Ctx, superuser: AccountId, id: AccountId) -> Result<Issued> {
    let mut tx = hallpass.0.db.begin().await?;
    let asking = store::accounts::by_id(tx.conn(), superuser).await?;
    if !asking.is_some_and(|row| row.is_active && row.is_superuser) {
        return Err(Error::new(Code::Forbidden, "Only a superuser signs in as somebody else"));
    }
    let row = store::accounts::by_id(tx.conn(), id).await?.ok_or_else(accounts::no_such_account)?;
    if !row.is_active {
        return Err(Error::new(Code::InvalidCredentials, "The account is not active"));
    }
    let account = row.try_into()?;
    let mut pending = Pending::default();
    let note = Event::Impersonated.of(id).because(format!("account {superuser}"));
    pending.record(hallpass, ctx, &mut tx, note).await?;
    let (session, number) = begin(hallpass, ctx, &mut tx, &mut pending, &account, Remember::No, IMPERSONATED).await?;
    pending.commit(hallpass, tx).await?;
    sessions::issue(hallpass, ctx, account, (&session, number), session.generation)
}

/// What stands in `amr` for a sign-in by somebody else; no registered value says so.
const IMPERSONATED: &str = "impersonated";

/// Whose name and password these are, for one request: nobody is signed in. It counts, costs and refuses as [`sign_in`]
/// does.
///
/// # Errors
/// Those of [`sign_in`].
pub async fn account_of(hallpass: &Hallpass, ctx: &Ctx, who: Identifier, password: SecretString) -> Result<Account> {
    let (_, row, _, attempt) = recognise(hallpass, ctx, &who, &password, None).await?;
    let mut tx = hallpass.0.db.begin().await?;
    attempt.forgive(&mut tx).await?;
    tx.commit().await?;
    row.try_into()
}

/// The account whose name and password these are, if it may sign in; the attempt is counted as a failure until it is
/// forgiven.
async fn recognise(
    hallpass: &Hallpass,
    ctx: &Ctx,
    who: &Identifier,
    password: &SecretString,
    device: Option<&str>,
) -> Result<(Password, AccountRow, Verdict, Attempt)> {
    let password = Password::parse("password", password).map_err(|error| Error::validation(vec![error]))?;
    let found = look_up(hallpass.0.config.accounts.names, &mut hallpass.0.db.read().await?, who).await?;
    let stored = found.as_ref().and_then(|row| row.password.as_deref());
    let account = found.as_ref().map(|row| AccountId(row.id));
    let named = canonical(who);
    let whose = account.map_or(Whose::Name(&named), Whose::Account);
    let (verdict, attempt) =
        limits::compare(hallpass, ctx, Guess { whose, device, password: &password, stored }).await?;
    let Some(row) = found.filter(|row| row.password.is_some()) else {
        return Err(refused(hallpass, ctx, account, "no_such_password").await);
    };
    let id = AccountId(row.id);
    // Before anything is hashed again, which would take a time of its own.
    if !row.is_active {
        return Err(refused(hallpass, ctx, account, "inactive").await);
    }
    if verdict == Verdict::Wrong {
        note_the_last(hallpass, ctx, id, &attempt).await?;
        return Err(refused(hallpass, ctx, account, "wrong_password").await);
    }
    if has_to_verify(hallpass, row.email.as_deref(), row.email_verified) {
        let mut tx = hallpass.0.db.begin().await?;
        attempt.forgive(&mut tx).await?;
        let mut pending = Pending::default();
        let note = Event::SignInFailed.of(id).because("email_not_verified");
        pending.record(hallpass, ctx, &mut tx, note).await?;
        pending.commit(hallpass, tx).await?;
        let detail = "Follow the link in the mail that went to the account's address, or ask for another one";
        return Err(Error::new(Code::EmailNotVerified, detail));
    }
    Ok((password, row, verdict, attempt))
}

/// Records a failure and says no more than that there was one.
async fn refused(hallpass: &Hallpass, ctx: &Ctx, account: Option<AccountId>, cause: &'static str) -> Error {
    match audit::record_failure(hallpass, ctx, Event::SignInFailed.of(account).because(cause)).await {
        Ok(()) => Error::new(Code::InvalidCredentials, "Check the name and the password, and try again"),
        Err(error) => error,
    }
}

/// How somebody signed in who gave a password (RFC 8176 section 2).
const PASSWORD: &str = "pwd";

/// Begins a session of somebody who has shown to be the owner, by the method `amr`; the oldest ones end if there are too
/// many. Returns it as [`sessions::begin`] does.
pub(crate) async fn begin(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut Tx,
    pending: &mut Pending,
    account: &Account,
    remember: Remember,
    amr: &'static str,
) -> Result<(SessionRow, i64)> {
    let rule = hallpass.config().sessions.max_per_account;
    let live = store::sessions::live(tx.conn(), account.id, ctx.now).await?;
    for oldest in live.iter().skip(usize::try_from(rule - 1).unwrap_or(0)) {
        pending.end_as_read(hallpass, ctx, tx, oldest, EndCause::TooManySessions).await?;
    }
    let (session, number) = sessions::begin(hallpass, ctx, tx, account, remember, amr).await?;
    pending.record(hallpass, ctx, tx, Event::SignedIn.of(account.id).on(session.id())).await?;
    Ok((session, number))
}

/// Counts a sign-up that is refused before it gets here, as every other one of the client address.
///
/// # Errors
/// [`Code::RateLimited`], [`Code::Unavailable`].
pub async fn count_refused_sign_up(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    rates::sign_up(hallpass, ctx).await
}

/// Records that sign-in by password has ended, if this failure is the one that ends it.
async fn note_the_last(hallpass: &Hallpass, ctx: &Ctx, id: AccountId, attempt: &Attempt) -> Result<()> {
    if !attempt.was_the_last(hallpass, id) {
        return Ok(());
    }
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::PasswordLocked.of(id)).await?;
    pending.commit(hallpass, tx).await
}

/// What `who` names, in the one form that all spellings of a name share, as far as it has one.
fn canonical(who: &Identifier) -> String {
    let key = |name: &String| match (Email::parse(name), Username::parse(name)) {
        (Ok(email), _) => email.key().to_owned(),
        (_, Ok(username)) => username.key().to_owned(),
        _ => name.to_lowercase(),
    };
    let names: Vec<String> = [&who.username, &who.email].into_iter().flatten().map(key).collect();
    names.join("\0")
}

/// The account that `who` names; a name that no account can have names none.
async fn look_up(rules: NameRules, reader: &mut Reader, who: &Identifier) -> Result<Option<AccountRow>> {
    if let (Some(name), true) = (&who.username, who.exact) {
        return Ok(accounts::row_named(reader, name).await?);
    }
    let (username, email) = match (who.username.as_deref(), who.email.as_deref()) {
        (Some(name), None) if name.contains('@') => {
            // A user name of Django's can have an `@`, and none that is made here.
            if let (NameRules::Django, Some(row)) = (rules, accounts::row_named(reader, name).await?) {
                return Ok(Some(row));
            }
            (None, Some(name))
        }
        both => both,
    };
    let email = match email.map(Email::parse) {
        Some(Err(_)) => return Ok(None),
        parsed => parsed.and_then(Result::ok),
    };
    match (username, email) {
        (Some(name), email) => {
            if rules == NameRules::Strict && Username::parse(name).is_err() {
                return Ok(None);
            }
            let found = store::accounts::by_username(reader.conn(), name).await?;
            Ok(found.filter(|row| match (&email, &row.email) {
                (None, _) => true,
                (Some(given), Some(held)) => Email::parse(held).is_ok_and(|held| held.key() == given.key()),
                (Some(_), None) => false,
            }))
        }
        (None, Some(email)) => Ok(store::accounts::by_email(reader.conn(), email.key()).await?),
        (None, None) => Ok(None),
    }
}
