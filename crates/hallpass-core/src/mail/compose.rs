//! From a job to a letter: finds whom it is about, makes the secret of its link, and writes it.
//!
//! Mail goes to the address that the account has, never to the spelling that somebody typed. Nothing that strangers can
//! choose, such as a name, stands in a mail to an address that nobody has verified.

use hallpass_token::AccountId;

use super::{Job, Kind, Order, Values, Whom};
use crate::{
    Hallpass, Result, addresses,
    django::Uid,
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
            let Some((row, to)) = unverified(tx, whom).await? else { return Ok(None) };
            let key = addresses::key_of(&to);
            if store::addresses::is_verified_elsewhere(tx.conn(), AccountId(row.id), &key).await? {
                // Whoever has the address is told; whoever gave it is not.
                let whom = Whom::Address(key);
                return reset(hallpass, tx, order, &whom, now, |row, to| draft(Kind::AlreadyRegistered, row, to)).await;
            }
            let payload = mailed_to(&row, &to);
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::VerifyEmail, &payload, now).await?;
            let link = link(hallpass, order, "verify", row.id, &ticket);
            Ok(Some(draft(Kind::VerifyEmail, &row, &to).with(link, Purpose::VerifyEmail, ticket)))
        }
        Job::ResetPassword(whom) => {
            reset(hallpass, tx, order, whom, now, |row, to| draft(Kind::ResetPassword, row, to)).await
        }
        Job::AlreadyRegistered(whom) => {
            reset(hallpass, tx, order, whom, now, |row, to| draft(Kind::AlreadyRegistered, row, to)).await
        }
        Job::SignInLink(whom) => {
            let Some((row, to)) = somebody(tx, whom).await? else { return Ok(None) };
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::SignIn, &Payload::default(), now).await?;
            let link = link(hallpass, order, "sign-in", row.id, &ticket);
            Ok(Some(draft(Kind::SignInLink, &row, &to).with(link, Purpose::SignIn, ticket)))
        }
        Job::ChangeEmail { account, session, to } => {
            let Some(row) = active(tx, *account).await? else { return Ok(None) };
            let Ok(email) = Email::parse(to) else { return Ok(None) };
            if store::addresses::receiver(tx.conn(), email.key()).await?.is_some_and(|other| other.id != row.id) {
                // The owner of that address is told; whoever asked is not.
                let whom = Whom::Address(email.key().to_owned());
                return reset(hallpass, tx, order, &whom, now, |row, to| draft(Kind::AlreadyRegistered, row, to)).await;
            }
            let payload = Payload { email: Some(to.clone()), session: Some(*session) };
            let ticket = tickets::issue(hallpass, tx, &row, Purpose::ChangeEmail, &payload, now).await?;
            let draft = Draft { values: values(hallpass, order, to, None), ..draft(Kind::ChangeEmail, &row, to) };
            Ok(Some(draft.with(link(hallpass, order, "change-email", row.id, &ticket), Purpose::ChangeEmail, ticket)))
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

/// A mail with a link that sets a new password, to nobody but who receives the mail of the account that is meant.
async fn reset(
    hallpass: &Hallpass,
    tx: &mut Tx,
    order: &Order,
    whom: &Whom,
    now: i64,
    draft: impl FnOnce(&AccountRow, &str) -> Draft,
) -> Result<Option<Draft>> {
    let found = match whom {
        Whom::Account(_) => somebody(tx, whom).await?,
        Whom::Address(key) => receiver(tx, key).await?,
    };
    let Some((row, to)) = found else { return Ok(None) };
    let payload = mailed_to(&row, &to);
    let ticket = tickets::issue(hallpass, tx, &row, Purpose::ResetPassword, &payload, now).await?;
    let link = link(hallpass, order, "reset", row.id, &ticket);
    Ok(Some(draft(&row, &to).with(link, Purpose::ResetPassword, ticket)))
}

/// The active account whose owner receives the mail of an address, and the address as the account has it.
async fn receiver(tx: &mut Tx, key: &str) -> Result<Option<(AccountRow, String)>> {
    let found = store::addresses::receiver(tx.conn(), key).await?;
    let Some(row) = found.filter(|row| row.is_active) else { return Ok(None) };
    let to = row.email.clone().filter(|email| addresses::key_of(email) == key);
    Ok(Some((row, to.unwrap_or_else(|| key.to_owned()))))
}

/// The active account that is meant and an address of it that nobody has verified for it: of one that several have taken,
/// the account that did last.
async fn unverified(tx: &mut Tx, whom: &Whom) -> Result<Option<(AccountRow, String)>> {
    let Whom::Address(key) = whom else {
        return Ok(somebody(tx, whom).await?.filter(|(row, _)| !row.email_verified));
    };
    if store::addresses::is_verified_elsewhere(tx.conn(), AccountId(0), key).await? {
        return Ok(None);
    }
    match store::addresses::by_email(tx.conn(), key).await?.into_iter().next() {
        Some(listed) => Ok(active(tx, AccountId(listed.account_id)).await?.map(|row| (row, listed.email))),
        None => somebody(tx, whom).await,
    }
}

/// What a ticket has to remember of where it was mailed to.
fn mailed_to(row: &AccountRow, to: &str) -> Payload {
    let own = row.email.as_deref().map(addresses::key_of);
    Payload { email: Some(to.to_owned()).filter(|to| own != Some(addresses::key_of(to))), session: None }
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

/// Where the link with a ticket leads. On our own pages the secret stands behind the `#`, which browsers send to no server.
fn link(hallpass: &Hallpass, order: &Order, page: &str, account: i64, ticket: &Ticket) -> String {
    let secret = &ticket.secret;
    let given = order.links.as_ref().map_or("", |links| match page {
        "verify" => links.verify.as_str(),
        "reset" => links.reset.as_str(),
        _ => "",
    });
    if given.is_empty() {
        return format!("{}/{page}#token={secret}", hallpass.config().mail.links);
    }
    let (uid, uidb64) = (Uid::Base36.write(AccountId(account)), Uid::Base64.write(AccountId(account)));
    let values = [("{key}", secret), ("{token}", secret), ("{uid}", &uid), ("{uidb64}", &uidb64)];
    values.iter().fold(given.to_owned(), |link, (place, value)| link.replace(place, value))
}

impl Draft {
    /// The same with a link and what else the ticket has.
    fn with(mut self, link: String, purpose: Purpose, ticket: Ticket) -> Self {
        self.values.link = Some(link);
        self.values.code = ticket.code;
        self.values.valid_minutes = Some(purpose.lifetime() / 60);
        self
    }
}
