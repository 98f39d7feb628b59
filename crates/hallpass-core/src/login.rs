//! Becoming signed in, and the password that it hangs on.
//!
//! One function, [`begin`], decides whether somebody gets a session; every way in goes through it. Whoever is refused
//! learns nothing about whether the account exists.

use hallpass_token::{AccountId, SessionId};
use secrecy::SecretString;

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    accounts::{self, NewAccount},
    audit::{self, Event},
    limits::{self, Guess, Whose},
    names::{Email, Username},
    passwords::{Password, hash::Verdict},
    revocation::Pending,
    sessions::{self, EndCause, Issued, Remember},
    store::{self, Reader, accounts::AccountRow},
};

/// How somebody who signs in names the account.
#[derive(Debug, Clone, Default)]
pub struct Identifier {
    /// A user name, or an e-mail address: it cannot be confused, since no user name contains `@`.
    pub username: Option<String>,
    /// An e-mail address; with `username` both must belong to the same account.
    pub email: Option<String>,
}

/// Creates an account and signs its owner in, in one transaction.
///
/// # Errors
/// [`Code::SignUpClosed`], [`Code::ValidationFailed`], [`Code::UsernameTaken`], [`Code::EmailTaken`], [`Code::Busy`],
/// [`Code::Unavailable`].
pub async fn sign_up(hallpass: &Hallpass, ctx: &Ctx, new: NewAccount, remember: Remember) -> Result<Issued> {
    if !hallpass.config().accounts.sign_up {
        return Err(Error::new(Code::SignUpClosed, "Accounts are made by the operator here: ask for one"));
    }
    if new.password.is_none() {
        let missing = crate::FieldError::new("password", "required", "`password` is required");
        return Err(Error::validation(vec![missing]));
    }
    let draft = accounts::draft(hallpass, ctx, new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let account = accounts::insert(&mut tx, draft).await?;
    let session = sessions::begin(hallpass, ctx, &mut tx, &account, remember).await?;
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::SignedUp.of(account.id).on(session.id())).await?;
    pending.commit(hallpass, tx).await?;
    let device_token = limits::device_token(hallpass, account.id)?;
    Ok(Issued { device_token, ..sessions::issue(hallpass, ctx, account, &session, session.generation)? })
}

/// Signs somebody in by name and password. `device` is the `device_token` of an earlier sign-in on this device; one that
/// proves nothing for this account has no effect.
///
/// # Errors
/// [`Code::InvalidCredentials`] whatever was wrong with the name or the password; [`Code::RateLimited`] after too many
/// wrong passwords for this name, whether or not it is somebody's; [`Code::ValidationFailed`] for a password that no
/// account can have; [`Code::Busy`], [`Code::Unavailable`].
pub async fn sign_in(
    hallpass: &Hallpass,
    ctx: &Ctx,
    who: Identifier,
    password: SecretString,
    remember: Remember,
    device: Option<&str>,
) -> Result<Issued> {
    let password = Password::parse("password", &password).map_err(|error| Error::validation(vec![error]))?;
    let found = look_up(&mut hallpass.0.db.read().await?, &who).await?;
    let stored = found.as_ref().and_then(|row| row.password.as_deref());
    let account = found.as_ref().map(|row| AccountId(row.id));
    let named = canonical(&who);
    let whose = account.map_or(Whose::Name(&named), Whose::Account);
    let (verdict, attempt) =
        limits::compare(hallpass, ctx, Guess { whose, device, password: &password, stored }).await?;
    let refused = async |cause: &'static str| {
        audit::record_failure(hallpass, ctx, Event::SignInFailed.of(account).because(cause)).await?;
        Err(Error::new(Code::InvalidCredentials, "Check the name and the password, and try again"))
    };
    let (Some(id), Some(checked)) = (account, stored) else {
        return refused("no_such_password").await;
    };
    // Before anything is hashed again, which would take a time of its own.
    if found.as_ref().is_some_and(|row| !row.is_active) {
        return refused("inactive").await;
    }
    let rehashed = match verdict {
        Verdict::Wrong => return refused("wrong_password").await,
        Verdict::Right => None,
        Verdict::RightButOutdated => {
            Some(attempt.unless_failed(hallpass, hallpass.0.hasher.hash(&password).await).await?)
        }
    };

    let mut tx = hallpass.0.db.begin().await?;
    let stored = rehashed.as_deref().unwrap_or(checked);
    let Some(row) = store::accounts::note_login(tx.conn(), id, checked, stored, ctx.now).await? else {
        drop(tx);
        return refused("changed_meanwhile").await;
    };
    let account = row.try_into()?;
    let mut pending = Pending::default();
    let rule = hallpass.config().sessions.max_per_account;
    let live = store::sessions::live(tx.conn(), id, ctx.now).await?;
    for oldest in live.iter().skip(usize::try_from(rule - 1).unwrap_or(0)) {
        pending.end_as_read(hallpass, ctx, &mut tx, oldest, EndCause::TooManySessions).await?;
    }
    let session = sessions::begin(hallpass, ctx, &mut tx, &account, remember).await?;
    attempt.forgive(&mut tx).await?;
    pending.record(hallpass, ctx, &mut tx, Event::SignedIn.of(id).on(session.id())).await?;
    pending.commit(hallpass, tx).await?;
    let device_token = limits::device_token(hallpass, id)?;
    Ok(Issued { device_token, ..sessions::issue(hallpass, ctx, account, &session, session.generation)? })
}

