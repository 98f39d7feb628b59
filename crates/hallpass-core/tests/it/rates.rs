//! How often one client address may ask, whichever server it asks.

use std::net::IpAddr;

use futures_util::future::join_all;
use hallpass_core::{
    Code, Ctx, Db, Hallpass, Result,
    accounts::NewAccount,
    login, on_both_engines,
    sessions::{Issued, Remember},
    testing::TestDb,
};

use crate::{
    stored::{dump, pass, rows},
    support::{House, OTHER_PASSWORD, PASSWORD, code, person, sign_in_at},
};

const HOME: &str = "192.0.2.1";

on_both_engines! {
    async fn the_thirty_first_sign_in_of_a_minute_waits_until_there_is_room(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        for _ in 0..30 {
            sign_in(&house, HOME, "ada", PASSWORD).await.unwrap();
        }
        assert_eq!(wait(sign_in(&house, HOME, "ada", PASSWORD).await), 2);
        house.pass(2);
        sign_in(&house, HOME, "ada", PASSWORD).await.unwrap();
        assert_eq!(wait(sign_in(&house, HOME, "ada", PASSWORD).await), 2);
        sign_in(&house, "192.0.2.2", "ada", PASSWORD).await.unwrap();
        house.sign_in("ada").await;
    }

    async fn ten_failures_stop_sign_ins_and_a_success_gives_none_of_them_back(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        fail(&house, 0..9).await;
        sign_in(&house, HOME, "ada", PASSWORD).await.unwrap();
        fail(&house, 9..10).await;
        // A refused attempt is none of the name's: it is not even counted.
        let names = rows(&house.database.db, "attempts").await;
        for name in ["ada", "late"] {
            assert_eq!(wait(sign_in(&house, HOME, name, PASSWORD).await), 6);
        }
        assert_eq!(rows(&house.database.db, "attempts").await, names);
        house.pass(6);
        sign_in(&house, HOME, "ada", PASSWORD).await.unwrap();
        fail(&house, 10..11).await;
        assert_eq!(wait(sign_in(&house, HOME, "ada", PASSWORD).await), 6);
    }

    async fn an_attempt_that_a_name_has_to_wait_for_is_one_of_the_addresses_and_has_not_failed(database) {
        let house = House::new(database).await;
        for _ in 0..5 {
            assert_eq!(code(sign_in(&house, HOME, "nobody", PASSWORD).await), Code::InvalidCredentials);
        }
        for _ in 5..30 {
            assert_eq!(wait(sign_in(&house, HOME, "nobody", PASSWORD).await), 1);
        }
        assert_eq!(wait(sign_in(&house, HOME, "nobody", PASSWORD).await), 2);
        house.pass(10);
        fail(&house, 0..5).await;
    }

    async fn a_whole_ipv6_network_counts_as_one_address(database) {
        let house = House::new(database).await;
        for host in 0..20 {
            assert_eq!(sign_up(&house, &format!("2001:db8:0:1::{host}")).await, Code::ValidationFailed);
        }
        assert_eq!(sign_up(&house, "2001:db8:0:1:ffff::1").await, Code::RateLimited);
        assert_eq!(sign_up(&house, "2001:db8:0:2::1").await, Code::ValidationFailed);
    }

    async fn an_address_is_the_same_however_it_is_written(database) {
        let house = House::new(database).await;
        for attempt in 0..20 {
            let spelling = if attempt % 2 == 0 { HOME } else { "::ffff:192.0.2.1" };
            assert_eq!(sign_up(&house, spelling).await, Code::ValidationFailed);
        }
        assert_eq!(sign_up(&house, HOME).await, Code::RateLimited);
        assert_eq!(sign_up(&house, "192.0.2.2").await, Code::ValidationFailed);
    }

    async fn a_clock_that_is_set_back_locks_nobody_out(database) {
        let house = House::new(database).await;
        exhaust_sign_ups(&house).await;
        house.pass(-100_000);
        exhaust_sign_ups(&house).await;
    }

    async fn all_servers_count_together_and_a_restart_forgets_nothing(database) {
        let house = House::new(database).await;
        let other = house.neighbour().await;
        for server in [&house.hallpass, &other].into_iter().cycle().take(20) {
            assert_eq!(code(sign_up_at(server, &from(&house, HOME)).await), Code::ValidationFailed);
        }
        other.db().close().await;
        let restarted = house.neighbour().await;
        for server in [&house.hallpass, &restarted] {
            assert_eq!(wait(sign_up_at(server, &from(&house, HOME)).await), 3);
        }
    }

    async fn fifty_at_once_get_no_further_than_one_after_the_other(database) {
        let house = House::new(database).await;
        let other = house.neighbour().await;
        let (servers, ctx) = ([&house.hallpass, &other], from(&house, HOME));
        let codes = join_all((0..50).map(|n| sign_up_at(servers[n % 2], &ctx))).await.into_iter().map(code);
        // Who is let in may find that too many passwords are being judged.
        let (refused, let_in): (Vec<_>, Vec<_>) = codes.partition(|code| *code == Code::RateLimited);
        assert_eq!((let_in.len(), refused.len()), (20, 30), "{let_in:?}");
        assert!(let_in.iter().all(|code| matches!(code, Code::ValidationFailed | Code::Busy)), "{let_in:?}");

        let names: Vec<String> = (0..50).map(|n| format!("nobody{n}")).collect();
        let guess = |n: usize| sign_in_at(servers[n % 2], &ctx, &names[n], OTHER_PASSWORD, None);
        let codes: Vec<Code> = join_all((0..50).map(guess)).await.into_iter().map(code).collect();
        let count = |wanted: Code| codes.iter().filter(|code| **code == wanted).count();
        let (failed, refused, busy) =
            (count(Code::InvalidCredentials), count(Code::RateLimited), count(Code::Busy));
        assert_eq!(failed + refused + busy, 50, "{codes:?}");
        // Where there is one core only, the queue is short: what it did not take has not failed.
        assert!(failed == 10 || failed < 10 && busy > 0, "{codes:?}");
    }

    async fn sign_ins_at_once_from_one_address_to_one_account_do_not_stop_each_other(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let other = house.neighbour().await;
        let (servers, ctx) = ([&house.hallpass, &other], from(&house, HOME));
        for _ in 0..6 {
            let known = sign_in(&house, "192.0.2.2", "ada", PASSWORD).await.unwrap().device_token;
            let known = known.as_deref();
            let answers = join_all((0..4).map(|n| sign_in_at(servers[n % 2], &ctx, "ada", PASSWORD, known))).await;
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        }
    }

    async fn no_address_is_kept_and_no_count_that_says_nothing_any_more(database) {
        let house = House::new(database).await;
        exhaust_sign_ups(&house).await;
        assert_eq!(sign_up(&house, "2001:db8::1").await, Code::ValidationFailed);
        assert_eq!(rows(&house.database.db, "rates").await, 2);
        let dump = dump(&house.database.db).await;
        assert!(!dump.contains(HOME) && !dump.contains("2001:db8"), "{dump}");
        pass(&house, 59).await;
        assert_eq!(rows(&house.database.db, "rates").await, 1, "the other one still counts");
        assert_eq!(sign_up(&house, HOME).await, Code::ValidationFailed);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "rates").await, 0);
    }

    async fn whoever_has_no_address_is_not_counted(database) {
        let house = House::new(database).await;
        for _ in 0..25 {
            assert_eq!(code(sign_up_at(&house.hallpass, &house.ctx()).await), Code::ValidationFailed);
        }
        assert_eq!(rows(&house.database.db, "rates").await, 0);
    }

    async fn switched_off_it_lets_everybody_in(database) {
        let house = House::with(database, |config| config.throttle.enabled = false).await;
        for _ in 0..25 {
            assert_eq!(sign_up(&house, HOME).await, Code::ValidationFailed);
        }
        for _ in 0..12 {
            assert_eq!(code(sign_in(&house, HOME, "nobody", PASSWORD).await), Code::InvalidCredentials);
        }
        assert_eq!(rows(&house.database.db, "rates").await, 0);
    }
}

