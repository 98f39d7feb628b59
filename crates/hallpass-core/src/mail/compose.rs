//! From a job to a letter: finds whom it is about, makes the secret of its link, and writes it.
//!
//! Mail goes to the address that the account has, never to the spelling that somebody typed. Nothing that strangers can
//! choose, such as a name, stands in a mail to an address that nobody has verified.

use hallpass_token::AccountId;

use super::{Job, Kind, Order, Values, Whom};
use crate::{
    Hallpass, Result,
    names::Email,
    store::{self, Tx, accounts::AccountRow},
    tickets::{self, Payload, Purpose, Ticket},
};

/// What is to be written, and to whom.
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) account: Option<AccountId>,
    pub(super) to: String,
    /// The account's language.
    pub(super) locale: Option<String>,
    pub(super) values: Values,
}

/// Makes the draft; `None` if there is nobody to write to, or nothing left to say.
pub(super) async fn draft(hallpass: &Hallpass, tx: &mut Tx, order: &Order, now: i64) -> Result<Option<Draft>> {
    let draft = |kind, row: &AccountRow, to: &str| Draft {
        kind,
        account: Some(AccountId(row.id)),
        to: to.to_owned(),
        locale: row.locale.clone(),
        values: values(hallpass, order, to, name(row)),
    };
    match &order.job {
        Job::VerifyEmail(whom) => {
            let Some((row, to)) = somebody(tx, whom).await?.filter(|(row, _)| !row.email_verified) else {
                return Ok(None);
            };
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::VerifyEmail, &Payload::default(), now).await?;
            Ok(Some(draft(Kind::VerifyEmail, &row, &to).with(hallpass, "verify", Purpose::VerifyEmail, ticket)))
        }
        Job::ResetPassword(whom) => reset(hallpass, tx, whom, now, |row, to| draft(Kind::ResetPassword, row, to)).await,
        Job::AlreadyRegistered(whom) => {
            reset(hallpass, tx, whom, now, |row, to| draft(Kind::AlreadyRegistered, row, to)).await
        }
        Job::SignInLink(whom) => {
            let Some((row, to)) = somebody(tx, whom).await? else { return Ok(None) };
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::SignIn, &Payload::default(), now).await?;
            Ok(Some(draft(Kind::SignInLink, &row, &to).with(hallpass, "sign-in", Purpose::SignIn, ticket)))
        }
        Job::ChangeEmail { account, session, to } => {
            let Some(row) = active(tx, *account).await? else { return Ok(None) };
            let Ok(email) = Email::parse(to) else { return Ok(None) };
            if store::accounts::by_email(tx.conn(), email.key()).await?.is_some_and(|other| other.id != row.id) {
                // The owner of that address is told; whoever asked is not.
                let whom = Whom::Address(email.key().to_owned());
                return reset(hallpass, tx, &whom, now, |row, to| draft(Kind::AlreadyRegistered, row, to)).await;
            }
            let payload = Payload { email: Some(to.clone()), session: Some(*session) };
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::ChangeEmail, &payload, now).await?;
            let draft = Draft { values: values(hallpass, order, to, None), ..draft(Kind::ChangeEmail, &row, to) };
            Ok(Some(draft.with(hallpass, "change-email", Purpose::ChangeEmail, ticket)))
        }
        Job::EmailChanged { account, from, to } => {
            let Some(row) = store::accounts::by_id(tx.conn(), *account).await? else { return Ok(None) };
            let mut draft = draft(Kind::EmailChanged, &row, from);
            draft.values.new_email = Some(to.clone());
            Ok(Some(draft))
        }
        Job::PasswordChanged(account) => {
            let found = somebody(tx, &Whom::Account(*account)).await?;
            Ok(found.map(|(row, to)| draft(Kind::PasswordChanged, &row, &to)))
        }
        Job::DeletionScheduled { account, delete_at } => {
            let found = somebody(tx, &Whom::Account(*account)).await?;
            Ok(found.filter(|(row, _)| row.delete_at == Some(*delete_at)).map(|(row, to)| {
                let mut draft = draft(Kind::AccountDeletionScheduled, &row, &to);
                draft.values.delete_at = Some(*delete_at);
                draft
            }))
        }
        Job::AccountDeleted { email, name, locale } => Ok(Some(Draft {
            kind: Kind::AccountDeleted,
            account: None,
            to: email.clone(),
            locale: locale.clone(),
            values: values(hallpass, order, email, name.clone()),
        })),
    }
}

/// A mail with a link that sets a new password.
async fn reset(
    hallpass: &Hallpass,
    tx: &mut Tx,
    whom: &Whom,
    now: i64,
    draft: impl FnOnce(&AccountRow, &str) -> Draft,
) -> Result<Option<Draft>> {
    let Some((row, to)) = somebody(tx, whom).await? else { return Ok(None) };
    let ticket = tickets::issue(hallpass, tx, &row, Purpose::ResetPassword, &Payload::default(), now).await?;
    Ok(Some(draft(&row, &to).with(hallpass, "reset", Purpose::ResetPassword, ticket)))
}

/// The active account that is meant, and its address.
async fn somebody(tx: &mut Tx, whom: &Whom) -> Result<Option<(AccountRow, String)>> {
    let row = match whom {
        Whom::Account(id) => active(tx, *id).await?,
        Whom::Address(key) => store::accounts::by_email(tx.conn(), key).await?.filter(|row| row.is_active),
    };
    Ok(row.and_then(|row| row.email.clone().map(|email| (row, email))))
}

async fn active(tx: &mut Tx, id: AccountId) -> Result<Option<AccountRow>> {
    Ok(store::accounts::by_id(tx.conn(), id).await?.filter(|row| row.is_active))
}

/// How to address the owner; nothing where somebody else may have chosen the name.
pub(crate) fn name(row: &AccountRow) -> Option<String> {
    let given = Some(row.first_name.clone()).filter(|name| !name.is_empty());
    given.or_else(|| row.username.clone()).filter(|_| row.email_verified)
}

fn values(hallpass: &Hallpass, order: &Order, email: &str, name: Option<String>) -> Values {
    Values {
        product: hallpass.config().mail.product_name.clone(),
        name,
        email: email.to_owned(),
        link: None,
        code: None,
        valid_minutes: None,
        new_email: None,
        delete_at: None,
        at: order.at,
        ip: order.ip.map(|ip| ip.to_string()),
    }
}

impl Draft {
    /// The same with a ticket in its link. The secret stands behind the `#`, which browsers send to no server.
    fn with(mut self, hallpass: &Hallpass, page: &str, purpose: Purpose, ticket: Ticket) -> Self {
        let Ticket { secret, code } = ticket;
        self.values.link = Some(format!("{}/{page}#token={secret}", hallpass.config().mail.links));
        self.values.code = code;
        self.values.valid_minutes = Some(purpose.lifetime() / 60);
        self
    }
}
