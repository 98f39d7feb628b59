//! Tokens by which Django lets somebody set a new password (`django.contrib.auth.tokens.PasswordResetTokenGenerator`).
//!
//! A token is a MAC over the account's password, address and last sign-in: it is good until one of them changes, and so
//! works once.

use std::collections::BTreeSet;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hallpass_token::AccountId;
use jiff::{Timestamp, tz::TimeZone};
use secrecy::SecretString;

use super::{Uid, signing};
use crate::{
    Ctx, Error, Hallpass, Result,
    accounts::{self, Account},
    recovery,
    store::{self, accounts::AccountRow, addresses::AddressRow},
    tickets::{self, Purpose},
};

/// Seconds for which a token is good (`PASSWORD_RESET_TIMEOUT`).
const LIFETIME: i64 = 259_200;
/// 2001-01-01, from where Django counts, in seconds since 1970.
const EPOCH: i64 = 978_307_200;
const SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";

/// The project that signs them.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// Its `SECRET_KEY`.
    pub secret_key: &'a SecretString,
    /// Whether `allauth` makes them, over all addresses of the account.
    pub allauth: bool,
}

/// The account that `uid` names and `token` is good for, without using it up. The token is Django's, or the secret of a
/// ticket that we have mailed in the place of one.
///
/// # Errors
/// [`crate::Code::NotFound`] without such an account, [`crate::Code::LinkInvalid`], [`crate::Code::Unavailable`].
pub async fn look(hallpass: &Hallpass, ctx: &Ctx, project: Project<'_>, uid: &str, token: &str) -> Result<Account> {
    let id = project.uid().read(uid).ok_or_else(accounts::no_such_account)?;
    let mut reader = hallpass.0.db.read().await?;
    let row = store::accounts::by_id(reader.conn(), id).await?.ok_or_else(accounts::no_such_account)?;
    if tickets::is_one(token) {
        drop(reader);
        let named = tickets::look(hallpass, token, Purpose::ResetPassword, ctx.now).await?;
        return if named.id == id.0 { named.try_into() } else { Err(tickets::invalid()) };
    }
    let listed = store::addresses::of_account(reader.conn(), id).await?;
    if project.has_signed(token, &row, &listed, ctx.now)? { row.try_into() } else { Err(tickets::invalid()) }
}

/// Sets the password of that account, and ends all its sessions. It replaces none but the password that the token is over:
/// of many who use a token at once, one does.
///
/// # Errors
/// Those of [`look`]; [`crate::Code::ValidationFailed`] for a password that the rules refuse, which does not use the token
/// up; [`crate::Code::Busy`].
pub async fn reset(
    hallpass: &Hallpass,
    ctx: &Ctx,
    project: Project<'_>,
    uid: &str,
    token: &str,
    new: SecretString,
) -> Result<()> {
    let account = look(hallpass, ctx, project, uid, token).await?;
    if tickets::is_one(token) {
        return recovery::reset(hallpass, ctx, token, new).await;
    }
    let hash = accounts::new_password(hallpass, &account, "new_password", new).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let row = store::accounts::hold(tx.conn(), account.id).await?.ok_or_else(accounts::no_such_account)?;
    let listed = store::addresses::of_account(tx.conn(), account.id).await?;
    let checked = row.password.as_deref().unwrap_or_default();
    if !project.has_signed(token, &row, &listed, ctx.now)?
        || !store::accounts::replace_password(tx.conn(), account.id, checked, &hash).await?
    {
        return Err(tickets::invalid());
    }
    recovery::end(hallpass, ctx, tx, account.id).await
}

impl Project<'_> {
    fn uid(&self) -> Uid {
        if self.allauth { Uid::Base36 } else { Uid::Base64 }
    }

    /// Whether the token is good for the account as it is.
    fn has_signed(&self, token: &str, account: &AccountRow, listed: &[AddressRow], now: i64) -> Result<bool> {
        let Some(time) = token.split_once('-').and_then(|(time, _)| signing::read_number(time, 36)) else {
            return Ok(false);
        };
        let expected = self.token(account, listed, time)?;
        // Django counts in the time zone of its server: one of the future was made east of here.
        let good = account.is_active && now - EPOCH - time <= LIFETIME;
        Ok(good && verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).is_ok())
    }

    fn token(&self, account: &AccountRow, listed: &[AddressRow], time: i64) -> Result<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (password, email) = (text(&account.password), text(&account.email));
        let last_login = account.last_login.map(written).transpose()?.unwrap_or_default();
        let mut state = format!("{}{password}{last_login}{time}{email}", AccountId(account.id));
        if self.allauth {
            let own = Some(email.as_str()).filter(|email| !email.is_empty());
            let all: BTreeSet<&str> = own.into_iter().chain(listed.iter().map(|row| row.email.as_str())).collect();
            state.push_str(&all.into_iter().collect::<Vec<_>>().join("|"));
        }
        let tag = signing::salted_hmac(SALT, &state, self.secret_key);
        // Every second hexadecimal digit.
        let half: String = tag.as_ref().iter().map(|byte| format!("{:x}", byte >> 4)).collect();
        Ok(format!("{}-{half}", signing::write_number(time.unsigned_abs(), 36)))
    }
}

