//! What status lists say of tokens, to whoever reads them by the standard alone.

use std::{collections::BTreeSet, io::Read};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::read::ZlibDecoder;
use futures_util::future::join_all;
use hallpass_core::{
    Code, Ctx, Db, Hallpass, accounts, deletion, login, on_both_engines,
    sessions::{self, Issued},
    status_lists,
};
use hallpass_token::TokenError;
use serde_json::{Value, json};

use crate::{
    stored::{execute, pass, rows},
    support::{House, OTHER_PASSWORD, PASSWORD, code, config},
};

const GOOD: u8 = 0;
const ENDED: u8 = 1;
const STALE: u8 = 3;

/// The second part of a JWT.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The list and the place in it that a token names.
fn reference(issued: &Issued) -> (String, usize) {
    let status = claims(&issued.access_token)["status"]["status_list"].clone();
    assert_eq!(status.as_object().unwrap().len(), 2);
    (status["uri"].as_str().unwrap().to_owned(), usize::try_from(status["idx"].as_u64().unwrap()).unwrap())
}

fn name(uri: &str) -> &str {
    uri.strip_prefix("https://api.example.com/api/v1/status-lists/").unwrap()
}

/// The entries of a status list (sections 4.1 and 4.2).
fn entries(list: &Value) -> Vec<u8> {
    let compressed = URL_SAFE_NO_PAD.decode(list["lst"].as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).unwrap();
    let bits = list["bits"].as_u64().unwrap();
    let of = |byte: &u8| (0..8 / bits).map(|place| byte >> (place * bits) & ((1 << bits) - 1)).collect::<Vec<_>>();
    bytes.iter().flat_map(of).collect()
}

async fn read(house: &House, uri: &str) -> Vec<u8> {
    let list = status_lists::read(&house.hallpass, &house.ctx(), name(uri)).await.unwrap();
    let list = claims(&list);
    assert_eq!(list["sub"], uri);
    entries(&list["status_list"])
}

/// What a verifier learns of a token that asks a second from now.
async fn status(house: &House, issued: &Issued) -> u8 {
    house.pass(1);
    let (uri, index) = reference(issued);
    read(house, &uri).await[index]
}