/// SQLite has one writer: a flood must not keep others from it.
#[tokio::test]
async fn a_refused_address_is_refused_while_somebody_else_writes() {
    let house = House::new(TestDb::sqlite().await).await;
    fail(&house, 0..10).await;
    exhaust_sign_ups(&house).await;
    let Db::Sqlite { writer, .. } = &house.database.db else { panic!() };
    let busy = writer.begin_with("begin immediate").await.unwrap();
    assert_eq!(wait(sign_in(&house, HOME, "ada", PASSWORD).await), 6);
    assert_eq!(sign_up(&house, HOME).await, Code::RateLimited);
    drop(busy);
}

fn from(house: &House, ip: &str) -> Ctx {
    Ctx { ip: Some(ip.parse::<IpAddr>().unwrap()), ..house.ctx() }
}

async fn sign_in(house: &House, ip: &str, name: &str, password: &str) -> Result<Issued> {
    sign_in_at(&house.hallpass, &from(house, ip), name, password, None).await
}

/// Fails from home to sign in, under as many names, so that none of them has to wait.
async fn fail(house: &House, names: std::ops::Range<usize>) {
    for n in names {
        let answer = sign_in(house, HOME, &format!("nobody{n}"), PASSWORD).await;
        assert_eq!(code(answer), Code::InvalidCredentials, "{n}");
    }
}

/// A sign-up that is refused for its password, if it is not refused before.
async fn sign_up(house: &House, ip: &str) -> Code {
    code(sign_up_at(&house.hallpass, &from(house, ip)).await)
}

async fn sign_up_at(server: &Hallpass, ctx: &Ctx) -> Result<Option<Issued>> {
    let short = NewAccount { password: Some("short".to_owned().into()), ..person("ada") };
    login::sign_up(server, ctx, short, Remember::No).await
}

async fn exhaust_sign_ups(house: &House) {
    for _ in 0..20 {
        assert_eq!(sign_up(house, HOME).await, Code::ValidationFailed);
    }
    assert_eq!(wait(sign_up_at(&house.hallpass, &from(house, HOME)).await), 3);
}

/// The seconds after which to try again.
#[track_caller]
fn wait<T: std::fmt::Debug>(answer: Result<T>) -> u64 {
    let error = answer.unwrap_err();
    assert_eq!(error.code, Code::RateLimited);
    error.retry_after.unwrap()
}
