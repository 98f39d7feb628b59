//! Secrets that are mailed and work once: whoever shows one receives mail at the account's address.
//!
//! Only a hash is kept. A ticket is good for one purpose, until it is over, is used or a newer one is made, and only as
//! long as the account has the address and the password that it had then. It never signs anybody in by itself.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_token::{AccountId, SessionId};
use serde::{Deserialize, Serialize};

use crate::{
    Code, Error, Hallpass, Result, secret,
    store::{self, Tx, accounts::AccountRow, tickets::TicketRow},
};

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    VerifyEmail,
    ResetPassword,
    ChangeEmail,
    SignIn,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::VerifyEmail => "verify_email",
            Purpose::ResetPassword => "reset_password",
            Purpose::ChangeEmail => "change_email",
            Purpose::SignIn => "sign_in",
        }
    }

    /// Seconds for which a ticket is good.
    pub(crate) fn lifetime(self) -> i64 {
        match self {
            Purpose::VerifyEmail | Purpose::ChangeEmail => 86_400,
            Purpose::ResetPassword => 1800,
            Purpose::SignIn => 600,
        }
    }
}

/// What a ticket carries out, beyond its purpose.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// The address that the account is to have, or to which the ticket was mailed, if that is not the account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The session that asked for it, and survives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<SessionId>,
}

/// What is mailed.
pub(crate) struct Ticket {
    /// For the link.
    pub(crate) secret: String,
    /// To be typed in the place of the secret, together with the address.
    pub(crate) code: Option<String>,
}

/// What every secret begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "hpt_";
/// Bytes of randomness in a secret.
const LENGTH: usize = 32;
/// How often a code may be tried.
const TRIES: i64 = 5;
/// The digits of Crockford's Base 32, in which no two are taken for each other.
const CODE_DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a code: 40 bits, of which somebody who guesses sees five tries.
const CODE_LENGTH: usize = 8;

/// Whether it can be the secret of a ticket.
pub(crate) fn is_one(presented: &str) -> bool {
    presented.starts_with(PREFIX)
}

/// Makes a ticket for an account; an older one for the same purpose is worth nothing from now on.
pub(crate) async fn issue(
    hallpass: &Hallpass,
    tx: &mut Tx,
    account: &AccountRow,
    purpose: Purpose,
    payload: &Payload,
    now: i64,
) -> Result<Ticket> {
    let secret = format!("{PREFIX}{}", BASE64URL.encode(secret::random::<LENGTH>()?));
    let code = if purpose == Purpose::SignIn { Some(new_code()?) } else { None };
    let row = TicketRow {
        hash: hash(&secret),
        purpose: purpose.as_str().to_owned(),
        account_id: account.id,
        bound_to: state(account),
        payload: serde_json::to_string(payload).map_err(Error::internal)?,
        code: code.as_deref().map(|code| code_mac(hallpass, account.id, code)),
        tries_left: if code.is_some() { TRIES } else { 0 },
        created_at: now,
        expires_at: now + purpose.lifetime(),
    };
    store::tickets::put(tx.conn(), &row).await?;
    let legible = |code: String| code.split_at_checked(CODE_LENGTH / 2).map(|(first, last)| format!("{first}-{last}"));
    Ok(Ticket { secret, code: code.and_then(legible) })
}

/// The account that a secret is good for, without using it up: for what has to be checked before.
///
/// # Errors
/// [`Code::LinkInvalid`], [`Code::Unavailable`].
pub(crate) async fn look(hallpass: &Hallpass, presented: &str, purpose: Purpose, now: i64) -> Result<AccountRow> {
    let mut reader = hallpass.0.db.read().await?;
    let row = store::tickets::get(reader.conn(), &hash(presented), purpose.as_str(), now).await?;
    let row = row.ok_or_else(invalid)?;
    let account = store::accounts::by_id(reader.conn(), AccountId(row.account_id)).await?;
    account.filter(|account| fits(&row, account)).ok_or_else(invalid)
}

/// Uses a secret up, and holds the account as it is until the transaction ends.
///
/// # Errors
/// [`Code::LinkInvalid`], [`Code::Unavailable`].
pub(crate) async fn redeem(tx: &mut Tx, presented: &str, purpose: Purpose, now: i64) -> Result<(AccountRow, Payload)> {
    let row = store::tickets::redeem(tx.conn(), &hash(presented), purpose.as_str(), now).await?;
    take(tx, row.ok_or_else(invalid)?).await
}

/// Uses a ticket up by its code. A wrong code takes one of the tries, for which the transaction has to be committed:
/// then there is `None`.
///
/// # Errors
/// [`Code::LinkInvalid`] if there is nothing to try; [`Code::Unavailable`].
pub(crate) async fn redeem_code(
    hallpass: &Hallpass,
    tx: &mut Tx,
    account: AccountId,
    typed: &str,
    purpose: Purpose,
    now: i64,
) -> Result<Option<(AccountRow, Payload)>> {
    let row = store::tickets::try_code(tx.conn(), account, purpose.as_str(), now).await?.ok_or_else(invalid)?;
    let typed = typed.to_uppercase().replace([' ', '-'], "").replace('O', "0").replace(['I', 'L'], "1");
    // A MAC under a key that nobody knows: comparing it tells nothing by its time.
    if row.code.as_deref() != Some(code_mac(hallpass, account.0, &typed).as_str()) {
        return Ok(None);
    }
    let row = store::tickets::redeem(tx.conn(), &row.hash, purpose.as_str(), now).await?;
    take(tx, row.ok_or_else(invalid)?).await.map(Some)
}

/// Nothing tells whether a secret was ever good.
pub(crate) fn invalid() -> Error {
    let detail = "This link or code was used, is too old, or was replaced by a newer one: ask for another mail";
    Error::new(Code::LinkInvalid, detail)
}

async fn take(tx: &mut Tx, row: TicketRow) -> Result<(AccountRow, Payload)> {
    let account = store::accounts::hold(tx.conn(), AccountId(row.account_id)).await?;
    let account = account.filter(|account| fits(&row, account)).ok_or_else(invalid)?;
    Ok((account, serde_json::from_str(&row.payload).map_err(Error::internal)?))
}

fn fits(row: &TicketRow, account: &AccountRow) -> bool {
    account.is_active && row.bound_to == state(account)
}

/// A digest of what has to be the same when the ticket is used.
fn state(account: &AccountRow) -> String {
    let state = serde_json::json!([account.id, account.email, account.password]);
    BASE64URL.encode(digest(&SHA256, state.to_string().as_bytes()))
}

fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

fn code_mac(hallpass: &Hallpass, account: i64, code: &str) -> String {
    let message = [account.to_be_bytes().as_slice(), code.as_bytes()].concat();
    BASE64URL.encode(hallpass.0.secrets.codes.mac(&message))
}

fn new_code() -> Result<String> {
    let digit = |byte: u8| CODE_DIGITS.get(usize::from(byte % 32)).copied().map(char::from);
    Ok(secret::random::<CODE_LENGTH>()?.into_iter().filter_map(digit).collect())
}
