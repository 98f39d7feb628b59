//! The end of an account at its owner's wish, and what its owner can take along.

use hallpass_core::{
    Code, Result, SessionId,
    accounts::{self, Account},
    deletion, export, on_both_engines,
    sessions::EndCause,
};

use crate::{
    stored::{dump, pass, rows},
    support::{House, OTHER_PASSWORD, PASSWORD, code},
};

const ADA: &str = "ada@example.com";
const DAY: i64 = 86_400;

async fn schedule(house: &House, account: &Account, session: SessionId, password: &str) -> Result<i64> {
    deletion::schedule(&house.hallpass, &house.ctx(), account.id, session, password.to_owned().into(), None).await
}

on_both_engines! {
    async fn an_account_goes_after_its_grace_and_nothing_of_it_stays(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let here = house.sign_in("ada").await;
        assert_eq!(code(schedule(&house, &ada, here.session, OTHER_PASSWORD).await), Code::PasswordIncorrect);
        let delete_at = schedule(&house, &ada, here.session, PASSWORD).await.unwrap();
        assert_eq!(delete_at, house.now() + 14 * DAY);
        assert!(house.verify(&here).is_err());
        assert_eq!(house.refresh(&here.refresh_token).await.unwrap_err().cause, Some(EndCause::AccountDeleted));
        assert_eq!(house.mails().await.pop().unwrap().to, ADA);
        pass(&house, 14 * DAY - 60).await;
        accounts::get(&house.hallpass, ada.id).await.unwrap();

        pass(&house, 60).await;
        assert_eq!(code(accounts::get(&house.hallpass, ada.id).await), Code::NotFound);
        assert_eq!(house.mails().await.pop().unwrap().to, ADA);
        for (table, left) in [("accounts", 0), ("sessions", 0), ("tickets", 0), ("events where account_id is not null", 1)] {
            assert_eq!(rows(&house.database.db, table).await, left, "{table}");
        }
        let dump = dump(&house.database.db).await;
        assert!(!dump.contains("ada@") && !dump.contains("'ada'"), "{dump}");
        assert!(house.create("ada").await.id > ada.id, "no id is given twice");
    }

    async fn signing_in_within_the_grace_calls_the_deletion_off(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let here = house.sign_in("ada").await.session;
        schedule(&house, &ada, here, PASSWORD).await.unwrap();
        assert_eq!(code(house.try_sign_in("ada", OTHER_PASSWORD).await), Code::InvalidCredentials);
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().delete_at.is_some());
        assert_eq!(house.sign_in("ada").await.account.delete_at, None);
        pass(&house, 15 * DAY).await;
        accounts::get(&house.hallpass, ada.id).await.unwrap();
    }

    async fn without_a_grace_the_account_goes_at_once(database) {
        let house = House::with(database, |config| config.accounts.deletion_grace_days = 0).await;
        let ada = house.create_at("ada", ADA).await;
        let here = house.sign_in("ada").await;
        schedule(&house, &ada, here.session, PASSWORD).await.unwrap();
        assert_eq!(code(accounts::get(&house.hallpass, ada.id).await), Code::NotFound);
        assert!(house.verify(&here).is_err());
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        let mails = house.mails().await;
        assert_eq!(mails.len(), 1, "the last one says that it is done");
    }

    async fn an_export_has_everything_but_secrets(database) {
        let house = House::new(database).await;
        let ada = house.create_at("ada", ADA).await;
        let over = house.sign_in("ada").await;
        hallpass_core::sessions::sign_out(&house.hallpass, &house.ctx(), over.session).await.unwrap();
        house.pass(60);
        let here = house.sign_in("ada").await;
        let _ = house.try_sign_in("ada", OTHER_PASSWORD).await;
        let export = export::of_account(&house.hallpass, ada.id).await.unwrap();
        assert_eq!(export.account.email.as_deref(), Some(ADA));
        let sessions: Vec<_> = export.sessions.iter().map(|past| (past.session.id, past.cause)).collect();
        assert_eq!(sessions, [(here.session, None), (over.session, Some(EndCause::SignedOut))]);
        let events: Vec<&str> = export.events.iter().map(|entry| entry.event.as_str()).collect();
        assert_eq!(events, ["sign_in_failed", "signed_in", "session_ended", "signed_in", "account_created"]);
        assert!(!format!("{export:?}").contains("argon2id"));
    }
}
