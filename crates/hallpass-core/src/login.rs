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
    tx.commit().await?;
    audit::record(ctx, Event::SignedUp, Some(account.id), Some(session.id()), None);
    sessions::issue(hallpass, ctx, account, &session, session.generation)
}

/// Signs somebody in by name and password.
///
/// # Errors
/// [`Code::InvalidCredentials`] whatever was wrong with the name or the password; [`Code::ValidationFailed`] for a
/// password that no account can have; [`Code::Busy`], [`Code::Unavailable`].
pub async fn sign_in(
    hallpass: &Hallpass,
    ctx: &Ctx,
    who: Identifier,
    password: SecretString,
    remember: Remember,
) -> Result<Issued> {
    let password = Password::parse("password", &password).map_err(|error| Error::validation(vec![error]))?;
    let found = look_up(&mut hallpass.0.db.read().await?, &who).await?;
    let stored = found.as_ref().and_then(|row| row.password.as_deref());
    let verdict = hallpass.0.hasher.verify(&password, stored).await?;
    let account = found.as_ref().map(|row| AccountId(row.id));
    let refused = |cause| {
        audit::record(ctx, Event::SignInFailed, account, None, Some(cause));
        Error::new(Code::InvalidCredentials, "Check the name and the password, and try again")
    };
    let (Some(id), Some(checked)) = (account, stored) else {
        return Err(refused("no_such_password"));
    };
    // Before anything is hashed again, which would take a time of its own.
    if found.as_ref().is_some_and(|row| !row.is_active) {
        return Err(refused("inactive"));
    }
    let rehashed = match verdict {
        Verdict::Wrong => return Err(refused("wrong_password")),
        Verdict::Right => None,
        Verdict::RightButOutdated => Some(hallpass.0.hasher.hash(&password).await?),
    };

    let mut tx = hallpass.0.db.begin().await?;
    let stored = rehashed.as_deref().unwrap_or(checked);
    let Some(row) = store::accounts::note_login(tx.conn(), id, checked, stored, ctx.now).await? else {
        return Err(refused("changed_meanwhile"));
    };
    let account = row.try_into()?;
    let mut pending = Pending::default();
    let rule = hallpass.config().sessions.max_per_account;
    let live = store::sessions::live(tx.conn(), id, ctx.now).await?;
    for oldest in live.iter().skip(usize::try_from(rule - 1).unwrap_or(0)) {
        pending.end_as_read(hallpass, ctx, &mut tx, oldest, EndCause::TooManySessions).await?;
    }
    let session = sessions::begin(hallpass, ctx, &mut tx, &account, remember).await?;
    pending.commit(hallpass, ctx, tx).await?;
    audit::record(ctx, Event::SignedIn, Some(id), Some(session.id()), None);
    sessions::issue(hallpass, ctx, account, &session, session.generation)
}

/// Replaces the password of somebody who knows the current one, and ends the account's other sessions.
///
/// # Errors
/// [`Code::PasswordIncorrect`], [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn change_password(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    keep: SessionId,
    current: SecretString,
    new: SecretString,
) -> Result<()> {
    let current = Password::parse("current_password", &current).map_err(|error| Error::validation(vec![error]))?;
    let row = store::accounts::by_id(hallpass.0.db.read().await?.conn(), id).await?;
    let row = row.ok_or_else(accounts::no_such_account)?;
    let wrong = || Error::new(Code::PasswordIncorrect, "Give the password that the account has now");
    let verdict = hallpass.0.hasher.verify(&current, row.password.as_deref()).await?;
    let (Verdict::Right | Verdict::RightButOutdated, Some(checked)) = (verdict, row.password.clone()) else {
        audit::record(ctx, Event::SignInFailed, Some(id), Some(keep), Some("wrong_current_password"));
        return Err(wrong());
    };
    let hash = accounts::new_password(hallpass, &row.try_into()?, "new_password", new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    if !store::accounts::replace_password(tx.conn(), id, &checked, &hash).await? {
        return Err(wrong());
    }
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, Some(keep), EndCause::PasswordChanged).await?;
    pending.commit(hallpass, ctx, tx).await?;
    audit::record(ctx, Event::PasswordChanged, Some(id), Some(keep), None);
    Ok(())
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
