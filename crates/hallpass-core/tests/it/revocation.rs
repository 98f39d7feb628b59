//! What was taken back stays so: over restarts, and for the other processes on the same database.

use hallpass_core::{Ctx, Hallpass, accounts, on_both_engines, sessions, tasks};
use hallpass_token::TokenError;

use crate::support::House;

on_both_engines! {
    async fn a_restart_brings_no_dead_token_back(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let (ended, stale) = (house.sign_in("ada").await, house.sign_in("ada").await);
        sessions::sign_out(&house.hallpass, &house.ctx(), ended.session).await.unwrap();
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        let restarted = house.neighbour().await;
        let verify = |issued: &sessions::Issued| restarted.verifier().verify(&issued.access_token, house.now());
        assert_eq!(verify(&ended).unwrap_err(), TokenError::Ended);
        assert_eq!(verify(&stale).unwrap_err(), TokenError::Stale);
        let fresh = house.refresh(&stale.refresh_token).await.unwrap();
        assert!(verify(&fresh).is_ok());
    }

    async fn what_another_process_takes_back_is_dead_here_after_one_pass(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let neighbour = house.neighbour().await;
        house.pass(2);
        sessions::sign_out(&neighbour, &house.ctx(), issued.session).await.unwrap();
        assert!(house.verify(&issued).is_ok(), "nobody told this process yet");
        pass_of(&house.hallpass, house.now()).await;
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Ended);
    }

    async fn a_process_whose_clock_is_behind_is_followed_as_well(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let neighbour = house.neighbour().await;
        house.pass(2);
        pass_of(&house.hallpass, house.now()).await;
        let late = Ctx { now: house.now() - 200, ..house.ctx() };
        sessions::sign_out(&neighbour, &late, issued.session).await.unwrap();
        pass_of(&house.hallpass, house.now()).await;
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Ended);
    }

    async fn lines_are_forgotten_only_when_no_token_can_need_them(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        sessions::sign_out(&house.hallpass, &house.ctx(), issued.session).await.unwrap();
        let revoked = house.hallpass.verifier().revoked();
        house.pass(305);
        pass_of(&house.hallpass, house.now()).await;
        assert_eq!(revoked.len(), 1);
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Expired);
        house.pass(121);
        pass_of(&house.hallpass, house.now()).await;
        assert_eq!(revoked.len(), 0);
        assert_eq!(house.neighbour().await.verifier().revoked().len(), 0);
    }

    async fn a_server_that_has_not_read_the_log_for_long_is_not_ready(database) {
        let house = House::new(database).await;
        house.hallpass.ready(&house.ctx()).await.unwrap();
        house.pass(11);
        assert!(house.hallpass.ready(&house.ctx()).await.is_err());
        pass_of(&house.hallpass, house.now()).await;
        house.hallpass.ready(&house.ctx()).await.unwrap();
    }
}

async fn pass_of(hallpass: &Hallpass, now: i64) {
    tasks::run(hallpass, &Ctx::operator(now)).await.unwrap();
}
