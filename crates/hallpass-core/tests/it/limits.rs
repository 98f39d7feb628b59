//! How often a password may be guessed, and that the owner gets in all the same.

use futures_util::future::join_all;
use hallpass_core::{
    Code, Error, Hallpass, Result, SessionId,
    accounts::{self, Account, NewAccount},
    login::{self, Identifier},
    on_both_engines,
    sessions::Remember,
    testing::TestDb,
};

use crate::{
    stored::{dump, pass, rows},
    support::{House, OTHER_PASSWORD, PASSWORD, code, person, sign_in_at},
};

const DAY: i64 = 86_400;

on_both_engines! {
    async fn five_attempts_are_free_and_then_each_waits_twice_as_long_up_to_fifteen_minutes(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        fail(&house, "ada", 5).await;
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(wait(house.try_sign_in("ada", OTHER_PASSWORD).await), seconds);
            house.pass(seconds - 1);
            // The right password is not even looked at, and asking does not make the wait longer.
            assert_eq!(wait(house.try_sign_in("ada", PASSWORD).await), 1);
            house.pass(1);
            fail(&house, "ada", 1).await;
        }
        house.pass(900);
        house.sign_in("ada").await;
        fail(&house, "ada", 5).await;
    }

    async fn every_spelling_and_every_path_counts_for_the_same_account(database) {
        let house = House::new(database).await;
        let new = NewAccount { email: Some("adele@example.com".into()), ..person("Adèle") };
        let adele = accounts::create(&house.hallpass, &house.ctx(), new, Default::default()).await.unwrap();
        let here = house.sign_in("adèle").await.session;
        let sign_in = async |username: Option<&str>, email: Option<&str>| {
            let who = Identifier { username: username.map(str::to_owned), email: email.map(str::to_owned), exact: false };
            let password = OTHER_PASSWORD.to_owned().into();
            code(login::sign_in(&house.hallpass, &house.ctx(), who, password, Remember::No, None).await)
        };
        let change = async || code(change_password(&house, &adele, here, OTHER_PASSWORD, PASSWORD, None).await);
        assert_eq!(sign_in(Some("adèle"), None).await, Code::InvalidCredentials);
        assert_eq!(change().await, Code::PasswordIncorrect);
        assert_eq!(sign_in(Some("ADE\u{300}LE"), None).await, Code::InvalidCredentials);
        assert_eq!(sign_in(Some("ADELE@EXAMPLE.com"), None).await, Code::InvalidCredentials);
        assert_eq!(sign_in(None, Some("Adele@example.com")).await, Code::InvalidCredentials);
        for (username, email) in [
            (Some("adèle"), None),
            (Some("ａｄèｌｅ"), None),
            (Some("adele@example.com"), None),
            (None, Some("adele@EXAMPLE.com")),
            (Some("ADÈLE"), Some("adele@example.com")),
        ] {
            assert_eq!(sign_in(username, email).await, Code::RateLimited, "{username:?} {email:?}");
        }
        assert_eq!(change().await, Code::RateLimited);
        assert_eq!(rows(&house.database.db, "attempts").await, 1);
    }

    async fn nobody_has_to_wait_like_somebody_and_is_told_the_same(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let history = async |names: [&str; 3]| {
            let mut answers = Vec::new();
            for (attempt, name) in names.into_iter().cycle().take(12).enumerate() {
                answers.push(told(house.try_sign_in(name, OTHER_PASSWORD).await));
                house.pass(i64::from(attempt > 7));
            }
            answers
        };
        let somebody = history(["ada", "ADA", "ａｄａ"]).await;
        assert_eq!(history(["bob", "BOB", "ｂｏｂ"]).await, somebody);
        assert_eq!(history(["nobody@example.com", "nobody@EXAMPLE.com", "Nobody@example.com"]).await, somebody);
        assert_eq!(history(["not a name", "NOT A NAME", "Not a Name"]).await, somebody);
        let (first, last) = (&somebody[0], &somebody[10]);
        assert!(first.contains("invalid_credentials") && last.contains("rate_limited"), "{somebody:?}");
        fail(&house, "somebody.else", 5).await;
    }

    async fn names_that_were_typed_are_not_kept(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        fail(&house, "a-password-in-the-wrong-field", 5).await;
        fail(&house, "ada", 1).await;
        assert_eq!(rows(&house.database.db, "attempts").await, 2);
        assert!(!dump(&house.database.db).await.contains("a-password-in-the-wrong-field"));
    }

    async fn the_count_outlives_a_restart_and_all_servers_share_it(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let other = house.neighbour().await;
        for server in [&house.hallpass, &other, &other, &house.hallpass, &other] {
            let answer = sign_in_at(server, &house.ctx(), "ada", OTHER_PASSWORD, None).await;
            assert_eq!(code(answer), Code::InvalidCredentials);
        }
        other.db().close().await;
        let restarted = house.neighbour().await;
        for server in [&house.hallpass, &restarted] {
            assert_eq!(wait(sign_in_at(server, &house.ctx(), "ada", PASSWORD, None).await), 1);
        }
    }

    async fn fifty_guesses_at_once_get_no_further_than_one_after_the_other(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let other = house.neighbour().await;
        let servers = [&house.hallpass, &other];
        for name in ["ada", "nobody"] {
            let ctx = house.ctx();
            let guess = |n: usize| sign_in_at(servers[n % 2], &ctx, name, OTHER_PASSWORD, None);
            let codes: Vec<Code> = join_all((0..50).map(guess)).await.into_iter().map(code).collect();
            assert!(codes.iter().all(|code| [Code::InvalidCredentials, Code::RateLimited].contains(code)), "{codes:?}");
            let compared = codes.iter().filter(|code| **code == Code::InvalidCredentials).count();
            assert_eq!(compared, 5, "{name}");
        }
    }

    async fn a_success_clears_the_count_of_its_own_account_only(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.create("mallory").await;
        fail(&house, "ada", 4).await;
        fail(&house, "nobody", 4).await;
        house.sign_in("mallory").await;
        for name in ["ada", "nobody"] {
            fail(&house, name, 1).await;
            house.sign_in("mallory").await;
            assert_eq!(wait(house.try_sign_in(name, OTHER_PASSWORD).await), 1);
        }
        house.pass(1);
        house.sign_in("ada").await;
        fail(&house, "ada", 5).await;
    }

    async fn nobody_locks_the_owner_out_of_a_known_device(database) {
        let house = House::new(database).await;
        let signed_up = login::sign_up(&house.hallpass, &house.ctx(), person("ada"), Remember::No).await.unwrap().unwrap();
        let device = signed_up.device_token.as_deref();
        assert!(device.is_some() && house.refresh(&signed_up.refresh_token).await.unwrap().device_token.is_none());
        house.create("mallory").await;
        let foreign = house.sign_in("mallory").await.device_token;
        fail(&house, "ada", 5).await;
        for ignored in [None, foreign.as_deref(), Some(""), Some("rubbish"), Some(&"A".repeat(75))] {
            assert_eq!(code(house.try_sign_in_on(ignored, "ada", PASSWORD).await), Code::RateLimited);
        }
        // The owner errs as well, and is not told apart from whoever else has the device.
        for _ in 0..10 {
            let answer = house.try_sign_in_on(device, "ada", OTHER_PASSWORD).await;
            assert_eq!(code(answer), Code::InvalidCredentials);
        }
        assert_eq!(wait(house.try_sign_in_on(device, "ADA", PASSWORD).await), 1);
        house.pass(1);
        assert_eq!(code(house.try_sign_in_on(device, "ada", OTHER_PASSWORD).await), Code::InvalidCredentials);
        assert_eq!(wait(house.try_sign_in_on(device, "ada", PASSWORD).await), 2);
        house.pass(2);
        fail(&house, "ada", 1).await;
        let back = house.try_sign_in_on(device, "ada", PASSWORD).await.unwrap();
        let newer = back.device_token.unwrap();
        assert_ne!(Some(newer.as_str()), device);
        // Others wait as before, and the owner does not.
        assert_eq!(wait(house.try_sign_in("ada", PASSWORD).await), 2);
        for device in [device, Some(newer.as_str())] {
            assert!(house.try_sign_in_on(device, "ada", PASSWORD).await.is_ok());
        }
        let (id, here) = (&back.account, back.session);
        assert_eq!(code(change_password(&house, id, here, PASSWORD, OTHER_PASSWORD, None).await), Code::RateLimited);
        change_password(&house, id, here, PASSWORD, OTHER_PASSWORD, device).await.unwrap();
        // A new password, a new count.
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
    }

    async fn a_stale_proof_of_a_device_never_stops_a_sign_in(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.create("bob").await;
        let old = house.sign_in("ada").await.device_token;
        for (name, device) in [("bob", old.as_deref()), ("ada", Some("stale")), ("ada", old.as_deref())] {
            assert!(house.try_sign_in_on(device, name, PASSWORD).await.is_ok());
        }
        // One that has used up its attempts is as good as none.
        assert!(house.try_sign_in_on(old.as_deref(), "ada", OTHER_PASSWORD).await.is_err());
        execute(&house, "update attempts set failures = 100").await;
        assert!(house.try_sign_in_on(old.as_deref(), "ada", PASSWORD).await.is_ok());
    }

    async fn a_hundred_failures_in_a_row_end_sign_in_by_password_until_a_new_one_is_set(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let here = house.sign_in("ada").await;
        let mut last = Vec::new();
        for name in ["ada", "nobody"] {
            for _ in 0..100 {
                fail(&house, name, 1).await;
                house.pass(900);
            }
            last.push(told(house.try_sign_in(name, PASSWORD).await));
        }
        assert_eq!(last[0], last[1]);
        assert!(last[0].contains("rate_limited") && last[0].contains("900"), "{last:?}");
        let locked = "events where event = 'password_locked'";
        assert_eq!(rows(&house.database.db, locked).await, 1, "the owner can read that and when it happened");
        for _ in 0..3 {
            pass(&house, 30 * DAY).await;
            for name in ["ada", "nobody"] {
                assert_eq!(told(house.try_sign_in(name, PASSWORD).await), last[0]);
            }
        }
        let change = change_password(&house, &ada, here.session, PASSWORD, OTHER_PASSWORD, None).await;
        assert_eq!(code(change), Code::RateLimited);
        assert!(house.try_sign_in_on(here.device_token.as_deref(), "ada", PASSWORD).await.is_ok());
        assert_eq!(told(house.try_sign_in("ada", PASSWORD).await), last[0], "a success elsewhere opens nothing");

        accounts::set_password(&house.hallpass, &house.ctx(), ada.id, OTHER_PASSWORD.to_owned().into()).await.unwrap();
        house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap();
    }

    async fn counts_are_forgotten_after_a_day_without_change(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        fail(&house, "ada", 5).await;
        fail(&house, "nobody", 1).await;
        house.pass(60);
        fail(&house, "ada", 1).await;
        pass(&house, DAY - 60).await;
        assert_eq!(rows(&house.database.db, "attempts").await, 2);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "attempts").await, 1, "the one that changed later is left");
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "attempts").await, 0);
        fail(&house, "ada", 5).await;
    }

    async fn a_clock_that_is_set_back_makes_nobody_wait_longer(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        fail(&house, "ada", 5).await;
        for seconds in [1, 2, 4, 8] {
            house.pass(seconds);
            fail(&house, "ada", 1).await;
        }
        assert_eq!(wait(house.try_sign_in("ada", PASSWORD).await), 16);
        house.pass(-DAY);
        fail(&house, "ada", 1).await;
        assert_eq!(wait(house.try_sign_in("ada", PASSWORD).await), 32, "it goes on from where it was");
        house.pass(32);
        house.sign_in("ada").await;
    }

    async fn a_new_password_that_is_refused_is_no_failed_attempt(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let here = house.sign_in("ada").await.session;
        for _ in 0..8 {
            assert_eq!(code(change_password(&house, &ada, here, PASSWORD, "short", None).await), Code::ValidationFailed);
        }
        change_password(&house, &ada, here, PASSWORD, OTHER_PASSWORD, None).await.unwrap();
    }

    async fn switched_off_nothing_is_counted(database) {
        let house = House::with(database, |config| config.throttle.enabled = false).await;
        house.create("ada").await;
        fail(&house, "ada", 8).await;
        assert!(house.sign_in("ada").await.device_token.is_none());
        assert_eq!(rows(&house.database.db, "attempts").await, 0);
    }
}

