//! The address of an account: verifying it, and changing it.

use hallpass_core::{
    Code, Hallpass, Result, SessionId,
    accounts::{self, Account},
    config::{Presence, Verification},
    email, login, on_both_engines,
    sessions::{EndCause, Issued, Remember},
};

use crate::support::{House, OTHER_PASSWORD, PASSWORD, code, person_at, token};

const ADA: &str = "ada@example.com";
const NEW: &str = "lovelace@example.org";

async fn required(database: hallpass_core::testing::TestDb) -> House {
    House::with(database, |config| {
        config.accounts.email = Presence::Required;
        config.accounts.verify_email = Verification::Required;
    })
    .await
}

async fn sign_up(house: &House, username: &str, email: &str) -> Result<Option<Issued>> {
    login::sign_up(&house.hallpass, &house.ctx(), person_at(username, email), Remember::No).await
}

async fn ask(house: &House, account: &Account, session: SessionId, password: &str, to: &str) -> Result<()> {
    let password = password.to_owned().into();
    email::request_change(&house.hallpass, &house.ctx(), account.id, session, password, to, None).await
}

async fn stored(hallpass: &Hallpass) -> (Option<String>, bool) {
    let ada = accounts::find(hallpass, "ada").await.unwrap();
    (ada.email, ada.email_verified)
}

on_both_engines! {
    async fn a_link_at_sign_up_verifies_the_address_and_nothing_else_does(database) {
        let house = House::new(database).await;
        sign_up(&house, "ada", ADA).await.unwrap().unwrap();
        assert_eq!(stored(&house.hallpass).await, (Some(ADA.into()), false));
        email::verify(&house.hallpass, &house.ctx(), &house.mailed(ADA, "verify").await).await.unwrap();
        assert_eq!(stored(&house.hallpass).await, (Some(ADA.into()), true));
        // Asked for again there is nothing left to verify.
        let sent = house.mails().await.len();
        email::request_verification(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        assert_eq!(house.mails().await.len(), sent);
    }

    async fn nobody_signs_in_before_the_address_is_verified_where_that_is_required(database) {
        let house = required(database).await;
        assert!(sign_up(&house, "ada", ADA).await.unwrap().is_none());
        assert_eq!(code(house.try_sign_in("ada", OTHER_PASSWORD).await), Code::InvalidCredentials);
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::EmailNotVerified);
        let older = house.mailed(ADA, "verify").await;
        email::request_verification(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let newer = house.mailed(ADA, "verify").await;
        assert_eq!(code(email::verify(&house.hallpass, &house.ctx(), &older).await), Code::LinkInvalid);
        email::verify(&house.hallpass, &house.ctx(), &newer).await.unwrap();
        house.sign_in("ada").await;
    }

    async fn right_passwords_of_unverified_accounts_never_count_as_failures(database) {
        let house = required(database).await;
        sign_up(&house, "ada", ADA).await.unwrap();
        for _ in 0..20 {
            assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::EmailNotVerified);
        }
    }

    async fn a_sign_up_with_the_address_of_somebody_is_answered_the_same_and_the_owner_is_told(database) {
        let house = required(database).await;
        assert!(sign_up(&house, "ada", ADA).await.unwrap().is_none());
        email::verify(&house.hallpass, &house.ctx(), &house.mailed(ADA, "verify").await).await.unwrap();
        assert!(sign_up(&house, "mallory", "ADA@example.com").await.unwrap().is_none());
        let mails = house.mails().await;
        let last = mails.last().unwrap();
        assert_eq!(last.to, ADA);
        token(last, "reset");
        assert!(!last.written.text.contains("mallory") && !last.written.html.contains("mallory"));
        assert_eq!(code(accounts::find(&house.hallpass, "mallory").await), Code::NotFound);
        // User names can be chosen, so they cannot be kept secret.
        assert_eq!(code(sign_up(&house, "ada", "other@example.com").await), Code::UsernameTaken);
    }

    async fn accounts_of_the_operator_need_no_verification(database) {
        let house = required(database).await;
        house.create_at("root", "root@example.com").await;
        house.sign_in("root").await;
    }

    async fn the_address_changes_when_the_new_one_answers_and_the_old_one_is_told(database) {
        let house = House::with(database, |config| {
            config.tokens.claims.insert("email".into(), "email".into());
        })
        .await;
        let ada = house.create_at("ada", ADA).await;
        let here = house.sign_in("ada").await;
        let elsewhere = house.sign_in("ada").await;
        assert_eq!(code(ask(&house, &ada, here.session, OTHER_PASSWORD, NEW).await), Code::PasswordIncorrect);
        assert!(house.mails().await.is_empty());
        ask(&house, &ada, here.session, PASSWORD, NEW).await.unwrap();
        let secret = house.mailed(NEW, "change-email").await;
        assert_eq!(stored(&house.hallpass).await, (Some(ADA.into()), true));
        house.verify(&elsewhere).unwrap();

        email::change(&house.hallpass, &house.ctx(), &secret).await.unwrap();
        assert_eq!(stored(&house.hallpass).await, (Some(NEW.into()), true));
        assert_eq!(house.live(&ada).await, [here.session]);
        assert_eq!(house.refresh(&elsewhere.refresh_token).await.unwrap_err().cause, Some(EndCause::EmailChanged));
        // The token here states the old address: it is out of date, and a refresh brings the new one.
        assert!(house.verify(&here).is_err());
        let refreshed = house.refresh(&here.refresh_token).await.unwrap();
        assert_eq!(house.verify(&refreshed).unwrap().extra["email"], NEW);
        let last = house.mails().await.pop().unwrap();
        assert_eq!((last.to.as_str(), last.written.text.contains("#token=")), (ADA, false));
        assert_eq!(code(email::change(&house.hallpass, &house.ctx(), &secret).await), Code::LinkInvalid);
    }

    async fn nobody_learns_by_a_change_of_address_whose_it_is(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        house.create_at("bob", "bob@example.com").await;
        let here = house.sign_in("ada").await.session;
        ask(&house, &ada, here, PASSWORD, "bob@example.com").await.unwrap();
        let last = house.mails().await.pop().unwrap();
        assert_eq!(last.to, "bob@example.com");
        token(&last, "reset");
        assert_eq!(code(ask(&house, &ada, here, PASSWORD, "ADA@example.com").await), Code::ValidationFailed);
    }

    async fn an_address_that_somebody_else_took_meanwhile_is_refused(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let here = house.sign_in("ada").await.session;
        ask(&house, &ada, here, PASSWORD, NEW).await.unwrap();
        let secret = house.mailed(NEW, "change-email").await;
        house.create_at("bob", NEW).await;
        assert_eq!(code(email::change(&house.hallpass, &house.ctx(), &secret).await), Code::EmailTaken);
        assert_eq!(stored(&house.hallpass).await, (Some(ADA.into()), true));
    }

    async fn sixth_mails_within_a_minute_do_not_go_out_and_nobody_is_told(database) {
        let house = House::new(database).await;
        house.create_at("ada", ADA).await;
        for _ in 0..7 {
            hallpass_core::recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        }
        assert_eq!(house.mails().await.len(), 5);
        house.pass(12);
        hallpass_core::recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        assert_eq!(house.mails().await.len(), 6);
        house.sign_in("ada").await;
    }
}
