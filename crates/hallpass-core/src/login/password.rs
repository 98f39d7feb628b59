//! The password of somebody who is signed in: showing to know it, and replacing it.
//!
//! A new one ends the account's other sessions, and is told to its owner by mail.

use hallpass_token::{AccountId, SessionId};
use secrecy::SecretString;

use super::note_the_last;
use crate::{
    Code, Ctx, Error, Hallpass, Result, accounts,
    audit::{self, Event},
    limits::{self, Attempt, Guess, Whose},
    mail::{self, Job},
    passwords::{Password, hash::Verdict},
    revocation::Pending,
    sessions::EndCause,
    store::{self, Tx, accounts::AccountRow},
};

/// Makes sure that somebody who is signed in knows the account's password. `device` is as in [`sign_in`], and a wrong
/// password counts like one there.
///
/// # Errors
/// [`Code::PasswordIncorrect`], [`Code::RateLimited`], [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Busy`],
/// [`Code::Unavailable`].
pub async fn confirm_password(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    session: SessionId,
    current: SecretString,
    device: Option<&str>,
) -> Result<()> {
    let (_, attempt) = prove(hallpass, ctx, id, session, "current_password", &current, device).await?;
    let mut tx = hallpass.0.db.begin().await?;
    attempt.forgive(&mut tx).await?;
    tx.commit().await
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
    let (row, attempt) = prove(hallpass, ctx, id, keep, "current_password", &current, device).await?;
    let checked = row.password.clone().unwrap_or_default();
    // The current password was right, whatever is wrong with the new one.
    let hash = accounts::new_password(hallpass, &row.try_into()?, "new_password", new).await;
    let hash = attempt.unless_failed(hallpass, hash).await?;
    let mut tx = hallpass.0.db.begin().await?;
    if !store::accounts::replace_password(tx.conn(), id, &checked, &hash).await? {
        return Err(password_incorrect());
    }
    attempt.forgive(&mut tx).await?;
    password_changed(hallpass, ctx, tx, id, keep).await
}

/// The same for somebody who is signed in and has not shown to know the current one: whoever finds a device that is signed
/// in can take the account over.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::NotFound`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn insecure_change_password(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    keep: SessionId,
    new: SecretString,
) -> Result<()> {
    let account = accounts::get(hallpass, id).await?;
    let hash = accounts::new_password(hallpass, &account, "new_password", new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    store::accounts::set_password(tx.conn(), id, Some(&hash)).await?;
    password_changed(hallpass, ctx, tx, id, keep).await
}

/// What comes with every new password of somebody who is signed in.
async fn password_changed(hallpass: &Hallpass, ctx: &Ctx, mut tx: Tx, id: AccountId, keep: SessionId) -> Result<()> {
    limits::clear(hallpass, &mut tx, id).await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, Some(keep), EndCause::PasswordChanged).await?;
    pending.record(hallpass, ctx, &mut tx, Event::PasswordChanged.of(id).on(keep)).await?;
    mail::order(hallpass, ctx, &mut tx, Job::PasswordChanged(id)).await?;
    pending.commit(hallpass, tx).await
}

/// Makes sure that somebody who is signed in knows the account's password, which `field` brought, before something that
/// matters. `device` is as in [`sign_in`], and a wrong password counts like one there.
///
/// # Errors
/// [`Code::ValidationFailed`], [`Code::PasswordIncorrect`], [`Code::RateLimited`], [`Code::NotFound`], [`Code::Busy`], [`Code::Unavailable`].
pub(crate) async fn prove(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    session: SessionId,
    field: &'static str,
    password: &SecretString,
    device: Option<&str>,
) -> Result<(AccountRow, Attempt)> {
    let password = Password::parse(field, password).map_err(|error| Error::validation(vec![error]))?;
    let row = store::accounts::by_id(hallpass.0.db.read().await?.conn(), id).await?;
    let row = row.ok_or_else(accounts::no_such_account)?;
    let guess = Guess { whose: Whose::Account(id), device, password: &password, stored: row.password.as_deref() };
    let (verdict, attempt) = limits::compare(hallpass, ctx, guess).await?;
    if verdict == Verdict::Wrong || row.password.is_none() {
        let note = Event::SignInFailed.of(id).on(session).because("wrong_current_password");
        audit::record_failure(hallpass, ctx, note).await?;
        note_the_last(hallpass, ctx, id, &attempt).await?;
        return Err(password_incorrect());
    }
    Ok((row, attempt))
}

fn password_incorrect() -> Error {
    let detail = "Give the password that the account has now; if it has none, set one by `password-reset`";
    Error::new(Code::PasswordIncorrect, detail)
}