#[test]
fn the_decoder_of_these_tests_reads_the_examples_of_the_standard() {
    let two_bits = entries(&json!({ "bits": 2, "lst": "eNo76fITAAPfAgc" }));
    assert_eq!(two_bits, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    let one_bit = entries(&json!({ "bits": 1, "lst": "eNrbuRgAAhcBXQ" }));
    assert_eq!(one_bit, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
}

#[test]
fn no_setting_puts_something_else_in_the_place_of_the_status() {
    let config = config(|config| drop(config.tokens.claims.insert("status".into(), "username".into())));
    assert_eq!(config.check(), ["`tokens.claims`: `status` is a claim of the token format itself"]);
}

on_both_engines! {
    async fn a_sign_out_sets_the_entry_of_its_session_and_no_other(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.create("bob").await;
        let (here, there) = (house.sign_in("ada").await, house.sign_in("ada").await);
        let bobs = house.sign_in("bob").await;
        let (uri, index) = reference(&here);
        assert_eq!(read(&house, &uri).await, vec![GOOD; 1 << 20]);
        sessions::sign_out(&house.hallpass, &house.ctx(), here.session).await.unwrap();
        house.pass(1);
        let mut expected = vec![GOOD; 1 << 20];
        expected[index] = ENDED;
        assert_eq!(read(&house, &uri).await, expected);
        assert_eq!(status(&house, &there).await, GOOD);
        assert_eq!(status(&house, &bobs).await, GOOD);
    }

    async fn whatever_ends_sessions_sets_their_entries(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let before = [house.sign_in("ada").await, house.sign_in("ada").await];
        sessions::sign_out_everywhere(&house.hallpass, &house.ctx(), ada.id).await.unwrap();
        for issued in &before {
            assert_eq!(status(&house, issued).await, ENDED);
        }
        let (asks, other) = (house.sign_in("ada").await, house.sign_in("ada").await);
        let (current, new) = (PASSWORD.to_owned().into(), OTHER_PASSWORD.to_owned().into());
        login::change_password(&house.hallpass, &house.ctx(), ada.id, asks.session, current, new, None).await.unwrap();
        assert_eq!(status(&house, &asks).await, GOOD);
        assert_eq!(status(&house, &other).await, ENDED);
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, false).await.unwrap();
        assert_eq!(status(&house, &asks).await, ENDED);
    }

    async fn a_change_of_roles_makes_the_old_entry_stale_and_a_refresh_brings_a_new_one(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        house.create("bob").await;
        let (old, bobs) = (house.sign_in("ada").await, house.sign_in("bob").await);
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        assert_eq!(status(&house, &old).await, STALE);
        // Within the window the secret stays, and after it changes: neither brings the old entry back.
        let kept = house.refresh(&old.refresh_token).await.unwrap();
        house.pass(20);
        let rotated = house.refresh(&kept.refresh_token).await.unwrap();
        assert_eq!(reference(&kept), reference(&rotated));
        assert_ne!(reference(&kept), reference(&old));
        assert_eq!([status(&house, &old).await, status(&house, &kept).await, status(&house, &bobs).await], [3, 0, 0]);
        sessions::sign_out(&house.hallpass, &house.ctx(), old.session).await.unwrap();
        for issued in [&old, &kept, &rotated] {
            assert_eq!(status(&house, issued).await, ENDED);
        }
    }

    async fn a_change_that_no_token_states_takes_none_back(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let old = house.sign_in("ada").await;
        let change = accounts::Changes { first_name: Some("Ada".into()), ..accounts::Changes::default() };
        accounts::update(&house.hallpass, &house.ctx(), ada.id, change).await.unwrap();
        let new = house.refresh(&old.refresh_token).await.unwrap();
        assert_eq!([status(&house, &old).await, status(&house, &new).await], [GOOD, GOOD]);
    }

    async fn refreshing_keeps_the_entry_while_nothing_changes(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let mut issued = house.sign_in("ada").await;
        let first = reference(&issued);
        for seconds in [0, 19, 1, 20, 300] {
            house.pass(seconds);
            issued = house.refresh(&issued.refresh_token).await.unwrap();
            assert_eq!(reference(&issued), first);
        }
        assert_eq!(rows(&house.database.db, "status_indexes").await, 1);
    }

    async fn sessions_from_before_there_were_lists_get_an_entry_at_their_next_refresh(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let before = house.sign_in("ada").await;
        execute(&house.database.db, "delete from status_indexes").await;
        let issued = house.refresh(&before.refresh_token).await.unwrap();
        assert_ne!(reference(&issued), reference(&before));
        sessions::sign_out(&house.hallpass, &house.ctx(), issued.session).await.unwrap();
        assert_eq!(status(&house, &issued).await, ENDED);
    }

    async fn no_entry_is_ever_given_again(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let mut given = BTreeSet::new();
        for round in 1..=3 {
            for _ in 0..5 {
                assert!(given.insert(reference(&house.sign_in("ada").await)), "round {round}");
            }
            // The end of the longest session, its last token's 300 seconds, the leeway of 5, and 120 for clocks; and
            // three days for clocks that are set back.
            pass(&house, 33 * 86_400 + 424).await;
            assert_eq!(rows(&house.database.db, "status_indexes").await, 5);
            pass(&house, 60).await;
            assert_eq!(rows(&house.database.db, "status_indexes").await, 0);
        }
    }

    async fn no_list_is_there_that_no_living_token_names(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let (uri, _) = reference(&issued);
        let known = name(&uri);
        assert!(known.len() == 16 && known.bytes().all(|byte| byte.is_ascii_hexdigit()), "{known}");
        let ask = async |name: String| status_lists::read(&house.hallpass, &house.ctx(), &name).await;
        let unknown = [String::new(), "0".into(), "0".repeat(16), known.to_uppercase(), format!("{known}0"), known[1..].into()];
        for name in unknown.into_iter().filter(|name| name != known) {
            assert_eq!(code(ask(name).await), Code::NotFound);
        }
        assert!(ask(known.to_owned()).await.is_ok());
        pass(&house, 34 * 86_400).await;
        assert_eq!(code(ask(known.to_owned()).await), Code::NotFound);
    }

    async fn a_list_that_is_full_is_followed_by_another_of_another_name(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await;
        let last_of_the_first_list = match &house.database.db {
            Db::Sqlite { .. } => "update sqlite_sequence set seq = 1048574 where name = 'status_indexes'",
            Db::Postgres { .. } => "alter table status_indexes alter column id restart with 1048575",
        };
        execute(&house.database.db, last_of_the_first_list).await;
        let (last, next) = (house.sign_in("ada").await, house.sign_in("ada").await);
        assert_eq!(reference(&first).0, reference(&last).0);
        assert_ne!(reference(&last).0, reference(&next).0);
        for ended in [&next, &first] {
            sessions::sign_out(&house.hallpass, &house.ctx(), ended.session).await.unwrap();
        }
        assert_eq!([status(&house, &first).await, status(&house, &last).await, status(&house, &next).await], [1, 0, 1]);
    }

    async fn an_account_that_is_deleted_at_once_takes_its_tokens_with_it_and_then_its_entries(database) {
        let house = House::with(database, |config| config.accounts.deletion_grace_days = 0).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        house.create("bob").await;
        house.sign_in("bob").await;
        let password = PASSWORD.to_owned().into();
        deletion::schedule(&house.hallpass, &house.ctx(), ada.id, issued.session, password, None).await.unwrap();
        assert_eq!(status(&house, &issued).await, ENDED);
        pass(&house, 3 * 86_400 + 480).await;
        assert_eq!(rows(&house.database.db, "status_indexes").await, 1);
        assert_eq!(rows(&house.database.db, &format!("status_indexes where account_id = {}", ada.id)).await, 0);
    }

    async fn what_another_server_takes_back_is_in_the_list_without_a_look_at_the_log(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let neighbour = house.neighbour().await;
        sessions::sign_out(&neighbour, &house.ctx(), issued.session).await.unwrap();
        assert_eq!(status(&house, &issued).await, ENDED);
        assert!(house.verify(&issued).is_ok(), "this server has looked at the log, which is another promise");
    }

    async fn a_list_is_signed_once_a_second_however_many_ask(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let (uri, _) = reference(&issued);
        let ask = async |now: i64| {
            let ctx = Ctx { now, ..house.ctx() };
            status_lists::read(&house.hallpass, &ctx, name(&uri)).await.unwrap().to_string()
        };
        // Every signature by this algorithm is another one.
        let now = house.now();
        let lists: BTreeSet<String> = join_all((0..50).map(|_| ask(now))).await.into_iter().collect();
        assert_eq!(lists.len(), 1);
        let later = ask(now + 1).await;
        assert!(!lists.contains(&later));
        assert_eq!((claims(&later)["iat"].clone(), claims(&later)["exp"].clone()), (json!(now + 1), json!(now + 301)));
        // A clock that is set back by much does not make an old list last.
        assert_eq!(claims(&ask(now - 1_000).await)["iat"], now - 1_000);
    }

    async fn without_the_database_there_is_no_list_and_nobody_is_told_that_all_is_well(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (uri, _) = reference(&house.sign_in("ada").await);
        assert!(status_lists::read(&house.hallpass, &house.ctx(), name(&uri)).await.is_ok());
        house.database.db.close().await;
        house.pass(1);
        assert_eq!(code(status_lists::read(&house.hallpass, &house.ctx(), name(&uri)).await), Code::Unavailable);
    }

    async fn whatever_crosses_a_refresh_the_list_says_of_each_token_what_this_server_says(database) {
        let house = House::with(database, |config| config.throttle.enabled = false).await;
        let ada = house.create("ada").await;
        let devices = join_all((0..8).map(|_| house.sign_in("ada"))).await;
        let others: Vec<Hallpass> = join_all((0..2).map(|_| house.neighbour())).await;
        let refreshing = join_all(devices.iter().map(async |device| {
            let mut issued = Vec::new();
            for _ in 0..6 {
                // Whoever is signed out meanwhile gets none.
                issued.extend(house.refresh(&device.refresh_token).await.ok());
            }
            issued
        }));
        let changing = async {
            for (round, device) in devices.iter().take(4).enumerate() {
                let role = format!("role-{round}");
                accounts::grant_role(&others[0], &house.ctx(), ada.id, &role).await.unwrap();
                sessions::sign_out(&others[1], &house.ctx(), device.session).await.unwrap();
            }
        };
        let (issued, ()) = tokio::join!(refreshing, changing);
        pass(&house, 1).await;
        let list = read(&house, &reference(&devices[0]).0).await;
        let mut seen = BTreeSet::new();
        for token in issued.iter().flatten().chain(&devices) {
            let (_, index) = reference(token);
            let expected = match house.verify(token) {
                Ok(_) => GOOD,
                Err(TokenError::Ended) => ENDED,
                Err(TokenError::Stale) => STALE,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(list[index], expected);
            seen.insert(expected);
        }
        assert!(seen.contains(&ENDED) && seen.contains(&STALE), "{seen:?}");
    }
}
