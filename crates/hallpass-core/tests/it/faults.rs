//! Clocks that are wrong by a day and set right again, and a log that cannot be read: nothing that ended lives again, and
//! nobody who did nothing wrong is signed out.

use hallpass_core::{
    Code, Ctx, Hallpass, accounts, clients,
    config::WhenStale,
    feed, on_both_engines, recovery, revocation,
    sessions::{self, EndCause, Issued},
    tasks,
};
use hallpass_token::{Revocation, TokenError};

use crate::{
    stored::{execute, rows},
    support::{House, OTHER_PASSWORD, code},
};

const DAY: i64 = 86_400;

/// The clock is set, and nothing is done in the background yet.
fn step(house: &House, seconds: i64) {
    house.pass(seconds);
    assert!(!revocation::is_known(&house.hallpass, house.now()), "what is known is as old as the step is long");
    assert!(feed_is_silent(house));
}

fn feed_is_silent(house: &House) -> bool {
    let answer = futures_util::FutureExt::now_or_never(feed::read(&house.hallpass, &house.ctx(), None));
    code(answer.expect("no look at the database is needed")) == Code::Unavailable
}

/// The background work's next pass, after which all is known again.
async fn look(house: &House) {
    tasks::run(&house.hallpass, &house.ctx()).await.unwrap();
    assert!(revocation::is_known(&house.hallpass, house.now()));
    house.hallpass.ready(&house.ctx()).await.unwrap();
}

fn verify(hallpass: &Hallpass, house: &House, issued: &Issued) -> Option<TokenError> {
    hallpass.verifier().verify(&issued.access_token, house.now()).err()
}

/// What this server and one that starts now say of a token.
async fn everywhere(house: &House, issued: &Issued) -> [Option<TokenError>; 2] {
    let restarted = house.neighbour().await;
    [verify(&house.hallpass, house, issued), verify(&restarted, house, issued)]
}

