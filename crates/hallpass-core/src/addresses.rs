//! The addresses of an account, where it can have several: what Django's `allauth` keeps in `account_emailaddress`.
//!
//! Whoever shows to receive the mail of an address has it, and nobody else can show so afterwards. An account that no
//! dialect has given a list has its own address and no other.

use hallpass_token::AccountId;

use crate::{
    Code, Ctx, Error, Hallpass, Result,
    accounts::Account,
    audit::Event,
    names::Email,
    revocation::Pending,
    store::{self, Tx, accounts::AccountRow, addresses::AddressRow},
    tickets,
};

/// One of an account's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub email: String,
    /// Whether the owner of the account has shown to receive mail there.
    pub verified: bool,
}

/// The list of an account's addresses; empty where no dialect has made one.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn of_account(hallpass: &Hallpass, id: AccountId) -> Result<Vec<Address>> {
    let rows = store::addresses::of_account(hallpass.0.db.read().await?.conn(), id).await?;
    Ok(rows.into_iter().map(|AddressRow { email, verified, .. }| Address { email, verified }).collect())
}

/// The account that an address stands for: of whoever has shown to receive its mail, or whose own address it is, or who
/// took it last.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn account_of(hallpass: &Hallpass, email: &str) -> Result<Option<Account>> {
    let row = store::addresses::account_of(hallpass.0.db.read().await?.conn(), &key_of(email)).await?;
    row.map(TryInto::try_into).transpose()
}

/// Whether somebody has shown to receive the mail of an address, and has an account with it.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn is_verified(hallpass: &Hallpass, email: &str) -> Result<bool> {
    let nobody = AccountId(0);
    Ok(store::addresses::is_verified_elsewhere(hallpass.0.db.read().await?.conn(), nobody, &key_of(email)).await?)
}

/// What all spellings of an address have in common, also of one to which no mail can be sent.
pub(crate) fn key_of(email: &str) -> String {
    Email::parse(email).map_or_else(|_| email.to_lowercase(), |email| email.key().to_owned())
}

/// Puts an account's own address on its list.
pub(crate) async fn list(tx: &mut Tx, account: AccountId, email: &str) -> Result<()> {
    let key = key_of(email);
    Ok(store::addresses::insert(tx.conn(), account, &key, &key).await?)
}

/// Notes that the owner of an account receives mail at one of its addresses; without one, at its own. False if the owner
/// of another account does.
pub(crate) async fn prove(tx: &mut Tx, account: &AccountRow, email: Option<&str>) -> Result<bool> {
    let id = AccountId(account.id);
    let own = account.email.as_deref().map(key_of);
    let Some(key) = email.map(key_of).or_else(|| own.clone()) else { return Ok(false) };
    if store::addresses::is_verified_elsewhere(tx.conn(), id, &key).await? {
        return Ok(false);
    }
    store::addresses::set_verified(tx.conn(), id, &key).await.map_err(|error| {
        if store::is_taken(&error, "addresses") {
            let detail = "The address is being confirmed for another account at this moment: try again";
            return Error::new(Code::Unavailable, detail).retry_after(1);
        }
        error.into()
    })?;
    if own.as_ref() == Some(&key) {
        store::accounts::set_email_verified(tx.conn(), id).await?;
    }
    Ok(true)
}

/// The same for what was mailed to show it: it is recorded.
///
/// # Errors
/// [`Code::LinkInvalid`] if the owner of another account receives mail there; [`Code::Unavailable`].
pub(crate) async fn confirm(
    hallpass: &Hallpass,
    ctx: &Ctx,
    mut tx: Tx,
    account: &AccountRow,
    email: Option<&str>,
) -> Result<()> {
    if !prove(&mut tx, account, email).await? {
        return Err(tickets::invalid());
    }
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::EmailVerified.of(AccountId(account.id))).await?;
    pending.commit(hallpass, tx).await
}

/// Takes the place of an account's old address on its list, if it has one; its owner receives mail there.
pub(crate) async fn replace(tx: &mut Tx, account: AccountId, old: Option<&str>, new: &Email) -> Result<()> {
    exchange(tx, account, old, new).await?;
    Ok(store::addresses::set_verified(tx.conn(), account, new.key()).await?)
}

/// The same for an address of which nobody knows whether its owner receives mail there.
pub(crate) async fn exchange(tx: &mut Tx, account: AccountId, old: Option<&str>, new: &Email) -> Result<()> {
    let listed = store::addresses::of_account(tx.conn(), account).await?;
    if let Some(old) = old {
        store::addresses::remove(tx.conn(), account, &key_of(old)).await?;
    }
    if !listed.is_empty() && !listed.iter().any(|row| row.email_key == new.key()) {
        store::addresses::insert(tx.conn(), account, new.key(), new.key()).await?;
    }
    Ok(())
}
