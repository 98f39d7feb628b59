//! A new password for somebody who forgot the old one, and receives the account's mail.
//!
//! It never signs anybody in, and never tells whether there is an account.

use hallpass_token::AccountId;
use secrecy::SecretString;

use crate::{
    Ctx, Hallpass, Result, accounts, addresses,
    audit::Event,
    limits,
    mail::{self, Job},
    revocation::Pending,
    sessions::EndCause,
    store::{self, Tx},
    tickets::{self, Purpose},
};

/// Mails a link with which the owner of an address sets a new password. The answer is the same whether or not there is
/// an account of this address.
///
/// # Errors
/// [`crate::Code::MailOff`], [`crate::Code::ValidationFailed`] for what is no address, [`crate::Code::RateLimited`],
/// [`crate::Code::Unavailable`].
pub async fn request(hallpass: &Hallpass, ctx: &Ctx, email: &str) -> Result<()> {
    mail::on_request(hallpass, ctx, email, Job::ResetPassword).await
}

/// Sets the password of the account that the secret of such a link is for, and ends all its sessions: whoever had the
/// account before, also somebody who had made it with an address of others, has nothing of it any more. A password that
/// the rules refuse does not use the link up.
///
/// # Errors
/// [`crate::Code::LinkInvalid`], [`crate::Code::ValidationFailed`], [`crate::Code::Busy`], [`crate::Code::Unavailable`].
pub async fn reset(hallpass: &Hallpass, ctx: &Ctx, secret: &str, new: SecretString) -> Result<()> {
    // Nobody without a good link makes the server hash anything.
    let row = tickets::look(hallpass, secret, Purpose::ResetPassword, ctx.now).await?;
    let hash = accounts::new_password(hallpass, &row.try_into()?, "new_password", new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let (row, payload) = tickets::redeem(&mut tx, secret, Purpose::ResetPassword, ctx.now).await?;
    store::accounts::set_password(tx.conn(), AccountId(row.id), Some(&hash)).await?;
    addresses::prove(&mut tx, &row, payload.email.as_deref()).await?;
    end(hallpass, ctx, tx, AccountId(row.id)).await
}

/// What comes with every password that was forgotten and is set anew: whoever had the account before has nothing of it
/// any more.
pub(crate) async fn end(hallpass: &Hallpass, ctx: &Ctx, mut tx: Tx, id: AccountId) -> Result<()> {
    store::tickets::forget(tx.conn(), id).await?;
    limits::clear(hallpass, &mut tx, id).await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, None, EndCause::PasswordChanged).await?;
    pending.record(hallpass, ctx, &mut tx, Event::PasswordReset.of(id)).await?;
    mail::order(hallpass, ctx, &mut tx, Job::PasswordChanged(id)).await?;
    pending.commit(hallpass, tx).await
}
