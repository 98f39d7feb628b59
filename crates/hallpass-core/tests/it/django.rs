//! What a Django project has mailed under its `SECRET_KEY`: good here as it was there, once, and for nothing else.

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use hallpass_core::{
    AccountId, Code, Result,
    accounts::{self, Account, NewAccount},
    addresses,
    adopt::{self, Wishes},
    audit,
    config::{NameRules, PasswordEncoding},
    django::{
        self, Uid,
        reset_tokens::{self, Project},
    },
    login, on_both_engines, recovery,
    sessions::Remember,
    testing::{TestDb, make_django_tables},
};
use secrecy::SecretString;

use crate::{
    stored::execute,
    support::{House, OTHER_PASSWORD, PASSWORD, code, person_at},
};

const ADA: &str = "ada@example.com";
const KEY: &str = "a secret key of a Django project, long enough for it";

/// `salted_hmac` of Django.
fn salted_hmac(salt: &str, value: &str) -> Vec<u8> {
    let key = digest::digest(&digest::SHA256, format!("{salt}{KEY}").as_bytes());
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), value.as_bytes()).as_ref().to_vec()
}

fn digits(mut number: i64, base: i64, alphabet: &str) -> String {
    let mut text = String::new();
    while number > 0 {
        text.insert(0, alphabet.chars().nth(usize::try_from(number % base).unwrap()).unwrap());
        number /= base;
    }
    text
}

/// The key for the address of this id, as `allauth` mails it.
fn email_key(id: i64, now: i64) -> String {
    let base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let signed = format!("{}:{}", URL_SAFE_NO_PAD.encode(id.to_string()), digits(now, 62, base62));
    format!("{signed}:{}", URL_SAFE_NO_PAD.encode(salted_hmac("accountsigner", &signed)))
}

/// A token for this account without a last sign-in, as `allauth` mails it.
async fn reset_token(house: &House, account: &Account) -> String {
    let time = house.now() - 978_307_200;
    let hash = stored_password(house, account).await;
    let state = format!("{}{hash}{time}{ADA}{ADA}", account.id);
    let tag = salted_hmac("django.contrib.auth.tokens.PasswordResetTokenGenerator", &state);
    let half: String = tag.iter().map(|byte| format!("{:x}", byte >> 4)).collect();
    format!("{}-{half}", digits(time, 36, "0123456789abcdefghijklmnopqrstuvwxyz"))
}

async fn stored_password(house: &House, account: &Account) -> String {
    let query = sqlx::AssertSqlSafe(format!("select password from accounts where id = {}", account.id));
    match &house.database.db {
        hallpass_core::Db::Sqlite { writer, .. } => sqlx::query_scalar(query).fetch_one(writer).await.unwrap(),
        hallpass_core::Db::Postgres { pool, .. } => sqlx::query_scalar(query).fetch_one(pool).await.unwrap(),
    }
}

/// A house in which Ada signed up, with no sign-in noted, as where Django keeps the accounts.
async fn with_ada(database: TestDb) -> (House, Account) {
    let house = House::with(database, |config| config.accounts.names = NameRules::Django).await;
    let new = NewAccount { list_address: true, ..person_at("ada", ADA) };
    let signed_up = login::sign_up(&house.hallpass, &house.ctx(), new, Remember::No).await.unwrap().unwrap();
    execute(&house.database.db, "update accounts set last_login = null").await;
    (house, signed_up.account)
}

/// The same in the database of the Django project.
async fn with_ada_at_django(database: TestDb) -> (House, Account) {
    make_django_tables(&database.db).await;
    let wishes = Wishes { user_table: "auth_user".into(), defaults: BTreeMap::new() };
    let plan = adopt::plan(&database.db, &wishes).await.unwrap();
    adopt::apply(&database.db, &plan).await.unwrap();
    let house = House::with(database, |config| {
        config.accounts.names = NameRules::Django;
        config.passwords.encoding = PasswordEncoding::Django;
    })
    .await;
    let new = NewAccount { list_address: true, ..person_at("ada", ADA) };
    let signed_up = login::sign_up(&house.hallpass, &house.ctx(), new, Remember::No).await.unwrap().unwrap();
    (house, signed_up.account)
}

async fn verify(house: &House, key: &str) -> Result<()> {
    django::verify_email(&house.hallpass, &house.ctx(), &SecretString::from(KEY), key).await
}

