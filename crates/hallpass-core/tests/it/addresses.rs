//! Several addresses for one account, and one account for each address.

use futures_util::future::join_all;
use hallpass_core::{
    AccountId, Code, Result,
    accounts::{self, Account, NewAccount},
    addresses::{self, Address},
    config::{NameRules, Verification},
    deletion, email, export, login, on_both_engines, recovery,
    sessions::Remember,
    testing::TestDb,
};

use crate::{
    stored::{execute, rows},
    support::{House, OTHER_PASSWORD, PASSWORD, code, person_at, token},
};

const ADA: &str = "ada@example.com";
const SECOND: &str = "second@example.com";

async fn house(database: TestDb) -> House {
    House::with(database, |config| config.accounts.names = NameRules::Django).await
}

/// Somebody who signs up with a list of addresses.
async fn sign_up(house: &House, username: &str, email: &str) -> Account {
    let new = NewAccount { list_address: true, ..person_at(username, email) };
    login::sign_up(&house.hallpass, &house.ctx(), new, Remember::No).await.unwrap().unwrap().account
}

/// The secret in the mail that went out last.
async fn last_secret(house: &House, page: &str) -> String {
    token(house.mails().await.last().unwrap(), page)
}

async fn confirm(house: &House, secret: &str) -> Result<()> {
    email::verify(&house.hallpass, &house.ctx(), secret).await
}

/// Gives an account one more address.
async fn add(house: &House, account: AccountId, email: &str, verified: bool) {
    let row = format!("({account}, '{email}', '{email}', {verified})");
    execute(
        &house.database.db,
        &format!("insert into addresses (account_id, email, email_key, verified) values {row}"),
    )
    .await;
}

async fn list(house: &House, account: AccountId) -> Vec<(String, bool)> {
    let list = addresses::of_account(&house.hallpass, account).await.unwrap();
    list.into_iter().map(|Address { email, verified }| (email, verified)).collect()
}

async fn whose(house: &House, email: &str) -> Option<AccountId> {
    addresses::account_of(&house.hallpass, email).await.unwrap().map(|account| account.id)
}

