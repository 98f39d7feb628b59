//! Many clients at once: what holds for one step at a time holds for races too.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hallpass_core::{
    Code,
    accounts::NewAccount,
    login, on_both_engines,
    sessions::{EndCause, Remember, refresh, sign_out},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner},
};

use crate::support::{House, PASSWORD, code, person};

/// What happens to one browser: rounds of requests at the same time, answers lost, and time in between.
#[derive(Debug, Clone)]
struct Round {
    requests: usize,
    delivered: Vec<bool>,
    pause: i64,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let round = (1_usize..6, proptest::collection::vec(any::<bool>(), 6), prop_oneof![Just(0_i64), Just(5), Just(25)]);
    proptest::collection::vec(
        round.prop_map(|(requests, delivered, pause)| Round { requests, delivered, pause }),
        1..12,
    )
}

/// Twenty-four random histories, always the same.
fn histories() -> Vec<Vec<Round>> {
    let mut runner = TestRunner::new_with_rng(Cases::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    (0..24).map(|_| rounds().new_tree(&mut runner).unwrap().current()).collect()
}

on_both_engines! {
    async fn tabs_that_refresh_at_once_and_lose_answers_are_never_signed_out(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        for history in histories() {
            let mut jar = house.sign_in("ada").await.refresh_token;
            for round in &history {
                let answers = join_all((0..round.requests).map(|_| house.refresh(&jar))).await;
                let answers: Vec<String> = answers
                    .into_iter()
                    .map(|answer| answer.unwrap_or_else(|error| panic!("{error} in {history:?}")).refresh_token)
                    .collect();
                assert_eq!(answers.iter().collect::<BTreeSet<_>>().len(), 1, "one successor for all: {history:?}");
                if let Some((answer, _)) = answers.into_iter().zip(&round.delivered).find(|(_, delivered)| **delivered) {
                    jar = answer;
                }
                house.pass(round.pause);
            }
            // What the jar holds now still works after any pause.
            house.pass(25);
            assert!(house.refresh(&jar).await.is_ok(), "{history:?}");
        }
    }

    async fn fifty_uses_of_one_secret_at_once_have_one_successor(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let secret = house.sign_in("ada").await.refresh_token;
        let answers = join_all((0..50).map(|_| house.refresh(&secret))).await;
        let successors: BTreeSet<String> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(successors.len(), 1);
    }

    async fn uses_of_one_secret_in_two_processes_at_once_have_one_successor(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (neighbour, ctx) = (house.neighbour().await, house.ctx());
        let secret = house.sign_in("ada").await.refresh_token;
        let uses = (0..25).flat_map(|_| [&house.hallpass, &neighbour].map(|process| refresh(process, &ctx, &secret)));
        let answers = join_all(uses).await;
        let successors: BTreeSet<String> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(successors.len(), 1);
        house.pass(25);
        let successor = successors.first().unwrap();
        assert_ne!(&refresh(&neighbour, &house.ctx(), successor).await.unwrap().refresh_token, successor);
        assert_eq!(house.refresh(&secret).await.unwrap_err().cause, Some(EndCause::RefreshReused));
    }

    async fn without_a_window_fifty_successors_are_siblings_of_which_one_lives(database) {
        let house = House::with(database, |config| config.sessions.replay_window = 0).await;
        house.create("ada").await;
        let secret = house.sign_in("ada").await.refresh_token;
        let answers = join_all((0..50).map(|_| house.refresh(&secret))).await;
        let successors: BTreeSet<String> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(successors.len(), 50);
        let mut successors = successors.into_iter();
        let used = successors.next().unwrap();
        house.refresh(&used).await.unwrap();
        let sibling = house.refresh(&successors.next().unwrap()).await.unwrap_err();
        assert_eq!(sibling.cause, Some(EndCause::RefreshReused));
    }

    async fn a_thief_and_the_owner_who_part_are_both_out_when_the_second_successor_is_used(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        for owner_first in [true, false] {
            let stolen = house.sign_in("ada").await.refresh_token;
            let owners = house.refresh(&stolen).await.unwrap().refresh_token;
            house.pass(25);
            let thiefs = house.refresh(&stolen).await.unwrap().refresh_token;
            assert_ne!(owners, thiefs);
            let (first, second) = if owner_first { (owners, thiefs) } else { (thiefs, owners) };
            house.pass(25);
            let newest = house.refresh(&first).await.unwrap().refresh_token;
            assert_eq!(house.refresh(&second).await.unwrap_err().cause, Some(EndCause::RefreshReused));
            assert_eq!(code(house.refresh(&newest).await), Code::SessionEnded);
        }
    }

    async fn a_sign_out_among_refreshes_wins(database) {
        let house = House::with(database, |config| config.sessions.replay_window = 0).await;
        house.create("ada").await;
        for _ in 0..5 {
            let issued = house.sign_in("ada").await;
            let ctx = house.ctx();
            let refreshes = join_all((0..10).map(|_| house.refresh(&issued.refresh_token)));
            let leave = sign_out(&house.hallpass, &ctx, issued.session);
            let (answers, signed_out) = futures_util::future::join(refreshes, leave).await;
            signed_out.unwrap();
            for answer in answers.into_iter().flatten() {
                assert!(house.verify(&answer).is_err(), "an access token outlived the sign-out");
                assert_eq!(code(house.refresh(&answer.refresh_token).await), Code::SessionEnded);
            }
        }
    }

    async fn fifty_sign_ups_with_one_name_give_one_account_and_clean_errors(database) {
        let house = House::new(database).await;
        let names = ["ada", "ADA", "Ada", "ａｄａ"];
        assert_eq!(race(&house, Code::UsernameTaken, |n| person(names[n % names.len()])).await, 1);
        assert!(house.try_sign_in("aDa", PASSWORD).await.is_ok());
    }

    async fn fifty_sign_ups_with_one_address_give_one_account_and_clean_errors(database) {
        let house = House::new(database).await;
        let addresses = ["ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.com", "aDa@eXaMpLe.cOm"];
        let with_address = |n: usize| NewAccount {
            email: Some(addresses[n % addresses.len()].into()),
            ..person(&format!("person{n}"))
        };
        assert_eq!(race(&house, Code::EmailTaken, with_address).await, 1);
        assert!(house.try_sign_in("adA@example.com", PASSWORD).await.is_ok());
    }
}

/// Fifty sign-ups in two processes; says how many succeeded, and that all others were refused for `taken`.
async fn race(house: &House, taken: Code, person: impl Fn(usize) -> NewAccount) -> usize {
    let (neighbour, ctx) = (house.neighbour().await, house.ctx());
    let mut made = 0;
    // The hashing queue is bounded, so they come in groups that fit, even where there is only one core.
    for group in (0..50).collect::<Vec<usize>>().chunks(5) {
        let sign_up = |n: &usize| {
            let process = if n.is_multiple_of(2) { &house.hallpass } else { &neighbour };
            login::sign_up(process, &ctx, person(*n), Remember::No)
        };
        for answer in join_all(group.iter().map(sign_up)).await {
            match answer {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.code, taken),
            }
        }
    }
    made
}