async fn reset(house: &House, account: AccountId, token: &str) -> Result<()> {
    let project = Project { secret_key: &SecretString::from(KEY), allauth: true };
    let (uid, new) = (Uid::Base36.write(account), OTHER_PASSWORD.to_owned().into());
    reset_tokens::reset(&house.hallpass, &house.ctx(), project, &uid, token, new).await
}

on_both_engines! {
    async fn a_key_that_django_mailed_says_nothing_of_addresses_that_were_numbered_here(database) {
        let (house, _) = with_ada(database).await;
        assert_eq!(code(verify(&house, &email_key(1, house.now())).await), Code::LinkInvalid);
    }

    async fn a_key_that_django_mailed_verifies_its_address_once(database) {
        let (house, ada) = with_ada_at_django(database).await;
        let key = email_key(1, house.now());
        for wrong in [email_key(2, house.now()), email_key(1, house.now() - 3 * 86_400 - 1), key.replace(':', ".")] {
            assert_eq!(code(verify(&house, &wrong).await), Code::LinkInvalid);
        }
        assert!(!addresses::is_verified(&house.hallpass, ADA).await.unwrap());
        verify(&house, &key).await.unwrap();
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().email_verified);
        assert!(addresses::is_verified(&house.hallpass, ADA).await.unwrap());
        let page = audit::Cursor { before: None, limit: 1 };
        assert_eq!(audit::of_account(&house.hallpass, ada.id, page).await.unwrap()[0].event, "email_verified");
        assert_eq!(code(verify(&house, &key).await), Code::LinkInvalid);
    }

    async fn what_is_mailed_here_verifies_at_the_same_place(database) {
        let (house, ada) = with_ada(database).await;
        let secret = house.mailed(ADA, "verify").await;
        verify(&house, &secret).await.unwrap();
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().email_verified);
        assert_eq!(code(verify(&house, &secret).await), Code::LinkInvalid);
    }

    async fn of_many_who_use_a_reset_token_at_once_one_does_and_every_session_ends(database) {
        let (house, ada) = with_ada(database).await;
        let token = reset_token(&house, &ada).await;
        let eve = house.sign_in("ada").await;
        assert_eq!(code(reset(&house, ada.id, &token).await), Code::LinkInvalid, "she has signed in since");
        execute(&house.database.db, "update accounts set last_login = null").await;
        let done = join_all((0..8).map(|_| reset(&house, ada.id, &token))).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert!(done.into_iter().filter_map(Result::err).all(|error| error.code == Code::LinkInvalid));
        assert!(house.verify(&eve).is_err());
        assert!(house.live(&ada).await.is_empty());
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
    }

    async fn a_reset_token_is_worth_nothing_after_three_days_or_a_new_password_or_a_deactivation(database) {
        let (house, ada) = with_ada(database).await;
        let token = reset_token(&house, &ada).await;
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, false).await.unwrap();
        assert_eq!(code(reset(&house, ada.id, &token).await), Code::LinkInvalid);
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, true).await.unwrap();
        house.pass(259_201);
        assert_eq!(code(reset(&house, ada.id, &token).await), Code::LinkInvalid);
        let token = reset_token(&house, &ada).await;
        let new = "four green kettles hum".to_owned().into();
        accounts::set_password(&house.hallpass, &house.ctx(), ada.id, new).await.unwrap();
        assert_eq!(code(reset(&house, ada.id, &token).await), Code::LinkInvalid);
    }

    async fn a_password_that_the_rules_refuse_does_not_use_the_token_up(database) {
        let (house, ada) = with_ada(database).await;
        let token = reset_token(&house, &ada).await;
        let (project, uid) = (Project { secret_key: &SecretString::from(KEY), allauth: true }, Uid::Base36.write(ada.id));
        let weak = reset_tokens::reset(&house.hallpass, &house.ctx(), project, &uid, &token, "ada".to_owned().into()).await;
        assert_eq!(code(weak), Code::ValidationFailed);
        reset(&house, ada.id, &token).await.unwrap();
    }

    async fn what_is_mailed_here_resets_at_the_same_place_and_for_no_other_account(database) {
        let (house, ada) = with_ada(database).await;
        let bob = house.create_at("bob", "bob@example.com").await;
        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        assert_eq!(code(reset(&house, bob.id, &secret).await), Code::LinkInvalid);
        house.try_sign_in("bob", PASSWORD).await.unwrap();
        reset(&house, ada.id, &secret).await.unwrap();
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
        assert_eq!(code(reset(&house, ada.id, &secret).await), Code::LinkInvalid);
        assert_eq!(code(reset(&house, AccountId(999_999), &secret).await), Code::NotFound);
    }
}