/// Replaces the password of somebody who knows the current one, and ends the account's other sessions. `device` is as in
/// [`sign_in`], and a wrong password counts like one there.
///
/// # Errors
/// [`Code::PasswordIncorrect`], [`Code::RateLimited`], [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Busy`],
/// [`Code::Unavailable`].
pub async fn change_password(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    keep: SessionId,
    current: SecretString,
    new: SecretString,
    device: Option<&str>,
) -> Result<()> {
    let current = Password::parse("current_password", &current).map_err(|error| Error::validation(vec![error]))?;
    let row = store::accounts::by_id(hallpass.0.db.read().await?.conn(), id).await?;
    let row = row.ok_or_else(accounts::no_such_account)?;
    let wrong = || Error::new(Code::PasswordIncorrect, "Give the password that the account has now");
    let guess = Guess { whose: Whose::Account(id), device, password: &current, stored: row.password.as_deref() };
    let (verdict, attempt) = limits::compare(hallpass, ctx, guess).await?;
    let (Verdict::Right | Verdict::RightButOutdated, Some(checked)) = (verdict, row.password.clone()) else {
        let note = Event::SignInFailed.of(id).on(keep).because("wrong_current_password");
        audit::record_failure(hallpass, ctx, note).await?;
        return Err(wrong());
    };
    // The current password was right, whatever is wrong with the new one.
    let hash = accounts::new_password(hallpass, &row.try_into()?, "new_password", new).await;
    let hash = attempt.unless_failed(hallpass, hash).await?;
    let mut tx = hallpass.0.db.begin().await?;
    if !store::accounts::replace_password(tx.conn(), id, &checked, &hash).await? {
        return Err(wrong());
    }
    attempt.forgive(&mut tx).await?;
    limits::clear(hallpass, &mut tx, id).await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, Some(keep), EndCause::PasswordChanged).await?;
    pending.record(hallpass, ctx, &mut tx, Event::PasswordChanged.of(id).on(keep)).await?;
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
async fn look_up(reader: &mut Reader, who: &Identifier) -> Result<Option<AccountRow>> {
    let (username, email) = match (who.username.as_deref(), who.email.as_deref()) {
        (Some(name), None) if name.contains('@') => (None, Some(name)),
        both => both,
    };
    let email = match email.map(Email::parse) {
        Some(Err(_)) => return Ok(None),
        parsed => parsed.and_then(Result::ok),
    };
    match (username, email) {
        (Some(name), email) => {
            let Ok(username) = Username::parse(name) else { return Ok(None) };
            let found = store::accounts::by_username(reader.conn(), username.key()).await?;
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
