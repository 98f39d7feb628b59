//! Mail: written down in the transaction that causes it, and sent afterwards by [`deliver`], again until it has gone out.
//!
//! A request never waits for a mail server, and never learns whether there is somebody to write to: it leaves a sealed
//! [`Job`] that names whom it is about. Who that is, and the secret in the link, is found out when the mail is sent, so
//! no usable secret is ever kept.

use hallpass_token::{AccountId, SessionId};
use serde::{Deserialize, Serialize};

use crate::{Code, Ctx, Error, Hallpass, Result, audit, names::Email, rates, store, store::Tx};

mod compose;
mod outbox;
mod templates;
mod transport;

pub(crate) use compose::name;
pub(crate) use outbox::KEPT;
pub use outbox::{Waiting, deliver, retry, waiting};
pub use templates::{Kind, Templates, Values, Written};
pub use transport::{Failure, Letter, Mailer};

/// What somebody is to be told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Job {
    /// How to show that the address is theirs.
    VerifyEmail(Whom),
    /// How to set a new password.
    ResetPassword(Whom),
    /// That somebody wanted an account with an address that has one.
    AlreadyRegistered(Whom),
    /// How to sign in.
    SignInLink(Whom),
    /// How to show that the new address is theirs.
    ChangeEmail { account: AccountId, session: SessionId, to: String },
    /// At the old address: that it is not the account's any more.
    EmailChanged { account: AccountId, from: String, to: String },
    /// That there is a new password.
    PasswordChanged(AccountId),
    /// That the account will be deleted.
    DeletionScheduled { account: AccountId, delete_at: i64 },
    /// That it is.
    AccountDeleted { email: String, name: Option<String>, locale: Option<String> },
}

/// Whom a job is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whom {
    Account(AccountId),
    /// Whoever has this address, if anybody has; mail goes to the address as the account has it.
    Address(String),
}

/// Where links in mails lead to pages of a front end, with `{key}`, `{token}`, `{uid}` or `{uidb64}` where the secret and
/// the account are to stand; what is empty leads to a page of this server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Links {
    /// To the page that shows the owner of an address to receive mail there.
    pub verify: String,
    /// To the page that sets a new password.
    pub reset: String,
}

/// A job and what caused it, as they are sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) job: Job,
    /// When it was caused.
    pub(crate) at: i64,
    pub(crate) ip: Option<std::net::IpAddr>,
    pub(crate) request_id: String,
    /// What the client prefers, for an account that has no language.
    pub(crate) languages: Option<String>,
    #[serde(default)]
    pub(crate) links: Option<Links>,
}

impl Job {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Job::VerifyEmail(_) => Kind::VerifyEmail,
            Job::ResetPassword(_) => Kind::ResetPassword,
            Job::AlreadyRegistered(_) => Kind::AlreadyRegistered,
            Job::SignInLink(_) => Kind::SignInLink,
            Job::ChangeEmail { .. } => Kind::ChangeEmail,
            Job::EmailChanged { .. } => Kind::EmailChanged,
            Job::PasswordChanged(_) => Kind::PasswordChanged,
            Job::DeletionScheduled { .. } => Kind::AccountDeletionScheduled,
            Job::AccountDeleted { .. } => Kind::AccountDeleted,
        }
    }
}

/// Refuses what cannot be done without mail.
pub(crate) fn demand(hallpass: &Hallpass) -> Result<()> {
    if hallpass.0.mailer.is_off() {
        return Err(Error::new(Code::MailOff, "This server sends no mail: ask its operator for help"));
    }
    Ok(())
}

/// Writes a job down as part of what causes it. Where there is no mail there is nothing to write down.
pub(crate) async fn order(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx, job: Job) -> Result<()> {
    if hallpass.0.mailer.is_off() {
        return Ok(());
    }
    let kind = job.kind();
    let order = Order {
        job,
        at: ctx.now,
        ip: ctx.ip,
        request_id: ctx.request_id.clone(),
        languages: ctx.languages.clone(),
        links: ctx.links.clone(),
    };
    let id = audit::next_id(hallpass, ctx.now)?;
    let plain = serde_json::to_vec(&order).map_err(Error::internal)?;
    let sealed = hallpass.0.secrets.seal(&sealing_name(id), &plain)?;
    store::outbox::insert(tx.conn(), id, kind.as_str(), &sealed, ctx.now).await?;
    Ok(())
}

/// What a stranger asks to be sent to an address, known or not: the same work, the same answer.
///
/// # Errors
/// [`Code::MailOff`], [`Code::ValidationFailed`] for what is no address, [`Code::RateLimited`] for a client that asks too
/// often, [`Code::Unavailable`]. An address that gets too much mail gets none, and nobody is told.
pub(crate) async fn on_request(
    hallpass: &Hallpass,
    ctx: &Ctx,
    email: &str,
    job: impl FnOnce(Whom) -> Job,
) -> Result<()> {
    demand(hallpass)?;
    let email = Email::parse(email).map_err(|error| Error::validation(vec![error]))?;
    rates::look_mail(hallpass, ctx).await?;
    let mut tx = hallpass.0.db.begin().await?;
    rates::mail_request(hallpass, ctx, &mut tx).await?;
    if rates::mail_to(hallpass, &mut tx, email.key(), ctx.now).await? {
        order(hallpass, ctx, &mut tx, job(Whom::Address(email.key().to_owned()))).await?;
    }
    tx.commit().await
}

/// A sealed job opens only in its own row.
fn sealing_name(id: uuid::Uuid) -> String {
    format!("outbox {id}")
}