/// While no comparison can be made, none is counted: an overload locks nobody out.
#[test]
fn an_attempt_that_was_never_compared_is_not_counted() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let house = House::new(TestDb::sqlite().await).await;
        house.create("ada").await;
        // The only thread that comparisons run on is kept busy, and the queue before it is full of others' names.
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let occupied = tokio::task::spawn_blocking(move || finished.recv());
        let cores = std::thread::available_parallelism().unwrap().get();
        let ctx = house.ctx();
        let fill = async |n: usize| sign_in_at(&house.hallpass, &ctx, &format!("nobody{n}"), PASSWORD, None).await;
        let mut waiting: futures_util::stream::FuturesUnordered<_> = (0..=5 * cores).map(fill).collect();
        assert_eq!(code(futures_util::StreamExt::next(&mut waiting).await.unwrap()), Code::Busy);
        for _ in 0..8 {
            assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::Busy);
        }
        drop(waiting);
        drop(finish);
        let _ = occupied.await;
        house.sign_in("ada").await;
    });
}

/// Gives the wrong password, and is told that it is wrong.
async fn fail(house: &House, name: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(code(house.try_sign_in(name, OTHER_PASSWORD).await), Code::InvalidCredentials, "{name}");
    }
}

/// The seconds after which to try again.
#[track_caller]
fn wait<T: std::fmt::Debug>(answer: Result<T>) -> i64 {
    let error = answer.unwrap_err();
    assert_eq!(error.code, Code::RateLimited);
    error.retry_after.unwrap().try_into().unwrap()
}

/// All that whoever asks learns of a refusal.
fn told<T: std::fmt::Debug>(answer: Result<T>) -> String {
    let Error { code, detail, fields, retry_after, .. } = answer.unwrap_err();
    format!("{} {detail} {fields:?} {retry_after:?}", code.as_str())
}

async fn change_password(
    house: &House,
    account: &Account,
    here: SessionId,
    current: &str,
    new: &str,
    device: Option<&str>,
) -> Result<()> {
    let hallpass: &Hallpass = &house.hallpass;
    let (current, new) = (current.to_owned().into(), new.to_owned().into());
    login::change_password(hallpass, &house.ctx(), account.id, here, current, new, device).await
}

async fn execute(house: &House, statement: &'static str) {
    match &house.database.db {
        hallpass_core::Db::Sqlite { writer, .. } => sqlx::query(statement).execute(writer).await.map(drop).unwrap(),
        hallpass_core::Db::Postgres { pool, .. } => sqlx::query(statement).execute(pool).await.map(drop).unwrap(),
    }
}
