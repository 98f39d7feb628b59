//! How much happened, by hours and days, over all servers.

use hallpass_core::{
    Code,
    admin::{self, Admin},
    login, on_both_engines, sessions,
    sessions::Remember,
    statistics::{self, Bucket, Statistics},
    tasks,
};

use crate::{
    stored::{pass, rows},
    support::{House, PASSWORD, START, code, person, sign_in_at},
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn read(house: &House, admin: &Admin, days: u32) -> Statistics {
    admin::statistics(&house.hallpass, &house.ctx(), admin, days).await.unwrap()
}

/// What happened, without when.
fn counts(bucket: &Bucket) -> [i64; 5] {
    [bucket.signed_up, bucket.signed_in, bucket.sign_in_failed, bucket.refreshed, bucket.revoked]
}

fn sum(statistics: &Statistics) -> [i64; 5] {
    let mut sum = [0; 5];
    for bucket in &statistics.buckets {
        for (sum, number) in sum.iter_mut().zip(counts(bucket)) {
            *sum += number;
        }
    }
    sum
}

on_both_engines! {
    async fn what_happens_is_counted_in_the_hour_in_which_it_happens(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        let signed_up = login::sign_up(&house.hallpass, &house.ctx(), person("ada"), Remember::No).await.unwrap().unwrap();
        house.pass(HOUR);
        let issued = house.sign_in("ada").await;
        for _ in 0..2 {
            assert_eq!(code(house.try_sign_in("ada", "a wrong guess of mine").await), Code::InvalidCredentials);
        }
        assert_eq!(code(house.try_sign_in("nobody", PASSWORD).await), Code::InvalidCredentials);
        let next = house.refresh(&issued.refresh_token).await.unwrap();
        house.refresh(&next.refresh_token).await.unwrap();
        assert!(house.refresh("hpr_garbled").await.is_err());
        house.pass(HOUR);
        sessions::sign_out(&house.hallpass, &house.ctx(), signed_up.session).await.unwrap();
        // It is over already.
        sessions::sign_out(&house.hallpass, &house.ctx(), signed_up.session).await.unwrap();

        let before = read(&house, &admin, 1).await;
        statistics::flush(&house.hallpass).await.unwrap();
        for found in [before, read(&house, &admin, 1).await, read(&house, &admin, 2).await] {
            let last: Vec<[i64; 5]> = found.buckets.iter().rev().take(3).map(counts).collect();
            assert_eq!(last, [[0, 0, 0, 0, 1], [0, 1, 3, 2, 0], [1, 0, 0, 0, 0]]);
            assert_eq!(sum(&found), [1, 1, 3, 2, 1]);
            assert_eq!((found.accounts, found.sessions, found.step), (2, 1, HOUR));
        }
    }

    async fn buckets_have_no_gaps_and_the_last_one_is_the_present(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        for (days, step, many) in [(1, HOUR, 24), (2, HOUR, 48), (3, DAY, 3), (90, DAY, 90)] {
            let found = read(&house, &admin, days).await;
            assert_eq!((found.step, found.buckets.len()), (step, many));
            assert!(found.buckets.is_sorted_by(|a, b| a.at + step == b.at));
            let last = found.buckets.last().unwrap().at;
            assert!(last % step == 0 && last <= house.now() && house.now() < last + step);
            assert_eq!(sum(&found), [0; 5]);
        }
    }

    async fn what_several_servers_count_adds_up(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        house.create("ada").await;
        let neighbour = house.neighbour().await;
        for _ in 0..2 {
            house.sign_in("ada").await;
            sign_in_at(&neighbour, &house.ctx(), "ada", PASSWORD, None).await.unwrap();
        }
        assert_eq!(sum(&read(&house, &admin, 1).await)[1], 2, "what the neighbour has not written down is not known here");
        for server in [&neighbour, &house.hallpass, &neighbour] {
            statistics::flush(server).await.unwrap();
        }
        assert_eq!(sum(&read(&house, &admin, 1).await)[1], 4);
        let there = admin::statistics(&neighbour, &house.ctx(), &admin, 3).await.unwrap();
        assert_eq!(sum(&there)[1], 4);
    }

    async fn numbers_are_written_down_every_ten_seconds_and_not_by_requests(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.sign_in("ada").await;
        pass(&house, 9).await;
        assert_eq!(rows(&house.database.db, "statistics").await, 0);
        pass(&house, 1).await;
        assert_eq!(rows(&house.database.db, "statistics").await, 1);
        house.sign_in("ada").await;
        pass(&house, 10).await;
        assert_eq!(rows(&house.database.db, "statistics").await, 1);
    }

    async fn numbers_are_forgotten_after_half_a_year(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.sign_in("ada").await;
        statistics::flush(&house.hallpass).await.unwrap();
        pass(&house, 180 * DAY - HOUR).await;
        assert_eq!(rows(&house.database.db, "statistics").await, 1);
        pass(&house, 2 * HOUR).await;
        assert_eq!(rows(&house.database.db, "statistics").await, 0);
        assert!(house.now() > START);
    }

    async fn days_are_sums_of_their_hours(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        house.create("ada").await;
        for _ in 0..5 {
            house.sign_in("ada").await;
            house.pass(DAY / 2);
            tasks::tidy(&house.hallpass, &house.ctx()).await.unwrap();
        }
        let found = read(&house, &admin, 5).await;
        assert_eq!(sum(&found)[1], 5);
        assert!(found.buckets.iter().all(|bucket| bucket.signed_in <= 2));
    }
}
