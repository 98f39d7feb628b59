//! Signing in by mail: with the link, or with the code that stands beside it. Off unless the operator wants it.
//!
//! It never tells whether there is an account. Whoever signs in this way to an account whose address nobody had verified
//! takes it over from whoever made it.

use hallpass_token::AccountId;

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    accounts::Account,
    addresses,
    audit::Event,
    limits, login,
    mail::{self, Job},
    names::Email,
    rates,
    revocation::Pending,
    sessions::{self, EndCause, Issued, Remember},
    store::{self, Tx, accounts::AccountRow},
    tickets::{self, Payload, Purpose},
};

/// What the mail brought.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The secret of the link.
    Link(String),
    /// The code, and the address that it was mailed to.
    Code {
        /// In whatever letter case.
        email: String,
        /// Eight digits and letters; blanks and dashes between them do not matter.
        code: String,
    },
}

/// Mails a link and a code that sign the owner of an address in. The answer is the same whether or not there is an account
/// of this address.
///
/// # Errors
/// [`Code::SignInLinksOff`], [`Code::MailOff`], [`Code::ValidationFailed`] for what is no address,
/// [`Code::RateLimited`], [`Code::Unavailable`].
pub async fn request(hallpass: &Hallpass, ctx: &Ctx, email: &str) -> Result<()> {
    demand(hallpass)?;
    mail::on_request(hallpass, ctx, email, Job::SignInLink).await
}

/// Signs in whoever received such a mail. A code can be tried five times.
///
/// # Errors
/// [`Code::SignInLinksOff`], [`Code::LinkInvalid`] whatever was wrong, [`Code::RateLimited`], [`Code::Unavailable`].
pub async fn sign_in(hallpass: &Hallpass, ctx: &Ctx, proof: Proof, remember: Remember) -> Result<Issued> {
    demand(hallpass)?;
    rates::look(hallpass, ctx).await?;
    let mut tx = hallpass.0.db.begin().await?;
    rates::sign_in(hallpass, ctx, &mut tx).await?;
    let redeemed = redeem(hallpass, ctx, &mut tx, &proof).await?;
    let Some((row, _)) = redeemed else {
        // A try of the code, or of the address, is used up in any case.
        rates::failed(hallpass, ctx, &mut tx).await?;
        tx.commit().await?;
        return Err(tickets::invalid());
    };
    let id = AccountId(row.id);
    let mut pending = Pending::default();
    if !row.email_verified {
        store::accounts::set_password(tx.conn(), id, None).await?;
        addresses::prove(&mut tx, &row, None).await?;
        store::tickets::forget(tx.conn(), id).await?;
        limits::clear(hallpass, &mut tx, id).await?;
        pending.end_all(hallpass, ctx, &mut tx, id, None, EndCause::OwnershipProven).await?;
        pending.record(hallpass, ctx, &mut tx, Event::EmailVerified.of(id)).await?;
    }
    store::accounts::note_login_by_link(tx.conn(), id, ctx.now).await?;
    if row.delete_at.is_some() {
        pending.record(hallpass, ctx, &mut tx, Event::DeletionCancelled.of(id)).await?;
    }
    let account = Account { email_verified: true, last_login: Some(ctx.now), delete_at: None, ..row.try_into()? };
    let (session, number) = login::begin(hallpass, ctx, &mut tx, &mut pending, &account, remember, "otp").await?;
    pending.commit(hallpass, tx).await?;
    let device_token = limits::device_token(hallpass, id)?;
    Ok(Issued { device_token, ..sessions::issue(hallpass, ctx, account, (&session, number), session.generation)? })
}

/// `None` if the proof is worth nothing; what that cost has to be committed.
async fn redeem(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx, proof: &Proof) -> Result<Option<(AccountRow, Payload)>> {
    let redeemed = match proof {
        Proof::Link(secret) => tickets::redeem(tx, secret, Purpose::SignIn, ctx.now).await.map(Some),
        Proof::Code { email, code } => {
            let Ok(email) = Email::parse(email) else { return Ok(None) };
            // Where there is nobody a code is tried all the same, so that it takes as long.
            let found = store::accounts::by_email(tx.conn(), email.key()).await?;
            let account = AccountId(found.map_or(0, |row| row.id));
            tickets::redeem_code(hallpass, tx, account, code, Purpose::SignIn, ctx.now).await
        }
    };
    match redeemed {
        Err(error) if error.code == Code::LinkInvalid => Ok(None),
        other => other,
    }
}

fn demand(hallpass: &Hallpass) -> Result<()> {
    if hallpass.config().accounts.sign_in_links {
        return Ok(());
    }
    Err(Error::new(Code::SignInLinksOff, "Sign in with your password: this server mails no links to sign in"))
}
