//! What a Django project mails: keys that show an address, and tokens that reset a password. Those that it has sent keep
//! working here, under the same `SECRET_KEY`; our own mails have tickets in their place.
//!
//! Whoever knows that key makes both for any account. None is made here.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use hallpass_token::AccountId;
use secrecy::SecretString;

use crate::{Ctx, Hallpass, Result, addresses, adopt, store, tickets};

pub mod reset_tokens;
mod signing;

/// Seconds for which a key that shows an address is good (`ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS`).
const KEY_LIFETIME: i64 = 3 * 86_400;

/// How a project writes the id of an account into a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uid {
    /// `allauth`: as a number to the base 36.
    Base36,
    /// Django itself: the decimal digits in Base64 (RFC 4648 section 5).
    Base64,
}

impl Uid {
    /// The id in this form.
    pub fn write(self, id: AccountId) -> String {
        match self {
            Self::Base36 => signing::write_number(id.0.unsigned_abs(), 36),
            Self::Base64 => URL_SAFE_NO_PAD.encode(id.to_string()),
        }
    }

    /// The id that `text` has in this form.
    pub fn read(self, text: &str) -> Option<AccountId> {
        match self {
            Self::Base36 => signing::read_number(&text.to_ascii_lowercase(), 36).map(AccountId),
            Self::Base64 => {
                let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
                let bytes = GeneralPurpose::new(&alphabet::URL_SAFE, config).decode(text).ok()?;
                let digits = String::from_utf8(bytes).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
                digits.parse().ok()
            }
        }
    }
}

/// Notes that the owner of an account receives mail at one of its addresses, as what was mailed there shows: the secret of
/// a ticket, or a key that the Django project signed (`django.core.signing.dumps(id, salt="account")`) before an address
/// of this id was verified.
///
/// # Errors
/// [`crate::Code::LinkInvalid`], [`crate::Code::Unavailable`].
pub async fn verify_email(hallpass: &Hallpass, ctx: &Ctx, secret_key: &SecretString, key: &str) -> Result<()> {
    if tickets::is_one(key) {
        return crate::email::verify(hallpass, ctx, key).await;
    }
    // Such a key has the id of a row of Django's, which says nothing of addresses that were numbered here.
    if adopt::adopted(&hallpass.0.db).await?.is_none() {
        return Err(tickets::invalid());
    }
    let signed = signing::loads(key, "account", secret_key, KEY_LIFETIME, ctx.now);
    let id = signed.and_then(|value| value.as_i64()).ok_or_else(tickets::invalid)?;
    let mut tx = hallpass.0.db.begin().await?;
    let address = store::addresses::by_id(tx.conn(), id).await?;
    let address = address.filter(|address| !address.verified).ok_or_else(tickets::invalid)?;
    let account = store::accounts::hold(tx.conn(), AccountId(address.account_id)).await?;
    let account = account.filter(|account| account.is_active).ok_or_else(tickets::invalid)?;
    addresses::confirm(hallpass, ctx, tx, &account, Some(&address.email)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_its_own_form_only() {
        for (id, base36, base64) in [(5, "5", "NQ"), (36, "10", "MzY"), (1_234_567, "qglj", "MTIzNDU2Nw")] {
            let id = AccountId(id);
            assert_eq!((Uid::Base36.write(id), Uid::Base64.write(id)), (base36.to_owned(), base64.to_owned()));
            assert_eq!((Uid::Base36.read(base36), Uid::Base64.read(base64)), (Some(id), Some(id)));
            assert_ne!(Uid::Base36.read(base64), Some(id));
            assert_ne!(Uid::Base64.read(base36), Some(id));
        }
        assert_eq!(Uid::Base36.read("000QGLJ"), Some(AccountId(1_234_567)));
        assert_eq!(Uid::Base64.read("NQ=="), Some(AccountId(5)));
        for wrong in ["", "!!", "-5", "+5", "5 ", "zzzzzzzzzzzzz", "zzzzzzzzzzzzzzzzzzzz", "٥"] {
            assert_eq!(Uid::Base36.read(wrong), None, "{wrong}");
        }
        for wrong in ["", "!!", "_w", "LTU", "5"] {
            assert_eq!(Uid::Base64.read(wrong), None, "{wrong}");
        }
    }
}
