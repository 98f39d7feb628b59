//! Accounts as Django and its packages look at them.

use hallpass_token::AccountId;
use md5::{Digest, Md5};

use super::Account;
use crate::{
    Hallpass, Result,
    store::{self, Reader, accounts::AccountRow},
};

/// The account with exactly this user name, in the same letters.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn named(hallpass: &Hallpass, username: &str) -> Result<Option<Account>> {
    row_named(&mut hallpass.0.db.read().await?, username).await?.map(TryInto::try_into).transpose()
}

/// The account with this user name, whatever the case of its letters.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn named_in_any_case(hallpass: &Hallpass, username: &str) -> Result<Option<Account>> {
    store::accounts::by_username(hallpass.0.db.read().await?.conn(), username).await?.map(TryInto::try_into).transpose()
}

/// What SimpleJWT writes into tokens to tell one password from the next: the MD5 of the stored hash in hexadecimal.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn password_mark(hallpass: &Hallpass, id: AccountId) -> Result<Option<String>> {
    let row = store::accounts::by_id(hallpass.0.db.read().await?.conn(), id).await?;
    let mark =
        |row: AccountRow| Md5::digest(row.password.unwrap_or_default()).iter().map(|b| format!("{b:02X}")).collect();
    Ok(row.map(mark))
}

pub(crate) async fn row_named(reader: &mut Reader, username: &str) -> sqlx::Result<Option<AccountRow>> {
    let row = store::accounts::by_username(reader.conn(), username).await?;
    Ok(row.filter(|row| row.username.as_deref() == Some(username)))
}