on_both_engines! {
    async fn of_all_who_give_an_address_whoever_receives_its_mail_has_it(database) {
        let house = house(database).await;
        let eve = sign_up(&house, "eve", ADA).await;
        let of_eve = last_secret(&house, "verify").await;
        let ada = sign_up(&house, "ada", "Ada@Example.com").await;
        assert_eq!(whose(&house, ADA).await, Some(eve.id), "she was first, and nobody has verified it");
        let of_ada = last_secret(&house, "verify").await;
        assert_ne!(of_ada, of_eve);

        confirm(&house, &of_ada).await.unwrap();
        assert_eq!(whose(&house, ADA).await, Some(ada.id));
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().email_verified);
        assert_eq!(list(&house, ada.id).await, [(ADA.to_owned(), true)]);
        assert_eq!(code(confirm(&house, &of_eve).await), Code::LinkInvalid);
        assert!(!accounts::get(&house.hallpass, eve.id).await.unwrap().email_verified);
        assert_eq!(list(&house, eve.id).await, [(ADA.to_owned(), false)]);

        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = last_secret(&house, "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, OTHER_PASSWORD.to_owned().into()).await.unwrap();
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
        house.try_sign_in("eve", PASSWORD).await.unwrap();
    }

    async fn of_many_who_confirm_an_address_at_once_one_gets_it(database) {
        let house = house(database).await;
        let mut secrets = Vec::new();
        for username in ["ada", "bob", "eve", "kim"] {
            sign_up(&house, username, ADA).await;
            secrets.push(last_secret(&house, "verify").await);
        }
        let done = join_all(secrets.iter().map(|secret| confirm(&house, secret))).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert_eq!(rows(&house.database.db, "addresses where verified").await, 1);
        assert_eq!(rows(&house.database.db, "accounts where email_verified").await, 1);
    }

    async fn whoever_signs_up_with_an_address_that_is_verified_gets_no_link_and_its_owner_is_told(database) {
        let house = house(database).await;
        let ada = sign_up(&house, "ada", ADA).await;
        confirm(&house, &last_secret(&house, "verify").await).await.unwrap();
        add(&house, ada.id, SECOND, true).await;
        for (username, email) in [("eve", ADA), ("mallory", SECOND)] {
            let before = house.mails().await.len();
            sign_up(&house, username, email).await;
            let mails = house.mails().await;
            assert_eq!((mails.len() - before, mails.last().unwrap().to.as_str()), (1, email));
            let text = &mails.last().unwrap().written.text;
            assert!(text.contains("You already have one with it") && !text.contains("/verify#"), "{text}");
            assert_eq!(whose(&house, email).await, Some(ada.id));
        }
    }

    async fn a_further_address_gets_no_reset_before_it_is_verified(database) {
        let house = house(database).await;
        let ada = house.create_at("ada", ADA).await;
        add(&house, ada.id, SECOND, false).await;
        recovery::request(&house.hallpass, &house.ctx(), SECOND).await.unwrap();
        assert!(house.mails().await.is_empty(), "whoever has that address would get the account");
        email::request_verification(&house.hallpass, &house.ctx(), SECOND).await.unwrap();
        let secret = house.mailed(SECOND, "verify").await;
        confirm(&house, &secret).await.unwrap();
        assert_eq!(list(&house, ada.id).await, [(SECOND.to_owned(), true)]);

        email::request_verification(&house.hallpass, &house.ctx(), SECOND).await.unwrap();
        assert_eq!(house.mails().await.len(), 1, "there is nothing left to verify");
        recovery::request(&house.hallpass, &house.ctx(), SECOND).await.unwrap();
        let secret = house.mailed(SECOND, "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, OTHER_PASSWORD.to_owned().into()).await.unwrap();
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
    }

    async fn a_reset_at_a_further_address_says_nothing_of_the_accounts_own(database) {
        let house = house(database).await;
        let ada = sign_up(&house, "ada", ADA).await;
        add(&house, ada.id, SECOND, true).await;
        recovery::request(&house.hallpass, &house.ctx(), SECOND).await.unwrap();
        let secret = house.mailed(SECOND, "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, OTHER_PASSWORD.to_owned().into()).await.unwrap();
        assert!(!accounts::get(&house.hallpass, ada.id).await.unwrap().email_verified);
        assert_eq!(list(&house, ada.id).await, [(ADA.to_owned(), false), (SECOND.to_owned(), true)]);
    }

    async fn a_new_address_takes_the_old_ones_place_and_nobody_elses(database) {
        let house = house(database).await;
        let ada = sign_up(&house, "ada", ADA).await;
        confirm(&house, &last_secret(&house, "verify").await).await.unwrap();
        let bob = house.create_at("bob", "bob@example.com").await;
        let ask = async |whom: &str, id: AccountId, email: &str| {
            let session = house.sign_in(whom).await.session;
            let password = PASSWORD.to_owned().into();
            email::request_change(&house.hallpass, &house.ctx(), id, session, password, email, None).await.unwrap();
        };
        ask("ada", ada.id, SECOND).await;
        let secret = house.mailed(SECOND, "change-email").await;
        email::change(&house.hallpass, &house.ctx(), &secret).await.unwrap();
        assert_eq!(list(&house, ada.id).await, [(SECOND.to_owned(), true)]);
        assert_eq!((whose(&house, ADA).await, whose(&house, SECOND).await), (None, Some(ada.id)));

        add(&house, ada.id, "third@example.com", true).await;
        ask("bob", bob.id, "third@example.com").await;
        let told = house.mails().await.pop().unwrap();
        assert!(told.written.text.contains("You already have one with it"), "{}", told.written.text);
        ask("bob", bob.id, "fourth@example.com").await;
        let secret = house.mailed("fourth@example.com", "change-email").await;
        add(&house, ada.id, "fourth@example.com", true).await;
        assert_eq!(code(email::change(&house.hallpass, &house.ctx(), &secret).await), Code::EmailTaken);
    }

    async fn the_list_is_in_the_export_and_goes_with_the_account(database) {
        let settings = |config: &mut hallpass_core::Config| {
            config.accounts.names = NameRules::Django;
            config.accounts.deletion_grace_days = 0;
        };
        let house = House::with(database, settings).await;
        let ada = sign_up(&house, "ada", ADA).await;
        add(&house, ada.id, SECOND, false).await;
        let bob = sign_up(&house, "bob", "bob@example.com").await;
        let exported = export::of_account(&house.hallpass, ada.id).await.unwrap().addresses;
        let exported: Vec<&str> = exported.iter().map(|address| address.email.as_str()).collect();
        assert_eq!(exported, [ADA, SECOND]);
        let session = house.sign_in("ada").await.session;
        let password = PASSWORD.to_owned().into();
        deletion::schedule(&house.hallpass, &house.ctx(), ada.id, session, password, None).await.unwrap();
        assert_eq!(list(&house, ada.id).await, []);
        assert_eq!(list(&house, bob.id).await.len(), 1);
    }

    async fn nobody_signs_in_before_the_address_was_verified_where_that_is_asked_for(database) {
        let settings = |config: &mut hallpass_core::Config| {
            config.accounts.names = NameRules::Django;
            config.accounts.email = hallpass_core::config::Presence::Required;
            config.accounts.verify_email = Verification::Required;
        };
        let house = House::with(database, settings).await;
        for username in ["ada", "eve"] {
            let new = NewAccount { list_address: true, ..person_at(username, ADA) };
            assert!(login::sign_up(&house.hallpass, &house.ctx(), new, Remember::No).await.unwrap().is_none());
            let secret = last_secret(&house, if username == "ada" { "verify" } else { "reset" }).await;
            assert_eq!(code(house.try_sign_in(username, PASSWORD).await), Code::EmailNotVerified);
            if username == "ada" {
                confirm(&house, &secret).await.unwrap();
                house.sign_in("ada").await;
            }
        }
    }
}
