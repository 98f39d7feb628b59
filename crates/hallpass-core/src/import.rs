//! Copying the users of a Django project into a database of our own, with their passwords, groups and addresses.
//!
//! What was copied is left as it is, so that a copy that was interrupted goes on when it is started again. Nothing is
//! written where the users come from.

use hallpass_token::AccountId;

use crate::{
    Db, Result,
    adopt::{self, refused},
    names::{self, Email},
    store::{self, Tx, accounts::AccountRow, accounts::UniqueNames, addresses::AddressRow},
};

/// Users that are copied in one transaction.
const AT_ONCE: i64 = 500;

/// How far it has come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Of how many users.
    pub all: u64,
    /// How many were copied.
    pub copied: u64,
    /// How many were there already.
    pub there: u64,
    /// What could not be copied as it is, a sentence each.
    pub remarks: Vec<String>,
}

impl Progress {
    /// How many users were looked at.
    pub fn done(&self) -> u64 {
        self.copied + self.there
    }
}

/// Copies users from `source` into `target`; `tell` hears of every part.
///
/// Ids stay as they are where they are whole numbers; otherwise new ones are given, and a user is there already if the
/// name is.
///
/// # Errors
/// [`Code::ValidationFailed`] with the reason for which nothing can be copied; [`Code::Unavailable`]: what was told of
/// is kept, and the next attempt goes on behind it.
pub async fn django(target: &Db, source: &Db, user_table: &str, tell: impl Fn(&Progress)) -> Result<Progress> {
    if adopt::adopted(target).await?.is_some() {
        return Err(refused("This database was adopted: its users are accounts already"));
    }
    let (users, columns) = adopt::look(source, user_table).await?;
    let whole = columns.iter().all(|column| !column.is_key || adopt::is_whole(column));
    let all = u64::try_from(source.count(user_table).await?).unwrap_or_default();
    let mut progress = Progress { all, ..Progress::default() };
    let mut after = i64::MIN;
    loop {
        let rows = source.users_as_accounts(&users, whole, after, AT_ONCE).await?;
        let Some(last) = rows.last().map(|row| row.id) else { break };
        let listed = if whole && users.addresses { source.users_addresses(after, last).await? } else { Vec::new() };
        let mut tx = target.begin().await?;
        for row in rows {
            let id = row.id;
            let addresses = listed.iter().filter(|address| address.account_id == id);
            copy(&mut tx, row, whole, addresses, &mut progress).await?;
        }
        tx.commit().await?;
        after = last;
        tell(&progress);
    }
    target.count_on().await?;
    Ok(progress)
}

async fn copy(
    tx: &mut Tx,
    mut row: AccountRow,
    whole: bool,
    listed: impl Iterator<Item = &AddressRow>,
    progress: &mut Progress,
) -> Result<()> {
    let id = AccountId(row.id);
    let shown = row.username.clone().or_else(|| row.email.clone()).unwrap_or_default();
    let username_key = row.username.as_deref().map(names::username_key);
    let same_name = match &row.username {
        Some(name) => store::accounts::by_username(tx.conn(), name).await?,
        None => None,
    };
    let same_id = if whole { store::accounts::by_id(tx.conn(), id).await? } else { None };
    match (same_id, same_name) {
        (Some(there), _) if is_same(&there, &row) => {
            progress.there += 1;
            return Ok(());
        }
        (Some(_), _) => {
            return Err(refused(format!(
                "The id {} of `{shown}` belongs to another account here: copy into a database without accounts",
                row.id
            )));
        }
        (None, Some(there)) if !whole && there.username == row.username => {
            progress.there += 1;
            return Ok(());
        }
        (None, Some(there)) => {
            return Err(refused(format!(
                "`{shown}` and `{}` are the same name here: rename one of them in Django, then start again",
                there.username.unwrap_or_default()
            )));
        }
        (None, None) => {}
    }
    // An address that somebody else has, or to which no mail can be sent, is kept and stands for nobody.
    let mut email_key = None;
    if let Some(email) = row.email.clone() {
        match Email::parse(&email) {
            Err(_) => progress.remarks.push(format!("{shown}: no mail can be sent to the address `{email}`")),
            Ok(parsed) => match store::accounts::by_email(tx.conn(), parsed.key()).await? {
                Some(other) if !whole && row.username.is_none() && other.username.is_none() => {
                    progress.there += 1;
                    return Ok(());
                }
                Some(_) => progress.remarks.push(format!("{shown}: another account has the address `{email}`")),
                None => email_key = Some(parsed.key().to_owned()),
            },
        }
    }
    row.email_verified = row.email_verified && email_key.is_some();
    if row.username.is_none() && email_key.is_none() {
        return Err(refused(format!("`{shown}` would have no name here: give the user another address in Django")));
    }
    let names = UniqueNames { username_key: username_key.as_deref(), email_key: email_key.as_deref() };
    if whole {
        store::accounts::insert_as_it_is(tx.conn(), &row, names).await?;
    } else {
        store::accounts::insert(tx.conn(), &row, names).await?;
    }
    for address in listed {
        store::addresses::insert(tx.conn(), id, &address.email_key, &address.email_key).await?;
        if address.verified {
            store::addresses::set_verified(tx.conn(), id, &address.email_key).await?;
        }
    }
    progress.copied += 1;
    Ok(())
}

/// Whether an account with the id of a user is that user.
fn is_same(there: &AccountRow, user: &AccountRow) -> bool {
    match (&there.username, &user.username) {
        (None, None) => there.email.as_deref().map(str::to_lowercase) == user.email.as_deref().map(str::to_lowercase),
        (ours, theirs) => ours == theirs,
    }
}
