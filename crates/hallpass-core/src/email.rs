//! The address of an account: showing that its owner receives mail there, and changing it.
//!
//! Asking for a mail tells nobody whether there is an account. A link does nothing by being opened; it is redeemed here.

use hallpass_token::{AccountId, SessionId};
use secrecy::SecretString;

use crate::{
    Code, Ctx, Error, FieldError, Hallpass, Result,
    accounts::{self, Account},
    addresses,
    audit::Event,
    login,
    mail::{self, Job},
    names::Email,
    rates,
    revocation::Pending,
    sessions::EndCause,
    store,
    tickets::{self, Purpose},
};

/// Mails a link that shows the owner of an address to receive mail there, if the account of this address has not been
/// verified yet. The answer is the same whether or not there is one.
///
/// # Errors
/// [`Code::MailOff`], [`Code::ValidationFailed`] for what is no address, [`Code::RateLimited`], [`Code::Unavailable`].
pub async fn request_verification(hallpass: &Hallpass, ctx: &Ctx, email: &str) -> Result<()> {
    mail::on_request(hallpass, ctx, email, Job::VerifyEmail).await
}

/// Notes that the owner receives mail at an address of the account, as the secret of such a link shows.
///
/// # Errors
/// [`Code::LinkInvalid`], [`Code::Unavailable`].
pub async fn verify(hallpass: &Hallpass, ctx: &Ctx, secret: &str) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let (row, payload) = tickets::redeem(&mut tx, secret, Purpose::VerifyEmail, ctx.now).await?;
    addresses::confirm(hallpass, ctx, tx, &row, payload.email.as_deref()).await
}

/// Mails a link to the address that an account is to have; nothing changes before it was used there. If the address is
/// somebody else's, that account's owner is told, and the answer is the same.
///
/// # Errors
/// [`Code::MailOff`], [`Code::PasswordIncorrect`], [`Code::ValidationFailed`], [`Code::RateLimited`],
/// [`Code::NotFound`], [`Code::Busy`], [`Code::Unavailable`].
pub async fn request_change(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    session: SessionId,
    password: SecretString,
    email: &str,
    device: Option<&str>,
) -> Result<()> {
    mail::demand(hallpass)?;
    let email = Email::parse(email).map_err(|error| Error::validation(vec![error]))?;
    let (row, attempt) = login::prove(hallpass, ctx, id, session, "password", &password, device).await?;
    if row.email.as_deref().is_some_and(|held| Email::parse(held).is_ok_and(|held| held.key() == email.key())) {
        let wrong = FieldError::new("email", "email_unchanged", "This is the address that the account has");
        return attempt.unless_failed(hallpass, Err(Error::validation(vec![wrong]))).await;
    }
    let mut tx = hallpass.0.db.begin().await?;
    attempt.forgive(&mut tx).await?;
    rates::mail_request(hallpass, ctx, &mut tx).await?;
    if rates::mail_to(hallpass, &mut tx, email.key(), ctx.now).await? {
        let job = Job::ChangeEmail { account: id, session, to: email.as_str().to_owned() };
        mail::order(hallpass, ctx, &mut tx, job).await?;
    }
    tx.commit().await
}

/// Gives an account the address at which the secret of such a link was received, tells the old one, and ends every
/// session but the one that asked for it.
///
/// # Errors
/// [`Code::LinkInvalid`]; [`Code::EmailTaken`] if the address became somebody else's meanwhile; [`Code::Unavailable`].
pub async fn change(hallpass: &Hallpass, ctx: &Ctx, secret: &str) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let (row, payload) = tickets::redeem(&mut tx, secret, Purpose::ChangeEmail, ctx.now).await?;
    let email = payload.email.as_deref().and_then(|email| Email::parse(email).ok()).ok_or_else(tickets::invalid)?;
    let old = row.email.clone();
    let before: Account = row.try_into()?;
    let id = before.id;
    let taken = || Error::new(Code::EmailTaken, "This address has become another account's: use a different one");
    if store::addresses::is_verified_elsewhere(tx.conn(), id, email.key()).await? {
        return Err(taken());
    }
    let written = store::accounts::set_email(tx.conn(), id, email.as_str(), email.key()).await;
    written.map_err(|error| if store::is_taken(&error, "email") { taken() } else { error.into() })?;
    addresses::replace(&mut tx, id, old.as_deref(), &email).await?;
    let after = Account {
        email: Some(email.as_str().to_owned()),
        email_verified: true,
        version: before.version + 1,
        ..before.clone()
    };
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::EmailChanged.of(id)).await?;
    pending.end_all(hallpass, ctx, &mut tx, id, payload.session, EndCause::EmailChanged).await?;
    accounts::take_back_stated(hallpass, ctx, &mut tx, &mut pending, &before, &after).await?;
    if let Some(from) = old {
        let job = Job::EmailChanged { account: id, from, to: email.as_str().to_owned() };
        mail::order(hallpass, ctx, &mut tx, job).await?;
    }
    pending.commit(hallpass, tx).await
}