/// A time as Python writes it.
fn written(seconds: i64) -> Result<String> {
    let time = Timestamp::from_second(seconds).map_err(Error::internal)?;
    Ok(time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    // What Django 5.2 made for this account at this moment.
    const NOW: i64 = 1_790_000_000;
    const PLAIN: &str = "df9e68-83b63062fe84b5312c78b7a255536c58";
    const PLAIN_AFTER_A_SIGN_IN: &str = "df9e68-f41352710a7aa41223061f2ee8795bac";
    const OVER_ALL_ADDRESSES: &str = "df9e68-0c38675eaa9beac3de9a67ecb81f6c90";

    fn ada() -> AccountRow {
        AccountRow {
            id: 1_234_567,
            username: Some("ada".into()),
            email: Some("Ada@example.com".into()),
            email_verified: false,
            first_name: String::new(),
            last_name: String::new(),
            password: Some("pbkdf2_sha256$1000$salt$hash=".into()),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            roles: "[]".into(),
            profile: "{}".into(),
            version: 1,
            date_joined: 0,
            last_login: None,
            locale: None,
            delete_at: None,
        }
    }

    fn listed() -> Vec<AddressRow> {
        let row = |email: &str| AddressRow {
            account_id: 1_234_567,
            email: email.into(),
            email_key: email.into(),
            verified: false,
        };
        vec![row("second@example.com"), row("ada@example.com")]
    }

    fn is_good(allauth: bool, token: &str, account: &AccountRow, listed: &[AddressRow], now: i64) -> bool {
        let secret_key = &SecretString::from("a secret key of a Django project, long enough for it");
        Project { secret_key, allauth }.has_signed(token, account, listed, now).unwrap()
    }

    #[test]
    fn what_django_made_is_good_for_three_days() {
        for (allauth, token) in [(false, PLAIN), (true, OVER_ALL_ADDRESSES)] {
            assert!(is_good(allauth, token, &ada(), &listed(), NOW));
            assert!(is_good(allauth, token, &ada(), &listed(), NOW + LIFETIME));
            assert!(!is_good(allauth, token, &ada(), &listed(), NOW + LIFETIME + 1));
            assert!(!is_good(!allauth, token, &ada(), &listed(), NOW));
        }
        let signed_in = AccountRow { last_login: Some(1_789_866_123), ..ada() };
        assert!(is_good(false, PLAIN_AFTER_A_SIGN_IN, &signed_in, &[], NOW));
    }

    #[test]
    fn it_is_good_until_the_account_changes() {
        let changed = [
            AccountRow { id: 1_234_568, ..ada() },
            AccountRow { password: Some("pbkdf2_sha256$1000$salt$another=".into()), ..ada() },
            AccountRow { last_login: Some(NOW), ..ada() },
            AccountRow { email: Some("ada@example.com".into()), ..ada() },
            AccountRow { is_active: false, ..ada() },
        ];
        for account in changed {
            assert!(!is_good(false, PLAIN, &account, &[], NOW), "{account:?}");
            assert!(!is_good(true, OVER_ALL_ADDRESSES, &account, &listed(), NOW), "{account:?}");
        }
        assert!(!is_good(true, OVER_ALL_ADDRESSES, &ada(), &listed()[..1], NOW));
    }

    #[test]
    fn nothing_else_is_good() {
        for (from, to) in
            [("df9e68", "df9e69"), ("df9e68", "0df9e68"), ("df9e68", "DF9E68"), ("6c58", "6c5"), ("-83", "83")]
        {
            assert!(!is_good(false, &PLAIN.replacen(from, to, 1), &ada(), &[], NOW), "{to}");
        }
        for other in ["", "-", "abc", "df9e68-", "hpt_-"] {
            assert!(!is_good(false, other, &ada(), &[], NOW), "{other}");
        }
    }
}
