//! A new password by mail, and what becomes of whoever had the account before.

use hallpass_core::{
    Code, accounts, audit,
    config::Verification,
    email, login, mail, on_both_engines, recovery,
    sessions::{EndCause, Remember},
    sign_in_links::{self, Proof},
};

use crate::{
    stored::execute,
    support::{House, OTHER_PASSWORD, PASSWORD, code, person_at},
};

const ADA: &str = "ada@example.com";

on_both_engines! {
    async fn a_reset_ends_every_session_and_signs_nobody_in(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let before = house.sign_in("ada").await;
        recovery::request(&house.hallpass, &house.ctx(), "ADA@example.com").await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        let new = OTHER_PASSWORD.to_owned().into();
        recovery::reset(&house.hallpass, &house.ctx(), &secret, new).await.unwrap();
        assert!(house.verify(&before).is_err());
        assert_eq!(house.refresh(&before.refresh_token).await.unwrap_err().cause, Some(EndCause::PasswordChanged));
        assert!(house.live(&ada).await.is_empty());
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
        let last = house.mails().await.pop().unwrap();
        assert_eq!((last.to.as_str(), last.written.text.contains("#token=")), (ADA, false), "a notice, no link");
    }

    async fn a_hundred_failures_by_others_do_not_keep_the_owner_from_resetting(database) {
        let house = House::new(database).await;
        house.create_at("ada", ADA).await;
        for _ in 0..100 {
            let _ = house.try_sign_in("ada", OTHER_PASSWORD).await;
            house.pass(900);
        }
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::RateLimited);
        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, PASSWORD.to_owned().into()).await.unwrap();
        house.try_sign_in("ada", PASSWORD).await.unwrap();
    }

    async fn what_a_stranger_asks_to_be_mailed_does_not_even_look_whether_there_is_an_account(database) {
        let house = House::with(database, |config| config.accounts.sign_in_links = true).await;
        house.create_at("ada", ADA).await;
        execute(&house.database.db, "alter table accounts rename to elsewhere").await;
        for email in [ADA, "nobody@example.com"] {
            recovery::request(&house.hallpass, &house.ctx(), email).await.unwrap();
            email::request_verification(&house.hallpass, &house.ctx(), email).await.unwrap();
            sign_in_links::request(&house.hallpass, &house.ctx(), email).await.unwrap();
        }
        execute(&house.database.db, "alter table elsewhere rename to accounts").await;
        let to: Vec<String> = house.mails().await.into_iter().map(|mail| mail.to).collect();
        assert_eq!(to, [ADA, ADA], "a link to reset, one to sign in, and nothing to verify");
    }

    async fn mail_goes_to_the_address_of_the_account_and_to_nobody_else(database) {
        let house = House::new(database).await;
        house.create_at("mike", "Mike@example.org").await;
        for typed in ["mike@example.org", "MIKE@EXAMPLE.ORG"] {
            recovery::request(&house.hallpass, &house.ctx(), typed).await.unwrap();
        }
        // Letters that only look alike are another address, or none.
        for typed in ["mıke@example.org", "mike@example.org\r\nBcc: eve@example.net", "mike@example.org,eve@example.net"] {
            assert_eq!(code(recovery::request(&house.hallpass, &house.ctx(), typed).await), Code::ValidationFailed);
        }
        for stranger in ["nobody@example.org", "mike@example.org.example.net"] {
            recovery::request(&house.hallpass, &house.ctx(), stranger).await.unwrap();
        }
        let to: Vec<String> = house.mails().await.into_iter().map(|mail| mail.to).collect();
        assert_eq!(to, ["Mike@example.org", "Mike@example.org"]);
        assert!(mail::waiting(&house.hallpass, 10).await.unwrap().is_empty());
    }

    async fn whoever_made_an_account_with_an_address_of_others_has_nothing_of_it_after_a_reset(database) {
        let house = House::new(database).await;
        let attacker = login::sign_up(&house.hallpass, &house.ctx(), person_at("ada", ADA), Remember::Yes).await;
        let attacker = attacker.unwrap().unwrap();
        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        let new = OTHER_PASSWORD.to_owned().into();
        recovery::reset(&house.hallpass, &house.ctx(), &secret, new).await.unwrap();
        assert!(house.verify(&attacker).is_err());
        assert!(house.refresh(&attacker.refresh_token).await.is_err());
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        assert!(accounts::find(&house.hallpass, "ada").await.unwrap().email_verified);
    }

    async fn whoever_made_an_account_with_an_address_of_others_has_nothing_of_it_after_a_sign_in_by_mail(database) {
        let house = House::with(database, |config| config.accounts.sign_in_links = true).await;
        let attacker = login::sign_up(&house.hallpass, &house.ctx(), person_at("ada", ADA), Remember::Yes).await;
        let attacker = attacker.unwrap().unwrap();
        let id = attacker.account.id;
        let (mine, ctx, password) = ("attacker@example.net", house.ctx(), PASSWORD.to_owned().into());
        email::request_change(&house.hallpass, &ctx, id, attacker.session, password, mine, None).await.unwrap();
        let change = house.mailed("attacker@example.net", "change-email").await;
        sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let proof = Proof::Link(house.mailed(ADA, "sign-in").await);
        let owner = sign_in_links::sign_in(&house.hallpass, &house.ctx(), proof, Remember::No).await.unwrap();
        assert!(house.verify(&attacker).is_err());
        assert_eq!(house.refresh(&attacker.refresh_token).await.unwrap_err().cause, Some(EndCause::OwnershipProven));
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        assert_eq!(code(email::change(&house.hallpass, &house.ctx(), &change).await), Code::LinkInvalid);
        assert_eq!(house.verify(&owner).unwrap().amr, ["otp"]);
        let refreshed = house.refresh(&owner.refresh_token).await.unwrap();
        assert_eq!(house.verify(&refreshed).unwrap().amr, ["otp"]);
        assert!(refreshed.account.email_verified);

        // The second time nothing of the owner's is taken away.
        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, PASSWORD.to_owned().into()).await.unwrap();
        let kept = house.try_sign_in("ada", PASSWORD).await.unwrap();
        sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let proof = Proof::Link(house.mailed(ADA, "sign-in").await);
        sign_in_links::sign_in(&house.hallpass, &house.ctx(), proof, Remember::No).await.unwrap();
        house.verify(&kept).unwrap();
        house.try_sign_in("ada", PASSWORD).await.unwrap();
    }

    async fn the_owner_and_the_operator_see_which_mails_went_out_and_who_asked(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let asked = hallpass_core::Ctx { ip: "192.0.2.7".parse().ok(), request_id: "asked".into(), ..house.ctx() };
        recovery::request(&house.hallpass, &asked, ADA).await.unwrap();
        house.mails().await;
        let page = audit::Cursor { before: None, limit: 1 };
        let event = audit::of_account(&house.hallpass, ada.id, page).await.unwrap().remove(0);
        assert_eq!((event.event.as_str(), event.cause.as_deref()), ("mail_sent", Some("reset_password")));
        assert_eq!((event.ip.as_deref(), event.request_id.as_str()), (Some("192.0.2.7"), "asked"));
    }

    async fn without_mail_a_request_says_so(database) {
        let house = House::with(database, |config| config.mail.transport = hallpass_core::config::Transport::Off).await;
        assert_eq!(code(recovery::request(&house.hallpass, &house.ctx(), ADA).await), Code::MailOff);
        assert_eq!(code(email::request_verification(&house.hallpass, &house.ctx(), ADA).await), Code::MailOff);
        login::sign_up(&house.hallpass, &house.ctx(), person_at("ada", ADA), Remember::No).await.unwrap().unwrap();
        assert!(mail::waiting(&house.hallpass, 10).await.unwrap().is_empty());
        assert_eq!(house.hallpass.config().accounts.verify_email, Verification::Optional);
    }
}
