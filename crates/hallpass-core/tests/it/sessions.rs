//! Refresh secrets and the ends of sessions.

use hallpass_core::{
    Code, accounts, on_both_engines,
    sessions::{self, EndCause},
};
use hallpass_token::TokenError;

use crate::support::{House, code};

async fn cause_of(house: &House, secret: &str) -> EndCause {
    let error = house.refresh(secret).await.unwrap_err();
    assert_eq!(error.code, Code::SessionEnded);
    error.cause.unwrap()
}

on_both_engines! {
    async fn within_the_window_the_same_successor_comes_again_byte_for_byte(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await.refresh_token;
        let second = house.refresh(&first).await.unwrap().refresh_token;
        assert_ne!(first, second);
        house.pass(19);
        assert_eq!(house.refresh(&first).await.unwrap().refresh_token, second);
        assert_eq!(house.refresh(&second).await.unwrap().refresh_token, second);
    }

    async fn after_the_window_a_lost_answer_is_forgiven_and_the_first_use_of_a_successor_kills_its_siblings(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await.refresh_token;
        let lost = house.refresh(&first).await.unwrap().refresh_token;
        house.pass(20);
        let second = house.refresh(&first).await.unwrap().refresh_token;
        assert_ne!(second, lost);
        house.pass(20);
        let third = house.refresh(&second).await.unwrap().refresh_token;
        house.pass(20);
        assert_eq!(cause_of(&house, &lost).await, EndCause::RefreshReused);
        assert_eq!(cause_of(&house, &third).await, EndCause::RefreshReused);
    }

    async fn reuse_ends_the_session_with_its_newest_secret_and_its_access_tokens(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await;
        house.pass(30);
        let second = house.refresh(&first.refresh_token).await.unwrap();
        house.pass(30);
        let third = house.refresh(&second.refresh_token).await.unwrap();
        assert!(house.verify(&third).is_ok());
        assert_eq!(cause_of(&house, &first.refresh_token).await, EndCause::RefreshReused);
        assert_eq!(house.verify(&third).unwrap_err(), TokenError::Ended);
        assert_eq!(cause_of(&house, &third.refresh_token).await, EndCause::RefreshReused);
    }

    async fn with_a_window_of_zero_every_refresh_rotates(database) {
        let house = House::with(database, |config| config.sessions.replay_window = 0).await;
        house.create("ada").await;
        let mut secrets = vec![house.sign_in("ada").await.refresh_token];
        for _ in 0..3 {
            let next = house.refresh(secrets.last().unwrap()).await.unwrap().refresh_token;
            assert!(!secrets.contains(&next));
            secrets.push(next);
        }
        assert_eq!(cause_of(&house, &secrets[0]).await, EndCause::RefreshReused);
    }

    async fn a_database_that_fell_back_signs_nobody_out(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await.refresh_token;
        let mut secret = first.clone();
        for _ in 0..3 {
            house.pass(30);
            secret = house.refresh(&secret).await.unwrap().refresh_token;
        }
        fall_back(&house).await;
        let after = house.refresh(&secret).await.unwrap().refresh_token;
        assert_ne!(after, secret);
        house.pass(30);
        assert!(house.refresh(&after).await.is_ok());
        assert_eq!(cause_of(&house, &first).await, EndCause::RefreshReused);
    }

    async fn a_session_ends_when_it_was_idle_for_too_long_and_refreshing_moves_that_end(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await.refresh_token;
        house.pass(86_399);
        let second = house.refresh(&first).await.unwrap().refresh_token;
        house.pass(86_399);
        let third = house.refresh(&second).await.unwrap().refresh_token;
        house.pass(86_400);
        assert_eq!(cause_of(&house, &third).await, EndCause::Idle);
    }

    async fn the_absolute_end_is_fixed_at_sign_in_and_no_token_outlives_it(database) {
        let house = House::with(database, |config| {
            config.sessions.idle_not_remembered = 400;
            config.sessions.idle = 400;
            config.sessions.absolute = 1000;
        })
        .await;
        house.create("ada").await;
        let mut secret = house.sign_in("ada").await.refresh_token;
        for _ in 0..3 {
            house.pass(300);
            secret = house.refresh(&secret).await.unwrap().refresh_token;
        }
        let last = house.refresh(&secret).await.unwrap();
        assert_eq!(last.expires_in, 100);
        house.pass(100);
        assert_eq!(cause_of(&house, &secret).await, EndCause::AbsoluteLimit);
    }

    async fn signing_out_ends_refresh_secret_and_access_token_at_once_and_twice_is_fine(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (here, there) = (house.sign_in("ada").await, house.sign_in("ada").await);
        for _ in 0..2 {
            sessions::sign_out(&house.hallpass, &house.ctx(), here.session).await.unwrap();
        }
        assert_eq!(house.verify(&here).unwrap_err(), TokenError::Ended);
        assert_eq!(cause_of(&house, &here.refresh_token).await, EndCause::SignedOut);
        assert!(house.verify(&there).is_ok());
        assert!(house.refresh(&there.refresh_token).await.is_ok());
    }

    async fn signing_out_everywhere_ends_every_session_and_a_new_one_is_good_in_the_same_second(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let before = [house.sign_in("ada").await, house.sign_in("ada").await];
        sessions::sign_out_everywhere(&house.hallpass, &house.ctx(), ada.id).await.unwrap();
        for issued in &before {
            assert_eq!(house.verify(issued).unwrap_err(), TokenError::Ended);
            assert_eq!(cause_of(&house, &issued.refresh_token).await, EndCause::SignedOutEverywhere);
        }
        let after = house.sign_in("ada").await;
        assert!(house.verify(&after).is_ok());
    }

    async fn nobody_can_end_the_session_of_somebody_else(database) {
        let house = House::new(database).await;
        let (ada, bob) = (house.create("ada").await, house.create("bob").await);
        let adas = house.sign_in("ada").await;
        assert_eq!(code(sessions::end(&house.hallpass, &house.ctx(), bob.id, adas.session).await), Code::NotFound);
        assert!(house.verify(&adas).is_ok());
        sessions::end(&house.hallpass, &house.ctx(), ada.id, adas.session).await.unwrap();
        assert_eq!(house.verify(&adas).unwrap_err(), TokenError::Ended);
    }

    async fn ending_the_others_keeps_the_one_that_asks(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let (here, there) = (house.sign_in("ada").await, house.sign_in("ada").await);
        sessions::end_others(&house.hallpass, &house.ctx(), ada.id, here.session).await.unwrap();
        assert_eq!(house.live(&ada).await, [here.session]);
        assert!(house.verify(&here).is_ok());
        assert_eq!(house.verify(&there).unwrap_err(), TokenError::Ended);
    }

    async fn one_session_too_many_ends_the_one_that_was_idle_longest(database) {
        let house = House::with(database, |config| config.sessions.max_per_account = 2).await;
        let ada = house.create("ada").await;
        let oldest = house.sign_in("ada").await;
        house.pass(1);
        let older = house.sign_in("ada").await;
        house.pass(30);
        house.refresh(&oldest.refresh_token).await.unwrap();
        house.pass(1);
        let newest = house.sign_in("ada").await;
        assert_eq!(cause_of(&house, &older.refresh_token).await, EndCause::TooManySessions);
        assert_eq!(house.live(&ada).await, [newest.session, oldest.session]);
    }

    async fn a_deactivated_account_cannot_refresh_even_if_its_session_row_were_alive(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, false).await.unwrap();
        assert_eq!(cause_of(&house, &issued.refresh_token).await, EndCause::Deactivated);
        revive(&house).await;
        assert_eq!(cause_of(&house, &issued.refresh_token).await, EndCause::Deactivated);
    }
}

/// Puts the session rows back to how they were after sign-in, as a restored backup does.
async fn fall_back(house: &House) {
    write(house, "update sessions set generation = 0, parent = -1, first_child = 0, rotated_at = 0").await;
}

async fn revive(house: &House) {
    write(house, "update sessions set ended_at = null, end_cause = null").await;
}

async fn write(house: &House, statement: &'static str) {
    match &house.database.db {
        hallpass_core::Db::Sqlite { writer, .. } => drop(sqlx::query(statement).execute(writer).await.unwrap()),
        hallpass_core::Db::Postgres { pool, .. } => drop(sqlx::query(statement).execute(pool).await.unwrap()),
    }
}