on_both_engines! {
    async fn what_was_taken_back_stays_so_when_the_clock_goes_a_day_ahead_and_back(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let (ended, stale) = (house.sign_in("ada").await, house.sign_in("ada").await);
        sessions::sign_out(&house.hallpass, &house.ctx(), ended.session).await.unwrap();
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        look(&house).await;
        step(&house, DAY);
        look(&house).await;
        assert!(house.hallpass.verifier().revoked().is_empty(), "a day later nothing of it matters");
        step(&house, -DAY);
        look(&house).await;
        assert_eq!(everywhere(&house, &ended).await, [Some(TokenError::Ended); 2]);
        assert_eq!(everywhere(&house, &stale).await, [Some(TokenError::Stale); 2]);
        // And to whoever follows this server it is news again.
        let page = feed::read(&house.hallpass, &house.ctx(), None).await.unwrap();
        assert_eq!(page.lines.len(), 2);
    }

    async fn what_is_taken_back_while_the_clock_is_a_day_behind_stays_so_when_it_is_set_right(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let (ended, stale) = (house.sign_in("ada").await, house.sign_in("ada").await);
        step(&house, -DAY);
        look(&house).await;
        sessions::sign_out(&house.hallpass, &house.ctx(), ended.session).await.unwrap();
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        step(&house, DAY + 10);
        look(&house).await;
        assert_eq!(everywhere(&house, &ended).await, [Some(TokenError::Ended); 2]);
        assert_eq!(everywhere(&house, &stale).await, [Some(TokenError::Stale); 2]);
    }

    async fn a_token_that_was_issued_half_a_day_ahead_is_dead_when_its_time_comes(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await;
        step(&house, DAY / 2);
        look(&house).await;
        let ahead = house.refresh(&first.refresh_token).await.unwrap();
        assert_eq!(house.verify(&ahead).err(), None);
        step(&house, -DAY / 2);
        look(&house).await;
        assert!(matches!(house.verify(&ahead), Err(TokenError::Invalid(_))), "it is of the future");
        let back = house.refresh(&ahead.refresh_token).await.unwrap();
        assert_eq!(house.verify(&back).err(), None);
        sessions::sign_out(&house.hallpass, &house.ctx(), first.session).await.unwrap();
        house.pass(DAY / 2);
        look(&house).await;
        assert_eq!(everywhere(&house, &ahead).await, [Some(TokenError::Ended); 2]);
    }

    async fn a_reader_of_the_feed_is_told_again_what_was_read_again(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        sessions::sign_out(&house.hallpass, &house.ctx(), issued.session).await.unwrap();
        look(&house).await;
        house.pass(DAY);
        look(&house).await;
        // This reader comes while the clock is wrong, so it is told of nothing that is over by then.
        let early = feed::read(&house.hallpass, &house.ctx(), None).await.unwrap();
        assert!(early.lines.is_empty());
        house.pass(-DAY);
        look(&house).await;
        let news = feed::read(&house.hallpass, &house.ctx(), Some(&early.cursor)).await.unwrap();
        let told = |line: &Revocation| matches!(line, Revocation::Session { session, .. } if *session == issued.session);
        assert!(news.lines.iter().any(told), "{news:?}");
    }

    async fn a_clock_that_is_set_back_and_forth_signs_nobody_out_and_lets_no_session_last_longer(database) {
        let house = House::with(database, |config| {
            (config.sessions.idle, config.sessions.idle_not_remembered) = (30 * DAY, 30 * DAY);
        }).await;
        house.create("ada").await;
        let mut device = house.sign_in("ada").await;
        let mut other = house.sign_in("ada").await;
        let end = house.now() + house.hallpass.config().sessions.absolute;
        for by in [DAY, -DAY, -DAY, DAY, 2 * DAY, -2 * DAY] {
            house.pass(by);
            look(&house).await;
            // Two tabs at once, and a third that is late by a minute.
            let tab = device.refresh_token.clone();
            for late in [0, 1, 60] {
                house.pass(late);
                device = house.refresh(&tab).await.unwrap();
                assert_eq!(house.verify(&device).err(), None, "{by} {late}");
            }
            house.pass(-61);
            look(&house).await;
            other = house.refresh(&other.refresh_token).await.unwrap();
        }
        house.pass(end - house.now() - 2 * DAY);
        device = house.refresh(&device.refresh_token).await.unwrap();
        house.pass(2 * DAY);
        let over = house.refresh(&device.refresh_token).await.unwrap_err();
        assert_eq!((over.code, over.cause), (Code::SessionEnded, Some(EndCause::AbsoluteLimit)));
    }

    async fn who_signed_in_while_the_clock_was_ahead_is_signed_in_after_it_is_set_back(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.pass(DAY);
        look(&house).await;
        let ahead = house.sign_in("ada").await;
        house.pass(-DAY);
        look(&house).await;
        // A client refreshes upon the 401 that a token of the future gets, and goes on.
        let refreshed = house.refresh(&ahead.refresh_token).await.unwrap();
        assert_eq!(house.verify(&refreshed).err(), None);
        sessions::sign_out(&house.hallpass, &house.ctx(), ahead.session).await.unwrap();
        assert_eq!(house.verify(&refreshed).err(), Some(TokenError::Ended));
    }

    async fn a_mailed_link_outlives_a_clock_that_is_set_back(database) {
        let house = House::new(database).await;
        house.create_at("ada", "ada@example.com").await;
        recovery::request(&house.hallpass, &house.ctx(), "ada@example.com").await.unwrap();
        let secret = house.mailed("ada@example.com", "reset").await;
        house.pass(-DAY);
        look(&house).await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, OTHER_PASSWORD.to_owned().into()).await.unwrap();
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
    }

    async fn how_old_knowledge_may_be_and_what_is_done_then_is_set(database) {
        let house = House::with(database, |config| config.revocation.max_staleness = 30).await;
        let known = |seconds| revocation::is_known(&house.hallpass, house.now() + seconds);
        assert_eq!([0, 30, 31, -2, -3].map(known), [true, true, false, true, false]);
        let ready = async |seconds| house.hallpass.ready(&Ctx::operator(house.now() + seconds)).await.is_ok();
        assert_eq!([ready(30).await, ready(31).await, ready(-3).await], [true, false, false]);
        let made = clients::create(&house.hallpass, &house.ctx(), "orders").await;
        assert!(made.is_ok(), "what reads the database goes on");

        let mut config = house.hallpass.config().clone();
        config.revocation.when_stale = WhenStale::Accept;
        let db = hallpass_core::Db::open(&house.database.url).await.unwrap();
        let master = hallpass_core::MasterKey::from_base64(&house.master).unwrap();
        let accepting = Hallpass::open(db, &master, config, house.now()).await.unwrap();
        assert!([0, 31, -3].iter().all(|seconds| revocation::is_known(&accepting, house.now() + seconds)));
        assert!(accepting.ready(&Ctx::operator(house.now() + 31)).await.is_err(), "it speaks for nothing it does not know");
    }

    async fn everybody_is_signed_out_in_parts_each_of_which_stays_done(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let ada = house.sign_in("ada").await;
        let id = match &house.database.db {
            hallpass_core::Db::Sqlite { .. } => "cast(printf('%016d', i) as blob)",
            hallpass_core::Db::Postgres { .. } => "lpad(i::text, 32, '0')::uuid",
        };
        let (now, end) = (house.now(), house.now() + DAY);
        let many = format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1100)
             insert into sessions (id, account_id, generation, parent, first_child, rotated_at, created_at, last_used_at,
                idle_seconds, idle_end, absolute_end, remembered, amr)
             select {id}, 7, 0, -1, 0, 0, {now}, {now}, 60, {end}, {end}, false, 'pwd' from n"
        );
        execute(&house.database.db, &many).await;
        let other = house.neighbour().await;
        let part = sessions::end_some(&house.hallpass, &house.ctx()).await.unwrap();
        assert_eq!((part.count, part.more), (500, true));
        let mut rest = 0;
        loop {
            let part = sessions::end_some(&other, &house.ctx()).await.unwrap();
            rest += part.count;
            if !part.more {
                break;
            }
        }
        assert_eq!(rest, 601);
        assert_eq!(sessions::end_some(&other, &house.ctx()).await.unwrap().count, 0);
        look(&house).await;
        assert_eq!(house.hallpass.verifier().revoked().len(), 1101);
        assert_eq!(everywhere(&house, &ada).await, [Some(TokenError::Ended); 2]);
        assert_eq!(rows(&house.database.db, "events where cause = 'ended_by_admin'").await, 1101);
        let over = house.refresh(&ada.refresh_token).await.unwrap_err();
        assert_eq!(over.cause, Some(EndCause::EndedByAdmin));
    }
}
